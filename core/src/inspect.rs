//! What is inside a source.

use crate::error::{Error, ErrorKind, Result};
use crate::location::Location;
use crate::progress::{Sink, Stop};
use crate::report::Inspection;

/// Says what is inside `source`; only the image `reference`, if one is named.
pub fn inspect(
    _source: &Location,
    _reference: Option<&str>,
    _sink: Option<&mut dyn Sink>,
    _stop: &Stop,
) -> Result<Inspection> {
    Err(Error::new(ErrorKind::Internal, "being built"))
}
