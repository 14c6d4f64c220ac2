//! The real clients that must take what fusion writes, each in a private state directory.
//!
//! Nothing here is skipped silently: a program that is missing is a panic that names
//! `tests/clients/install.sh`. What each client needs and its limits: `tests/clients/README.md`.

pub(crate) mod buildah;
pub(crate) mod containerd;
pub(crate) mod docker;
pub(crate) mod layout;
pub(crate) mod podman;
pub(crate) mod process;
pub(crate) mod skopeo;
pub(crate) mod umoci;

pub(crate) mod committed;
pub(crate) mod fused;
pub(crate) mod sample;
pub(crate) mod sound;
pub(crate) mod taking;
pub(crate) mod tree;

mod matrix;
mod oracle;
mod promise;
mod selftest;
