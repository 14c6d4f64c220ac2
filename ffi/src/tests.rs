//! What has to agree: header, symbols, statuses, versions, manual; and the boundary itself.

mod agreement;
mod boundary;
mod header;
