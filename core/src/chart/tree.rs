//! A chart with the charts in it, and which of their values counts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::metadata::Metadata;
use super::{CHART_YAML, Chart, Files, VALUES, archive, document};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::yaml::{Document, Node};

/// Where subcharts lie in a chart.
const SUBCHARTS: &str = "charts/";
/// What all charts of a tree see.
const GLOBAL: &str = "global";

/// A chart in a tree of charts, the root of which is one of its own.
#[derive(Debug)]
pub(super) struct Branch<'a> {
    names: Names,
    /// Its `values.yaml` for messages, from the root of the tree.
    pub(super) file: String,
    pub(super) values: Document,
    pub(super) place: Lies<'a>,
    pub(super) subcharts: Vec<Self>,
}

/// What the values of a chart are called in those of the chart above it.
#[derive(Debug, Clone, Default)]
struct Names {
    name: String,
    aliases: Vec<String>,
    /// Some dependency on it has no alias, so that its name counts.
    plain: bool,
}

impl Names {
    fn of(name: &str, above: &Metadata) -> Self {
        let same = above.dependencies.iter().filter(|known| known.name == name);
        let aliases: Vec<_> = same.map(|known| known.alias.clone()).collect();
        Self {
            name: name.to_owned(),
            plain: aliases.is_empty() || aliases.contains(&None),
            aliases: aliases.into_iter().flatten().collect(),
        }
    }

    /// Whether `name` means it: hints call it by name where values go by an alias.
    fn has(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// The name by which Helm finds the values that `name` means.
    fn binding<'n>(&'n self, name: &'n str) -> &'n str {
        match self.aliases.first() {
            Some(alias) if name == self.name && !self.plain => alias,
            _ => name,
        }
    }

    fn all(&self) -> impl Iterator<Item = String> {
        let name = self.plain.then(|| self.name.clone());
        self.aliases.iter().cloned().chain(name)
    }
}

/// Where the files of a chart are.
#[derive(Debug, Clone)]
pub(super) enum Lies<'a> {
    /// Below this folder among the files of the chart above it.
    Folder(String),
    /// In an archive, which is this file there.
    Archive {
        member: String,
        root: String,
        files: Cow<'a, Files>,
    },
}

/// A chart of a tree: the numbers of the subcharts that lead to it.
pub(super) type Way = Vec<usize>;

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found<'t> {
    pub(super) node: Node<'t>,
    pub(super) at: Spot,
    /// Where a value would stand that takes its place: in the outermost chart that has something
    /// to say of that subchart.
    pub(super) target: Spot,
}

/// A key in the values of a chart of a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) way: Way,
    pub(super) path: Vec<String>,
}

impl Chart {
    /// The chart with those in it.
    pub(super) fn tree(&self) -> Result<Branch<'_>> {
        let mut left = limits::MAX_CHART;
        let mut reading = Reading {
            within: &self.within,
            left: &mut left,
        };
        let place = Lies::Folder(String::new());
        reading.branch(&self.files, "", "", place, Names::default(), 0)
    }
}

struct Reading<'r> {
    within: &'r str,
    left: &'r mut u64,
}

impl Reading<'_> {
    /// The chart below `folder` of `files`, which messages call by names that begin with `shown`.
    fn branch<'a>(
        &mut self,
        files: &Files,
        folder: &str,
        shown: &str,
        place: Lies<'a>,
        names: Names,
        depth: usize,
    ) -> Result<Branch<'a>> {
        let file = format!("{shown}{folder}{VALUES}");
        let called = format!("{}{file}", self.within);
        if depth > limits::MAX_NESTING {
            let message = format!("charts nested deeper than {}", limits::MAX_NESTING);
            return Err(Error::new(ErrorKind::LimitExceeded, message).member(called));
        }
        let values = match files.get(&format!("{folder}{VALUES}")) {
            Some(bytes) => document(bytes, &called)?,
            None => {
                Document::parse("").map_err(|problem| problem.into_error(ErrorKind::Internal))?
            }
        };
        if values.root().entries().is_none() && !values.root().is_null() {
            let root = values.root();
            let message = format!("line {}: {}, no values", root.line(), root.kind_name());
            return Err(Error::new(ErrorKind::InvalidArchive, message).member(called));
        }
        let within = format!("{}{shown}", self.within);
        let metadata = Metadata::read(files, folder, &within)?;
        let mut subcharts = Vec::new();
        let below = format!("{folder}{SUBCHARTS}");
        let mut seen = BTreeSet::new();
        let inside = files.range(below.clone()..);
        for (name, bytes) in inside.take_while(|(name, _)| name.starts_with(&below)) {
            let rest = name.strip_prefix(&below).unwrap_or_default();
            if rest.starts_with(['.', '_']) {
                continue;
            }
            let sub = match rest.split_once('/') {
                Some((sub, _)) if seen.insert(sub) => {
                    let folder = format!("{below}{sub}/");
                    if !files.contains_key(&format!("{folder}{CHART_YAML}")) {
                        continue;
                    }
                    let called = Metadata::read(files, &folder, &within)?.name;
                    let names = Names::of(&called, &metadata);
                    let place = Lies::Folder(folder.clone());
                    self.branch(files, &folder, shown, place, names, depth + 1)?
                }
                None if name.ends_with(".tgz") => {
                    let shown = format!("{shown}{name} › ");
                    let outer = format!("{}{shown}", self.within);
                    let unpacked = archive::unpack(bytes, *self.left)
                        .map_err(|error| error.within(&outer, 0))?;
                    let size = |content: &Vec<u8>| content.len() as u64;
                    *self.left -= unpacked
                        .files
                        .values()
                        .map(size)
                        .sum::<u64>()
                        .min(*self.left);
                    let called = Metadata::read(&unpacked.files, "", &outer)?.name;
                    let names = Names::of(&called, &metadata);
                    let empty = Lies::Folder(String::new());
                    let files = &unpacked.files;
                    let mut sub = self.branch(files, "", &shown, empty, names, depth + 1)?;
                    sub.place = Lies::Archive {
                        member: name.clone(),
                        root: unpacked.root,
                        files: Cow::Owned(unpacked.files),
                    };
                    sub
                }
                _ => continue,
            };
            subcharts.push(sub);
        }
        Ok(Branch {
            names,
            file,
            values,
            place,
            subcharts,
        })
    }
}

impl Branch<'_> {
    /// The chart to which `way` leads.
    pub(super) fn at(&self, way: &[usize]) -> Option<&Self> {
        way.iter()
            .try_fold(self, |branch, at| branch.subcharts.get(*at))
    }

    /// What stands at `path` once all values are laid over each other: those of the outer chart
    /// over those of its subcharts, the outer `global` over all. What is there without a value
    /// counts if nothing else does.
    pub(super) fn find(&self, path: &[&str]) -> Option<Found<'_>> {
        let mut search = Search {
            outer: Vec::new(),
            nothing: None,
        };
        let found = search.find(self, &mut Vec::new(), path, None);
        found.or(search.nothing)
    }

    /// The key nearest to `path`, of those that there are.
    pub(super) fn nearest(&self, path: &[&str]) -> Option<String> {
        let depth = (1..path.len()).rev();
        let depth = depth.chain([0]).find(|depth| {
            *depth == 0
                || path
                    .get(..*depth)
                    .is_some_and(|path| self.find(path).is_some())
        })?;
        let (above, wanted) = (path.get(..depth)?, path.get(depth)?);
        let keys = self.keys(above);
        let near = keys.iter().min_by_key(|key| distance(key, wanted));
        let close = |key: &&String| distance(key, wanted) <= wanted.chars().count().div_ceil(2);
        let key = near.filter(close).map(String::as_str);
        let parts: Vec<&str> = above.iter().copied().chain(key).collect();
        (!parts.is_empty()).then(|| format!(".{}", parts.join(".")))
    }

    /// `path` as Helm goes by it: with the aliases of subcharts for their names.
    pub(super) fn binding(&self, path: &[String]) -> Vec<String> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        match self.subcharts.iter().find(|sub| sub.names.has(first)) {
            Some(sub) => {
                let first = sub.names.binding(first).to_owned();
                std::iter::once(first).chain(sub.binding(rest)).collect()
            }
            None => path.to_vec(),
        }
    }

    /// The keys at `path`, in whichever values.
    fn keys(&self, path: &[&str]) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        if let Some(entries) = self.values.root().at(path).and_then(Node::entries) {
            keys.extend(entries.filter_map(|(key, _)| key.as_str().map(str::to_owned)));
        }
        match path.split_first() {
            None => keys.extend(self.subcharts.iter().flat_map(|sub| sub.names.all())),
            Some((first, rest)) => {
                for sub in &self.subcharts {
                    if sub.names.has(first) {
                        keys.extend(sub.keys(rest));
                    }
                }
            }
        }
        keys
    }
}

struct Search<'t> {
    /// The values around the chart that is searched, from the outermost.
    outer: Vec<(Way, &'t Document)>,
    /// A key that was there without a value.
    nothing: Option<Found<'t>>,
}

impl<'t> Search<'t> {
    fn find(
        &mut self,
        branch: &'t Branch<'_>,
        way: &mut Way,
        path: &[&str],
        target: Option<Spot>,
    ) -> Option<Found<'t>> {
        if path.first() == Some(&GLOBAL) {
            let outer = self.outer.iter().find_map(|(way, values)| {
                let node = values.root().at(path).filter(|node| !node.is_null())?;
                let at = spot(way, path);
                Some(Found {
                    node,
                    target: at.clone(),
                    at,
                })
            });
            if outer.is_some() {
                return outer;
            }
        }
        if let Some(found) = self.own(branch, way, path, target.as_ref()) {
            return Some(found);
        }
        let (first, rest) = path.split_first()?;
        for (index, sub) in branch.subcharts.iter().enumerate() {
            if rest.is_empty() || !sub.names.has(first) {
                continue;
            }
            let binding: Vec<&str> = [&[sub.names.binding(first)], rest].concat();
            let target = target.clone().or_else(|| {
                let above = branch.values.root().get(binding.first()?);
                let speaks = above.is_some_and(|above| above.entries().is_some());
                speaks.then(|| spot(way, &binding))
            });
            if binding.as_slice() != path
                && let Some(found) = self.own(branch, way, &binding, target.as_ref())
            {
                return Some(found);
            }
            self.outer.push((way.clone(), &branch.values));
            way.push(index);
            let found = self.find(sub, way, rest, target);
            way.pop();
            self.outer.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// What the values of `branch` itself have at `path`.
    fn own(
        &mut self,
        branch: &'t Branch<'_>,
        way: &Way,
        path: &[&str],
        target: Option<&Spot>,
    ) -> Option<Found<'t>> {
        let node = branch.values.root().at(path)?;
        let at = spot(way, path);
        let target = target.cloned().unwrap_or_else(|| at.clone());
        let found = Found { node, at, target };
        if node.is_null() {
            self.nothing.get_or_insert(found);
            return None;
        }
        Some(found)
    }
}

fn spot(way: &Way, path: &[&str]) -> Spot {
    Spot {
        way: way.clone(),
        path: path.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// How many letters differ.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().take(100).enumerate() {
        let mut corner = index;
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
        for at in 0..other.len() {
            let above = row[at + 1];
            let same = usize::from(other[at] != letter);
            row[at + 1] = (corner + same).min(above + 1).min(row[at] + 1);
            corner = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The changes to the values of each chart in a tree.
pub(super) type Edited = BTreeMap<Way, String>;

impl Branch<'_> {
    /// Writes `edited` values into `files`, those of the archive or root that this chart lies in,
    /// packing anew what they lie in; everything else stays.
    pub(super) fn write(&self, way: &mut Way, edited: &Edited, files: &mut Files) -> Result<()> {
        let folder = match &self.place {
            Lies::Folder(folder) => folder.as_str(),
            Lies::Archive { .. } => "",
        };
        if let Some(text) = edited.get(way) {
            files.insert(format!("{folder}{VALUES}"), text.clone().into_bytes());
        }
        for (index, sub) in self.subcharts.iter().enumerate() {
            way.push(index);
            let touched = edited.keys().any(|key| key.starts_with(way));
            match &sub.place {
                _ if !touched => {}
                Lies::Folder(_) => sub.write(way, edited, files)?,
                Lies::Archive {
                    member,
                    root,
                    files: inner,
                } => {
                    let mut inner = inner.clone().into_owned();
                    sub.write(way, edited, &mut inner)?;
                    files.insert(member.clone(), archive::pack(root, &inner)?);
                }
            }
            way.pop();
        }
        Ok(())
    }
}
