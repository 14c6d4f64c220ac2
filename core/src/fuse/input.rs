//! The sources of a run, opened: archives with the documents of everything they list.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::plan::reach;
use super::variant::{Origin, flatten};
use crate::archive::{Archive, Name};
use crate::error::{Error, Result};
use crate::graph::{Loader, Node};
use crate::location::Location;
use crate::oci::{Descriptor, Digest, Platform};
use crate::package::{Keep, Source};
use crate::progress::Progress;
use crate::registry::Client;

/// A source, or the destination as it was before the run.
#[derive(Debug)]
pub(crate) struct Input {
    /// What its variants say where they come from.
    pub(crate) origin: Arc<Origin>,
    pub(crate) archive: Archive,
    /// What it lists, in its own order.
    pub(crate) listed: Vec<Listed>,
}

/// Something that an input lists: its name, and what that leads to unless it is damaged.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: Name,
    pub(crate) found: std::result::Result<Found, Option<Error>>,
}

/// A root, and the documents below it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) root: Descriptor,
    pub(crate) node: Node,
}

impl Input {
    /// Whether it lists images, and has none of what they lead to.
    pub(crate) fn is_hollow(&self) -> bool {
        let hollow = |listed: &Listed| match &listed.found {
            Ok(found) => {
                let mut images = 0;
                reach(&found.node, &mut |descriptor| {
                    images += usize::from(descriptor.media_type.is_manifest());
                });
                images == 0
            }
            Err(_) => false,
        };
        !self.listed.is_empty() && self.listed.iter().all(hollow)
    }

    /// What `archive` lists, with the documents of it all.
    pub(crate) fn of(
        mut archive: Archive,
        platform: Option<Platform>,
        is_destination: bool,
    ) -> Self {
        let damaged = std::mem::take(&mut archive.damaged).into_iter();
        let damaged = damaged.map(|(name, error)| Listed {
            name,
            found: Err(Some(error)),
        });
        let mut documents = Loader::new(&archive);
        let sound = archive.roots.iter().map(|root| Listed {
            name: root.name.clone(),
            found: match documents.load(&root.descriptor) {
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
            archive.label,
            archive.flavour.name(),
            listed.len()
        );
        Self {
            origin: Arc::new(Origin::of(&archive, platform, is_destination)),
            archive,
            listed,
        }
    }

    /// What it lists, as far as it is sound.
    pub(crate) fn roots(&self) -> impl Iterator<Item = Digest> {
        let found = self
            .listed
            .iter()
            .filter_map(|listed| listed.found.as_ref().ok());
        found.map(|found| found.root.digest)
    }

    /// What its images run on, as far as they say.
    pub(crate) fn platforms(&self) -> BTreeSet<Platform> {
        let found = self
            .listed
            .iter()
            .filter_map(|listed| listed.found.as_ref().ok());
        let flattened =
            found.filter_map(|found| flatten(&found.node, &found.root, &self.origin).ok());
        flattened
            .flat_map(|flattened| flattened.variants)
            .filter_map(|variant| variant.platform)
            .collect()
    }
}

/// A source of a run, or its destination as it was, and which inputs are in it.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its archives are inputs now.
    pub(crate) source: Source,
    /// The number of its first input; the others follow.
    pub(crate) first: usize,
    /// How many.
    pub(crate) inputs: usize,
}

impl Opened {
    /// The numbers of its inputs.
    pub(crate) fn numbers(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.inputs
    }
}

/// Opens a source, or the destination; its inputs are numbered by whoever lists them all. `spares`:
/// files in it that are damaged are left out.
pub(crate) fn open(
    location: &Location,
    keep: &Keep,
    spares: bool,
    platform: Option<&Platform>,
    is_destination: bool,
    client: Option<&Client>,
    progress: &Progress,
) -> Result<(Opened, Vec<Input>)> {
    let mut source = Source::open_sparing(location, keep, spares, client, progress)?;
    source.sound()?;
    let archives = std::mem::take(&mut source.archives);
    let inputs: Vec<Input> = archives
        .into_iter()
        .map(|archive| Input::of(archive, platform.cloned(), is_destination))
        .collect();
    let opened = Opened {
        source,
        first: 0,
        inputs: inputs.len(),
    };
    Ok((opened, inputs))
}
