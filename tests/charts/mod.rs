//! What charts meet outside: Helm, ChartMuseum, web servers, charts-syncer.
//!
//! `tests/programs.sh` builds those that are Go modules. `README.md` says what there is.

pub(crate) mod files;
pub(crate) mod helm;
pub(crate) mod museum;
pub(crate) mod opened;
pub(crate) mod syncer;

mod selftest;
