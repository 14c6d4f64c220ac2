//! What happens to the content of streams, and who is told of what came by.

use std::sync::Arc;

use super::members::Members;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::progress::Progress;
use crate::store::BlobDirectory;

/// What happens to the content of a stream.
#[derive(Debug, Clone)]
pub enum Keep {
    /// It goes into a spool.
    Spool {
        /// The spool.
        blobs: Arc<BlobDirectory>,
        /// Whether files that can be no part of an image are kept too.
        files: bool,
        /// Who is told of each container as soon as all of it is spooled, and may let go of what
        /// is in it.
        pass: Option<Pass>,
    },
    /// Documents are kept in memory, the rest is only hashed.
    Documents,
    /// As `Documents`, and every compressed layer is inflated and hashed as well.
    Inflated,
}

/// Is told of a container that came by.
pub(crate) type Passed = dyn Fn(&Arc<Members>, &Progress) -> Result<()> + Send + Sync;

/// Who is told of containers as they come by.
#[derive(Clone)]
pub struct Pass(pub(crate) Arc<Passed>);

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pass")
    }
}

impl Keep {
    /// Tells who wants to know that all of the container `members` came by.
    pub(crate) fn pass(&self, members: &Arc<Members>, progress: &Progress) -> Result<()> {
        match self {
            Self::Spool {
                pass: Some(pass), ..
            } => (pass.0)(members, progress),
            _ => Ok(()),
        }
    }

    /// Whether what is spooled may go again while more comes.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::Spool { pass: Some(_), .. })
    }

    pub(crate) fn spool(&self) -> Option<&Arc<BlobDirectory>> {
        match self {
            Self::Spool { blobs, .. } => Some(blobs),
            Self::Documents | Self::Inflated => None,
        }
    }
}

/// Counts a document of `size` bytes that is kept in memory, if there may be another.
pub(super) fn keep_more(kept: &mut u64, size: u64) -> Result<()> {
    *kept += size;
    if *kept > limits::MAX_KEPT {
        let message = format!(
            "the archive's documents take more than {} bytes of memory",
            limits::MAX_KEPT
        );
        return Err(Error::new(ErrorKind::LimitExceeded, message)
            .hint("decompress the archive first: it is then read in place"));
    }
    Ok(())
}
