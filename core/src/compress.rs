//! gzip (RFC 1952) and Zstandard (RFC 8878), in and out.
//!
//! Readers in this crate carry our errors inside [`std::io::Error`]; [`into_error`] takes them out.
//! What is written depends on the input and the level only, never on the number of threads.

mod encode;
mod engine;
mod gzip;
mod push;
mod read;
#[cfg(test)]
mod tests;

use std::io;

pub use encode::{Encoder, ParallelZstd, default_level};
pub use gzip::ParallelGzip;
pub use push::Inflater;
pub use read::{Decoder, LimitedExpansion, decoder};

use crate::error::{Error, ErrorKind};

/// The [`Error`] that `error` carries, or else one that says the same.
///
/// Data that ends early or makes no sense is `InvalidArchive`, whoever found out.
#[must_use]
pub fn into_error(error: io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| {
        use io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::UnexpectedEof | Io::InvalidData => ErrorKind::InvalidArchive,
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
            Io::StorageFull | Io::QuotaExceeded => ErrorKind::NoSpace,
            _ => ErrorKind::Io,
        };
        Error::new(kind, error.to_string()).source_error(error)
    })
}
