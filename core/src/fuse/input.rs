//! The sources of a run, opened: archives with the documents of everything they list.

use crate::archive::{Archive, Keep, Name};
use crate::error::{Error, Result};
use crate::graph::{self, Node};
use crate::location::Location;
use crate::oci::{Descriptor, Platform};
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

/// Something that an input lists: its name, and what that leads to unless it is damaged.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: Name,
    pub(super) found: std::result::Result<Found, Option<Error>>,
}

/// A root, and the documents below it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) root: Descriptor,
    pub(super) node: Node,
}

impl Input {
    /// Opens the source at `location`.
    pub(super) fn open(
        location: &Location,
        keep: &Keep,
        platform: Option<Platform>,
        progress: &Progress,
    ) -> Result<Self> {
        let mut archive = Archive::open(location, keep, progress)?;
        let damaged = std::mem::take(&mut archive.damaged).into_iter();
        let damaged = damaged.map(|(name, error)| Listed {
            name,
            found: Err(Some(error)),
        });
        let sound = archive.roots.iter().map(|root| Listed {
            name: root.name.clone(),
            found: match graph::load(&archive, &root.descriptor) {
                Ok(node) => Ok(Found {
                    root: root.descriptor.clone(),
                    node,
                }),
                Err(error) => Err(Some(error)),
            },
        });
        let listed: Vec<Listed> = sound.chain(damaged).collect();
        tracing::debug!(
            "`{}`: {}, {} images",
            location.spelled,
            archive.flavour.name(),
            listed.len()
        );
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
