//! The sources of a run, opened: archives with the documents of everything they list.

use std::collections::BTreeSet;

use super::variant::flatten;
use crate::archive::{Archive, Name};
use crate::error::{Error, Result};
use crate::graph::{self, Node};
use crate::location::Location;
use crate::oci::{Descriptor, Digest, Platform};
use crate::package::{Keep, Source};
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
    /// What `archive` lists, with the documents of it all.
    pub(super) fn of(mut archive: Archive, platform: Option<Platform>) -> Self {
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
        let label = archive.label.clone();
        tracing::debug!(
            "`{label}`: {}, {} images",
            archive.flavour.name(),
            listed.len()
        );
        Self {
            label,
            archive,
            listed,
            is_destination: false,
            platform,
        }
    }

    /// What it lists, as far as it is sound.
    pub(super) fn roots(&self) -> impl Iterator<Item = Digest> {
        let found = self
            .listed
            .iter()
            .filter_map(|listed| listed.found.as_ref().ok());
        found.map(|found| found.root.digest)
    }

    /// What its images run on, as far as they say.
    pub(super) fn platforms(&self) -> BTreeSet<Platform> {
        let found = self
            .listed
            .iter()
            .filter_map(|listed| listed.found.as_ref().ok());
        let flattened = found
            .filter_map(|found| flatten(&found.node, &found.root, 0, self.platform.as_ref()).ok());
        flattened
            .flat_map(|flattened| flattened.variants)
            .filter_map(|variant| variant.platform)
            .collect()
    }
}

/// A source of a run, or its destination as it was, and which inputs are in it.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its archives are inputs now.
    pub(super) source: Source,
    /// The number of its first input; the others follow.
    pub(super) first: usize,
    /// How many.
    pub(super) inputs: usize,
}

impl Opened {
    /// The numbers of its inputs.
    pub(super) fn numbers(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.inputs
    }
}

/// Opens a source, or the destination; its inputs are numbered by whoever lists them all.
pub(super) fn open(
    location: &Location,
    keep: &Keep,
    platform: Option<&Platform>,
    is_destination: bool,
    progress: &Progress,
) -> Result<(Opened, Vec<Input>)> {
    let mut source = Source::open(location, keep, progress)?;
    source.sound()?;
    let archives = std::mem::take(&mut source.archives);
    let inputs: Vec<Input> = archives
        .into_iter()
        .map(|archive| Input {
            is_destination,
            ..Input::of(archive, platform.cloned())
        })
        .collect();
    let opened = Opened {
        source,
        first: 0,
        inputs: inputs.len(),
    };
    Ok((opened, inputs))
}
