//! The sources of a run, opened: archives with the documents of everything they list.

use crate::archive::{Archive, Keep, Root};
use crate::error::{Error, Result};
use crate::graph::{self, Node};
use crate::location::Location;
use crate::oci::Platform;
use crate::progress::Progress;

/// A source, or the destination as it was before the run.
#[derive(Debug)]
pub(super) struct Input {
    /// How reports and errors name it.
    pub(super) label: String,
    pub(super) archive: Archive,
    /// What it lists, in its own order.
    pub(super) listed: Vec<Listed>,
    /// Whether this is the destination.
    pub(super) is_destination: bool,
    /// What all its images run on, whatever they say.
    pub(super) platform: Option<Platform>,
}

/// Something that an input lists: the root, and the documents below it unless they are damaged.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) root: Root,
    pub(super) node: std::result::Result<Node, Option<Error>>,
}

impl Input {
    /// Opens the source at `location`.
    pub(super) fn open(
        location: &Location,
        keep: &Keep,
        platform: Option<Platform>,
        progress: &Progress,
    ) -> Result<Self> {
        let archive = Archive::open(location, keep, progress)?;
        let listed = archive
            .roots
            .iter()
            .map(|root| Listed {
                root: root.clone(),
                node: graph::load(&archive, &root.descriptor).map_err(Some),
            })
            .collect();
        let label = location.spelled.clone();
        Ok(Self {
            label,
            archive,
            listed,
            is_destination: false,
            platform,
        })
    }
}
