//! The tree of a bundle or package to be: what the sources have in one place becomes one thing.
//!
//! Bundles pair by the name and version of their chart, archives by their path without words for
//! architectures, everything else by its path. The root folders of packages often carry the
//! architecture, and count as one.

pub(crate) mod chart;
mod files;
mod lists;
mod merged;
mod names;
mod shape;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::input::Opened;
use super::open::Everything;
use super::{Format, FuseOptions};
use crate::container::{Member, Members};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Compression;
use crate::package::{Bundle, Chart, Item, Kind, Level};
use crate::report::Warning;
pub(super) use lists::Line;
use lists::Moves;
use names::{beside, without_architecture};
use shape::{folders, is_alone, is_file, is_source, only_folder, sole_bundle};

/// The tree of a result.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) branch: Branch,
    /// The archives in it.
    pub(super) slots: Vec<Slot>,
    /// The files that are copied.
    pub(super) files: Vec<Copied>,
    pub(super) charts: Vec<Placed>,
    pub(super) warnings: Vec<Warning>,
}

/// An image archive of the result: which inputs go into it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) inputs: BTreeSet<usize>,
}

/// A file of a source.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) members: Arc<Members>,
    pub(super) member: Member,
}

/// A chart of the result.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) chart: Chart,
    /// Where its bundle stands.
    pub(super) place: String,
    /// The archive of its images, if it has any.
    pub(super) slot: Option<usize>,
}

/// What stands in one container, in its order.
#[derive(Debug, Default)]
pub(super) struct Branch(pub(super) Vec<(String, Leaf)>);

/// Leaves that stand together, and the name that they are sorted by.
type Group = (String, Vec<(String, Leaf)>);

/// A thing in a container.
#[derive(Debug)]
pub(super) enum Leaf {
    /// With its permission bits.
    Directory(u32),
    /// With its target.
    Link(String),
    /// The file of this number.
    File(usize),
    /// A small file that was made.
    Made(Vec<u8>),
    /// A checksum file of things that stand in the same container, with its permission bits.
    List(Vec<Line>, u32),
    /// The archive of this number, unpacked in a folder.
    Unpacked(usize),
    /// The archive of this number.
    Archive {
        slot: usize,
        mode: u32,
        compression: Compression,
    },
    /// Another container.
    Container {
        branch: Branch,
        mode: u32,
        compression: Compression,
    },
}

/// Merges the trees of all sources.
pub(super) fn merge(opened: &Everything, format: Format, options: &FuseOptions) -> Result<Tree> {
    let mut sources: Vec<(BTreeSet<_>, BTreeSet<_>, &str, usize)> = (opened.sources.iter())
        .enumerate()
        .map(|(at, source)| {
            let inputs = &opened.inputs[source.numbers()];
            let platforms = inputs.iter().flat_map(|input| input.platforms()).collect();
            let roots = inputs.iter().flat_map(|input| input.roots()).collect();
            (
                platforms,
                roots,
                source.source.location.spelled.as_str(),
                at,
            )
        })
        .collect();
    // The file of the first platform keeps its place, whatever the order of the sources; of several
    // sources for the same platforms that of the first content, which means nothing but is always
    // the same.
    sources.sort();
    let sources: Vec<(BTreeSet<_>, usize)> = (sources.into_iter())
        .map(|(platforms, _, _, at)| (platforms, at))
        .collect();
    // An archive by itself has no files that would need a name.
    let with_files: Vec<(BTreeSet<_>, usize)> = (sources.iter())
        .filter(|(_, at)| !is_alone(&opened.sources[*at].source.root))
        .cloned()
        .collect();
    let labels = names::labels(&with_files);
    let mut merge = Merge {
        opened: &opened.sources,
        labels,
        options,
        tree: Tree::default(),
        moves: Moves::default(),
    };
    let levels: Vec<Found<'_>> = (sources.iter())
        .map(|(_, at)| Found {
            source: *at,
            level: &opened.sources[*at].source.root,
        })
        .collect();
    merge.tree.branch = match format {
        Format::Bundle => merge.only_bundle(&levels)?,
        _ => merge.package(&levels)?,
    };
    merge.tree.warnings.sort();
    Ok(merge.tree)
}

/// A container of a source.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    source: usize,
    level: &'a Level,
}

/// A part of a container of a source.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    source: usize,
    level: &'a Level,
    item: &'a Item,
}

/// What parts have in common that are one thing in the result. The number tells apart what one
/// source has several of.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Chart(Chart, usize),
    Images(String, usize),
    Plain(String),
}

/// The names of a container that files have, and which.
type Taken<'a> = BTreeMap<String, Vec<Part<'a>>>;

struct Merge<'a> {
    opened: &'a [Opened],
    /// What stands for each source in a file name, by its number.
    labels: BTreeMap<usize, String>,
    options: &'a FuseOptions,
    tree: Tree,
    /// Of the container that is being merged.
    moves: Moves,
}

impl<'a> Merge<'a> {
    /// The packages' trees, below one root folder if each has just one.
    fn package(&mut self, levels: &[Found<'a>]) -> Result<Branch> {
        // What is an archive or bundle by itself comes to stand in the root folder of the others.
        let roots: Option<Vec<&str>> = levels
            .iter()
            .map(|found| match is_alone(found.level) {
                true => Some(""),
                false => only_folder(found.level),
            })
            .collect();
        let Some(roots) = roots else {
            let stripped = levels.iter().map(|found| (*found, "")).collect::<Vec<_>>();
            return self.branch(&stripped, "");
        };
        let folders: Vec<&str> = (roots.iter().copied())
            .filter(|root| !root.is_empty())
            .collect();
        let root = names::common(&folders);
        let stripped: Vec<(Found<'a>, &str)> = levels.iter().copied().zip(roots).collect();
        self.branch(&stripped, &root)
    }

    /// The one bundle that all sources are.
    fn only_bundle(&mut self, levels: &[Found<'a>]) -> Result<Branch> {
        let mut bundles: Vec<(Part<'a>, &'a Bundle)> = Vec::new();
        for found in levels {
            let source = &self.opened[found.source].source;
            let item = match &found.level.items[..] {
                [
                    item @ Item {
                        kind: Kind::Bundle(_),
                        ..
                    },
                ] => item,
                _ => {
                    let message = "not a chart bundle, which a bundle is made of";
                    return Err(Error::new(ErrorKind::Usage, message)
                        .path(source.location.path())
                        .hint(
                            "name `--format package`, or `--format oci-archive` for the images",
                        ));
                }
            };
            let Kind::Bundle(bundle) = &item.kind else {
                continue;
            };
            let part = Part {
                source: found.source,
                level: found.level,
                item,
            };
            bundles.push((part, bundle));
        }
        if let Some(((_, one), (other, bundle))) = bundles.first().zip(
            bundles
                .iter()
                .find(|(_, bundle)| bundle.chart != bundles[0].1.chart),
        ) {
            let message = format!(
                "a bundle holds one chart, and these are {} {} and {} {}",
                one.chart.name, one.chart.version, bundle.chart.name, bundle.chart.version
            );
            return Err(Error::new(ErrorKind::Conflict, message)
                .path(self.opened[other.source].source.location.path())
                .hint("name `--format oci-archive` to fuse only their images"));
        }
        let mut branch = Branch::default();
        self.bundle(&bundles, "", "", &mut branch)?;
        Ok(branch)
    }

    /// Merges containers; what each has below its prefix comes to stand below `root`.
    fn branch(&mut self, levels: &[(Found<'a>, &str)], root: &str) -> Result<Branch> {
        let mut groups: BTreeMap<Key, Vec<(Part<'a>, String)>> = BTreeMap::new();
        // An archive among packages becomes a file of the result; archives alone are the result.
        let mixed = (levels.iter()).any(|(found, _)| found.level.only_images().is_none());
        for (found, prefix) in levels {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for item in &found.level.items {
                let Some(name) = item.name.strip_prefix(prefix) else {
                    // The root folder itself.
                    continue;
                };
                let mut number = |key: String| {
                    let count = counts.entry(key).or_default();
                    *count += 1;
                    *count
                };
                let key = match &item.kind {
                    Kind::Directory(_) | Kind::Link(_) | Kind::File(_) => {
                        Key::Plain(name.to_owned())
                    }
                    Kind::Bundle(bundle) => chart_key(bundle, &mut number),
                    Kind::Nested { level, .. } => match sole_bundle(level) {
                        Some((_, bundle)) => chart_key(bundle, &mut number),
                        None => images_key(name, &mut number),
                    },
                    Kind::Images(_) if is_source(item) && mixed => {
                        images_key(&self.file_name(found.source), &mut number)
                    }
                    Kind::Images(_) => images_key(name, &mut number),
                };
                let name = match &item.kind {
                    Kind::Images(_) if is_source(item) && mixed => self.file_name(found.source),
                    _ => name.to_owned(),
                };
                let part = Part {
                    source: found.source,
                    level: found.level,
                    item,
                };
                groups.entry(key).or_default().push((part, name));
            }
        }
        let around = std::mem::take(&mut self.moves);
        let mut placed: BTreeMap<String, Vec<(String, Leaf)>> = BTreeMap::new();
        if !root.is_empty() {
            let name = root.trim_end_matches('/').to_owned();
            placed.insert(name.clone(), vec![(name, Leaf::Directory(0o755))]);
        }
        let folders = folders(levels);
        let taken: Taken<'a> = (groups.iter())
            .filter_map(|(key, parts)| match key {
                Key::Plain(name) => Some((name, parts)),
                Key::Chart(..) | Key::Images(..) => None,
            })
            .map(|(name, parts)| {
                let parts = parts.iter().map(|(part, _)| *part).collect();
                (format!("{root}{name}"), parts)
            })
            .collect();
        // Checksum files come last: what they list has its place by then.
        let (lists, groups): (Vec<_>, Vec<_>) = (groups.into_iter())
            .partition(|(_, parts)| parts.iter().all(|(part, _)| lists::is_list(part)));
        let mut lists = Some(lists);
        let mut left: VecDeque<_> = groups.into();
        loop {
            let Some((key, parts)) = left.pop_front() else {
                let Some(lists) = lists.take() else { break };
                for (key, parts) in &lists {
                    if let Key::Plain(name) = key {
                        let parts = parts.iter().map(|(part, _)| part);
                        self.renew(&format!("{root}{name}"), parts, &placed)?;
                    }
                }
                left.extend(lists);
                continue;
            };
            let names = parts.iter().map(|(_, name)| name.as_str());
            let names: Vec<&str> = match &key {
                // A bundle that is a source of its own has no name in it.
                Key::Chart(..) => names.filter(|name| !name.is_empty()).collect(),
                Key::Images(..) | Key::Plain(_) => names.collect(),
            };
            let name = match &key {
                Key::Chart(chart, _) if parts.iter().all(|(part, _)| is_source(part.item)) => {
                    format!("{}_{}.bundle.tar", chart.name, chart.version)
                }
                _ => names::common(&names),
            };
            let in_the_way = |part: &Part<'_>| is_file(part.item) && folders.contains(&name);
            let (files, parts): (Vec<_>, Vec<_>) = (parts.into_iter())
                .map(|(part, _)| part)
                .partition(in_the_way);
            let name = format!("{root}{name}");
            for (parts, give_way) in [(parts, false), (files, true)] {
                let Some(first) = parts.first() else {
                    continue;
                };
                let mut name = name.clone();
                if give_way || placed.contains_key(&name) {
                    name = beside(&name, self.label(first));
                }
                if give_way {
                    self.gives_way(first, &name)?;
                }
                let groups = self.merged(&name, &parts, &taken)?;
                self.moves.note(&name, &parts, &groups);
                placed.extend(groups);
            }
        }
        self.moves = around;
        Ok(Branch(placed.into_values().flatten().collect()))
    }

    /// What an image archive that is a source by itself is called as a part of a package.
    fn file_name(&self, source: usize) -> String {
        let path = &self.opened[source].source.location.path;
        let name = path.file_name().and_then(|name| name.to_str());
        match name {
            Some(name) if !path.is_dir() && name != "-" => name.to_owned(),
            Some(name) if path.is_dir() => format!("{name}.tar"),
            _ => "images.tar".to_owned(),
        }
    }

    fn warn(&mut self, code: &'static str, message: String) {
        self.tree.warnings.push(Warning {
            reference: None,
            code,
            message,
        });
    }
}

fn chart_key(bundle: &Bundle, number: &mut dyn FnMut(String) -> usize) -> Key {
    let chart = bundle.chart.clone();
    let number = number(format!("{} {}", chart.name, chart.version));
    Key::Chart(chart, number)
}

fn images_key(name: &str, number: &mut dyn FnMut(String) -> usize) -> Key {
    let name = without_architecture(name);
    let number = number(name.clone());
    Key::Images(name, number)
}
