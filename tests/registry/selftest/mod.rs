//! The servers behave as those who use them believe.

mod docker;
mod proxy;
mod tokens;
