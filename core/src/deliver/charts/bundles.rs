//! The charts of the sources: each once, with all the archives of its images.

use std::collections::{BTreeMap, BTreeSet};

use super::Choice;
use crate::chart::{Chart, Hinted, Hints, version};
use crate::container::Members;
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::input::Opened;
use crate::fuse::tree::chart::{differences, list};
use crate::fuse::{FuseOptions, OnConflict};
use crate::limits;
use crate::package::{Bundle, CHART, HINTS};

/// A chart of the sources.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) name: String,
    pub(super) version: String,
    /// Where it was found, for people.
    pub(super) place: String,
    /// Where all its bundles are.
    pub(super) places: Vec<String>,
    /// The inputs that hold its images.
    pub(super) inputs: BTreeSet<usize>,
    /// Whether its images are taken along.
    pub(super) with_images: bool,
    held: Held<'a>,
}

/// A chart that was read.
pub(super) struct Loaded {
    pub(super) chart: Chart,
    /// The hints to its images: those of the bundle, else its own.
    pub(super) hints: Option<Hints>,
    /// Whether all its files are there: a plan keeps no more of a stream than it needs.
    pub(super) whole: bool,
}

/// A bundle, and the members that it is of.
type Held<'a> = (&'a Members, &'a Bundle);

/// A bundle that was found: in which source, where, and which input holds its images.
struct Seen<'a> {
    source: usize,
    place: String,
    held: Held<'a>,
    input: Option<usize>,
}

/// The charts of `sources` that `choice` takes, sorted by name, then version as text. Bundles of one
/// chart have to hold the same chart, unless a policy decides.
pub(super) fn read<'a>(
    sources: &'a [Opened],
    choice: &Choice<'_>,
    options: &FuseOptions,
) -> Result<Vec<Found<'a>>> {
    let mut seen: BTreeMap<(String, String), Vec<Seen<'a>>> = BTreeMap::new();
    for (at, opened) in sources.iter().enumerate() {
        let location = &opened.source.location;
        opened
            .source
            .root
            .visit_bundles(&mut |members, name, bundle| {
                let images = bundle.images.as_ref();
                let input = images.and_then(|images| images.level.only_images());
                let chart = (bundle.chart.name.clone(), bundle.chart.version.clone());
                seen.entry(chart).or_default().push(Seen {
                    source: at,
                    place: members.label(location, name),
                    held: (members, bundle),
                    input: input.map(|input| opened.first + input),
                });
            });
    }
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    for (name, version) in seen.keys() {
        let known = latest
            .entry(name.clone())
            .or_insert_with(|| version.clone());
        if version::compare(version, known).is_gt() {
            known.clone_from(version);
        }
    }
    choice.complete(seen.keys())?;
    let mut charts = Vec::new();
    for ((name, version), bundles) in seen {
        let Some(with_images) = choice.takes(&name, &version)? else {
            continue;
        };
        if choice.latest_only() && latest.get(&name) != Some(&version) {
            continue;
        }
        let kept = kept(&bundles, options)?;
        charts.push(Found {
            place: kept.place.clone(),
            places: bundles.iter().map(|bundle| bundle.place.clone()).collect(),
            held: kept.held,
            inputs: bundles.iter().filter_map(|bundle| bundle.input).collect(),
            with_images,
            name,
            version,
        });
    }
    Ok(charts)
}

/// Whose chart it is, if all have the same or a policy decides.
fn kept<'a, 's>(bundles: &'s [Seen<'a>], options: &FuseOptions) -> Result<&'s Seen<'a>> {
    let internal = || Error::new(ErrorKind::Internal, "a chart without a bundle");
    let (first, rest) = bundles.split_first().ok_or_else(internal)?;
    for other in rest {
        let differences = differences(first.held, other.held)?;
        if differences.is_empty() {
            continue;
        }
        let by_source = |bundle: &&Seen<'a>| bundle.source;
        let chosen = match options.on_conflict {
            OnConflict::First => bundles.iter().min_by_key(by_source),
            OnConflict::Last => bundles.iter().max_by_key(by_source),
            OnConflict::Error => {
                let chart = &first.held.1.chart;
                let message = format!(
                    "the chart {} {} differs between `{}` and `{}`: {}",
                    chart.name,
                    chart.version,
                    first.place,
                    other.place,
                    list(&differences)
                );
                return Err(Error::new(ErrorKind::Conflict, message).hint(
                    "decide with `--on-conflict first` or `last`, or take bundles of one release",
                ));
            }
        };
        return chosen.ok_or_else(internal);
    }
    Ok(first)
}

impl Found<'_> {
    /// The chart, read.
    pub(super) fn load(&self) -> Result<Loaded> {
        let (members, bundle) = self.held;
        let mut files = BTreeMap::new();
        let mut whole = true;
        let mut size = 0;
        for (name, member) in &bundle.files {
            let Some(name) = name.strip_prefix(CHART) else {
                continue;
            };
            size += member.size;
            if size > limits::MAX_CHART {
                let message = format!(
                    "the chart has more than {} bytes of files",
                    limits::MAX_CHART
                );
                return Err(members
                    .place(member)
                    .blame(Error::new(ErrorKind::LimitExceeded, message)));
            }
            if !members.is_at_hand(member) {
                whole = false;
                continue;
            }
            let bytes = members.document(member, limits::MAX_CHART)?;
            files.insert(name.to_owned(), bytes);
        }
        let chart = Chart::from_files(files, &format!("{} › {CHART}", self.place))?;
        let hints = match bundle.files.get(HINTS) {
            Some(member) => {
                let bytes = members.document(member, limits::MAX_JSON)?;
                let text = String::from_utf8(bytes).map_err(|_| {
                    let message = "hints that are not UTF-8";
                    members
                        .place(member)
                        .blame(Error::new(ErrorKind::InvalidArchive, message))
                })?;
                Some(Hints::parse(&text, &format!("{} › {HINTS}", self.place))?)
            }
            None => chart.own_hints().transpose()?,
        };
        Ok(Loaded {
            hints: hints.filter(|hints| !hints.is_empty()),
            chart,
            whole,
        })
    }

    /// The images that its hints name, as its values have them.
    pub(super) fn images(&self) -> Result<Vec<Hinted>> {
        let loaded = self.load()?;
        match loaded.hints {
            Some(hints) => hints.images(&loaded.chart),
            None => Ok(Vec::new()),
        }
    }

    /// What it is called where only one name is told.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}
