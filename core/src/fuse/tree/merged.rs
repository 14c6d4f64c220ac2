//! One thing of the result, of the parts that are one thing.

use std::collections::BTreeSet;

use super::shape::{is_source, sole_bundle};
use super::{Branch, Bundle, Found, Group, Kind, Leaf, Merge, Part, Slot, Taken};
use crate::error::Result;
use crate::oci::Compression;

impl<'a> Merge<'a> {
    /// What becomes of `parts`, which are one thing: usually one leaf, more for files that differ
    /// and for what lies there unpacked.
    pub(super) fn merged(
        &mut self,
        name: &str,
        parts: &[Part<'a>],
        taken: &Taken<'a>,
    ) -> Result<Vec<Group>> {
        let Some(first) = parts.first() else {
            return Ok(Vec::new());
        };
        let one = |leaf: Leaf| vec![(name.to_owned(), vec![(name.to_owned(), leaf)])];
        let bundles: Vec<(Part<'a>, &'a Bundle)> = (parts.iter())
            .filter_map(|part| match &part.item.kind {
                Kind::Bundle(bundle) => Some((*part, &**bundle)),
                Kind::Nested { level, .. } => {
                    sole_bundle(level).map(|(level, bundle)| (Part { level, ..*part }, bundle))
                }
                _ => None,
            })
            .collect();
        if !bundles.is_empty() {
            let mut branch = Branch::default();
            return Ok(match &first.item.kind {
                Kind::Nested {
                    mode, compression, ..
                } => {
                    self.bundle(&bundles, name, "", &mut branch)?;
                    one(Leaf::Container {
                        branch,
                        mode: *mode,
                        compression: *compression,
                    })
                }
                _ if is_source(first.item) => {
                    self.bundle(&bundles, name, "", &mut branch)?;
                    one(Leaf::Container {
                        branch,
                        mode: 0o644,
                        compression: Compression::None,
                    })
                }
                _ => {
                    self.bundle(&bundles, name, name, &mut branch)?;
                    vec![(name.to_owned(), branch.0)]
                }
            });
        }
        if let Kind::Directory(mode) = &first.item.kind
            && parts
                .iter()
                .all(|part| matches!(part.item.kind, Kind::Directory(_)))
        {
            return Ok(one(Leaf::Directory(*mode)));
        }
        match &first.item.kind {
            Kind::Directory(_) | Kind::Link(_) | Kind::File(_) => self.files(name, parts, taken),
            Kind::Images(_) => {
                let inputs = parts.iter().filter_map(|part| match part.item.kind {
                    Kind::Images(at) => Some(self.opened[part.source].first + at),
                    _ => None,
                });
                let slot = self.tree.slots.len();
                let inputs = inputs.collect();
                self.tree.slots.push(Slot { inputs });
                Ok(one(match is_source(first.item) && !name.is_empty() {
                    true => Leaf::Archive {
                        slot,
                        mode: 0o644,
                        compression: self.opened[first.source].source.compression,
                    },
                    false => Leaf::Unpacked(slot),
                }))
            }
            Kind::Nested {
                mode, compression, ..
            } => {
                let levels: Vec<(Found<'a>, &str)> = (parts.iter())
                    .filter_map(|part| match &part.item.kind {
                        Kind::Nested { level, .. } => Some((
                            Found {
                                source: part.source,
                                level,
                            },
                            "",
                        )),
                        _ => None,
                    })
                    .collect();
                let (mode, compression) = (*mode, *compression);
                Ok(one(match self.archive(&levels) {
                    Some(slot) => Leaf::Archive {
                        slot,
                        mode,
                        compression,
                    },
                    None => {
                        let levels: Vec<Found<'a>> =
                            levels.into_iter().map(|(found, _)| found).collect();
                        Leaf::Container {
                            branch: self.package(&levels)?,
                            mode,
                            compression,
                        }
                    }
                }))
            }
            Kind::Bundle(_) => Ok(Vec::new()),
        }
    }

    /// The archive that all of `levels` go into, if they are archives and nothing else.
    pub(super) fn archive(&mut self, levels: &[(Found<'a>, &str)]) -> Option<usize> {
        let inputs: Option<BTreeSet<usize>> = (levels.iter())
            .map(|(found, _)| Some(self.opened[found.source].first + found.level.only_images()?))
            .collect();
        let inputs = inputs?;
        self.tree.slots.push(Slot { inputs });
        Some(self.tree.slots.len() - 1)
    }
}
