//! The transport against servers that answer as they are told.

mod fetching;
mod secrets;
mod tokens;
mod uploading;
