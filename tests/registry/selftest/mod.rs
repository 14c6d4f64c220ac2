//! The servers behave as those who use them believe.

mod docker;
mod harbor;
mod proxy;
mod tokens;
