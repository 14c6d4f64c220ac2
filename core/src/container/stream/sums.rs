//! What containers are summed with as they come by.

use super::super::checksum::{Algorithm, Summer};
use super::super::evidence::Found;
use super::Walk;
use crate::oci::Compression;

impl Walk<'_> {
    /// Whether the bytes of a container that is taken apart can be told again from the spool.
    pub(super) fn tells_again(&self, compression: Compression) -> bool {
        let keeps = self.keep.spool().is_some() && !self.keep.is_passing();
        keeps && compression == Compression::None
    }

    /// What a container is summed with as it comes by: with what lists before it ask for, and if
    /// its bytes cannot be told again, with what a list behind it may ask for. Of what is large, as
    /// nothing compressed is, that is taken to be made as others here; until there are others, as any.
    pub(super) fn sums(&mut self, compression: Compression, around: &Found<'_>) -> Vec<Summer> {
        let mut asked = std::mem::take(&mut self.asked);
        if self.tells_again(compression) || around.is_bundle() {
            // Bundles have no lists, and one around it is summed already.
        } else if self.used.is_empty() || compression != Compression::None {
            asked.extend(Algorithm::ALL);
        } else {
            asked.extend(&self.used);
        }
        asked.into_iter().map(Summer::new).collect()
    }
}
