//! Finding image archives and bundles in a tree of files, by their content.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Damaged;
use super::bundle::Bundle;
use crate::archive::{self, Archive, Flavour, Found};
use crate::container::{self, Keep, Listed, Member, Members};
use crate::error::{Error, ErrorKind, Result};
use crate::location::Location;
use crate::oci::Compression;
use crate::progress::Progress;

/// One container of a source: what its members are.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) members: Arc<Members>,
    /// In the order of their names.
    pub(crate) items: Vec<Item>,
}

/// A part of a container.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its name in the container; for images and bundles that lie there unpacked, the folder with
    /// its slash, and nothing if they are all there is.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a part of a container is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A directory, with its permission bits.
    Directory(u32),
    /// A symbolic link, with its target as it is spelled.
    Link(String),
    /// A file that fusion has no business with.
    File(Member),
    /// An image archive: this one of the source's.
    Images(usize),
    /// A chart bundle.
    Bundle(Box<Bundle>),
    /// A member that is a container itself and holds images.
    Nested {
        /// Its permission bits.
        mode: u32,
        compression: Compression,
        level: Level,
    },
}

impl Level {
    /// A container that is an image archive, the first of its source.
    pub(super) fn of_images(members: Arc<Members>) -> Self {
        let items = vec![Item {
            name: String::new(),
            kind: Kind::Images(0),
        }];
        Self { members, items }
    }

    /// Whether there is a bundle and nothing else.
    pub(super) fn only_bundle(&self) -> bool {
        matches!(&self.items[..], [Item { name, kind: Kind::Bundle(_) }] if name.is_empty())
    }

    /// Whether there is an image archive or a bundle in it.
    pub(super) fn holds_images(&self) -> bool {
        self.items.iter().any(|item| match &item.kind {
            Kind::Images(_) | Kind::Bundle(_) | Kind::Nested { .. } => true,
            Kind::Directory(_) | Kind::Link(_) | Kind::File(_) => false,
        })
    }

    /// The image archive that this is all of.
    pub(crate) fn only_images(&self) -> Option<usize> {
        match &self.items[..] {
            [
                Item {
                    name,
                    kind: Kind::Images(at),
                },
            ] if name.is_empty() => Some(*at),
            _ => None,
        }
    }

    /// Calls `visit` with every bundle, the members that it is of, and its name among them.
    pub(crate) fn visit_bundles<'a>(
        &'a self,
        visit: &mut dyn FnMut(&'a Members, &str, &'a Bundle),
    ) {
        for item in &self.items {
            match &item.kind {
                Kind::Bundle(bundle) => visit(&self.members, &item.name, bundle),
                Kind::Nested { level, .. } => level.visit_bundles(visit),
                _ => {}
            }
        }
    }
}

/// The walk through one source.
pub(super) struct Walk<'a> {
    pub(super) location: &'a Location,
    pub(super) keep: &'a Keep,
    pub(super) progress: &'a Progress,
    pub(super) archives: Vec<Archive>,
    pub(super) sums: container::Sums,
    /// Whether damaged files are left out, and the others are gone on with.
    pub(super) spares: bool,
    /// Those that were.
    pub(super) damaged: Vec<Damaged>,
}

impl Walk<'_> {
    /// What the members of a container are, `depth` containers down.
    pub(super) fn level(&mut self, members: &Arc<Members>, depth: usize) -> Result<Level> {
        self.progress.check()?;
        let mut level = Level {
            members: Arc::clone(members),
            items: Vec::new(),
        };
        let mut unpacked: Vec<String> = Vec::new();
        for prefix in prefixes(members) {
            if unpacked
                .iter()
                .any(|outer| prefix.starts_with(outer.as_str()))
            {
                continue;
            }
            let kind = if Bundle::is_at(members, &prefix)? {
                Kind::Bundle(Box::new(self.bundle(members, &prefix, depth)?))
            } else if let Some(found) = archive::below(members, &prefix)? {
                self.images(members, found)?
            } else {
                continue;
            };
            let name = prefix.clone();
            unpacked.push(prefix);
            level.items.push(Item { name, kind });
        }
        if let Some(name) = members.escaping.first() {
            let message = "the member's name leads out of the archive";
            return Err(Error::new(ErrorKind::InvalidArchive, message)
                .path(&members.path)
                .member(members.called(name))
                .hint("whatever wrote it is broken or means harm: fetch the package again"));
        }
        if let Some(name) = behind_a_link(members) {
            let message = "the member lies behind a symbolic link";
            return Err(Error::new(ErrorKind::InvalidArchive, message)
                .path(&members.path)
                .member(members.called(name))
                .hint("whatever wrote it is broken or means harm: fetch the package again"));
        }
        let claimed = |level: &Level, archives: &[Archive], name: &str| {
            let unpacked = &level.items[..unpacked.len()];
            unpacked.iter().any(|item| match &item.kind {
                Kind::Images(at) => {
                    item.name.is_empty() && archives[*at].flavour == Flavour::DockerArchive
                        || archives[*at].claims(name)
                }
                _ => name.starts_with(item.name.as_str()),
            })
        };
        let left_out = match self.spares {
            true => {
                let unclaimed = |name| !claimed(&level, &self.archives, name);
                let files = members.files().filter(|(name, _)| unclaimed(name));
                let files: Vec<_> = files.collect();
                self.leave_out_wrong(members, &files)?
            }
            false => BTreeSet::new(),
        };
        for (name, listed) in members.listed() {
            if left_out.contains(name) || claimed(&level, &self.archives, name) {
                continue;
            }
            let kind = match listed {
                Listed::Directory(mode) => Kind::Directory(mode),
                Listed::SymLink(target) => Kind::Link(target.to_owned()),
                Listed::HardLink(member) => Kind::File(member),
                Listed::File(member) => {
                    let nested = |walk: &mut Self| walk.nested(members, member, depth);
                    match self.spared(members, member, nested)? {
                        Some(Some((level, compression))) => Kind::Nested {
                            mode: member.mode,
                            compression,
                            level,
                        },
                        Some(None) => Kind::File(member.clone()),
                        None => continue,
                    }
                }
            };
            let name = name.to_owned();
            level.items.push(Item { name, kind });
        }
        level.items.sort_by(|one, other| one.name.cmp(&other.name));
        self.check_sums(&level)?;
        Ok(level)
    }

    /// Checks what the checksum files of a container list.
    fn check_sums(&mut self, level: &Level) -> Result<()> {
        if self.spares {
            // They were, before what they list was looked into.
            return Ok(());
        }
        let in_place = self.reads_in_place();
        for item in &level.items {
            if let Kind::File(list) = &item.kind {
                let (sums, progress) = (&mut self.sums, self.progress);
                container::check_sums(&level.members, list, in_place, sums, progress)?;
            }
        }
        Ok(())
    }

    /// Whether what can be read in place is read to be summed: who keeps nothing but documents reads
    /// little of what need not be read.
    pub(super) const fn reads_in_place(&self) -> bool {
        !matches!(self.keep, Keep::Documents)
    }

    fn images(&mut self, members: &Arc<Members>, found: Found) -> Result<Kind> {
        let archive = Archive::of(self.location, Arc::clone(members), found, self.progress)?;
        self.archives.push(archive);
        Ok(Kind::Images(self.archives.len() - 1))
    }

    fn bundle(&mut self, members: &Arc<Members>, prefix: &str, depth: usize) -> Result<Bundle> {
        Bundle::read(members, prefix, |images| {
            let nested = self.nested(members, images, depth)?;
            Ok(nested.filter(|(level, _)| level.only_images().is_some()))
        })
    }

    /// The container that `member` is, if there are images in it.
    fn nested(
        &mut self,
        members: &Members,
        member: &Member,
        depth: usize,
    ) -> Result<Option<(Level, Compression)>> {
        let nested = container::nested(members, member, depth, self.keep, self.progress)?;
        let Some((nested, compression)) = nested else {
            return Ok(None);
        };
        let level = self.level(&nested, depth + 1)?;
        Ok(level.holds_images().then_some((level, compression)))
    }
}

/// A member that would be unpacked to wherever a link leads.
fn behind_a_link(members: &Members) -> Option<&str> {
    let links: BTreeSet<&str> = (members.listed())
        .filter_map(|(name, listed)| matches!(listed, Listed::SymLink(_)).then_some(name))
        .collect();
    let behind = |name: &str| {
        let mut folders = name.match_indices('/').map(|(at, _)| &name[..at]);
        folders.any(|folder| links.contains(folder))
    };
    members.names().find(|name| behind(name))
}

/// The folders in which an image archive or a bundle may lie unpacked, the outer ones first.
fn prefixes(members: &Members) -> Vec<String> {
    let mut prefixes = BTreeSet::new();
    for name in members.names() {
        let listing = ["oci-layout", "index.json", "manifest.json"];
        let listing = listing.iter().find_map(|listing| {
            let prefix = name.strip_suffix(listing)?;
            (prefix.is_empty() || prefix.ends_with('/')).then_some(prefix)
        });
        prefixes.extend(
            listing
                .or_else(|| Bundle::prefix_of(name))
                .map(str::to_owned),
        );
    }
    let mut prefixes: Vec<String> = prefixes.into_iter().collect();
    prefixes.sort_by_key(|prefix| (prefix.matches('/').count(), prefix.clone()));
    prefixes
}
