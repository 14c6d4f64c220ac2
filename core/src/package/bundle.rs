//! Chart bundles, as relok8s and charts-syncer write them: `hints.yaml`, the chart below
//! `original-chart/`, its images in `images.tar`.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use serde::Deserialize;

use super::walk::Level;
use crate::archive;
use crate::container::{Listed, Member, Members};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::Compression;
use crate::tar::{EntryKind, TarStream};

/// The folder of a bundle in which its chart lies.
pub(crate) const CHART: &str = "original-chart/";
const CHART_YAML: &str = "original-chart/Chart.yaml";
pub(crate) const HINTS: &str = "hints.yaml";
const IMAGES: &str = "images.tar";

/// Which chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chart {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A chart bundle.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) chart: Chart,
    /// `hints.yaml` and the files of the chart, by their names in the bundle.
    pub(crate) files: BTreeMap<String, Member>,
    /// What it has besides these, which no bundle needs.
    pub(crate) others: BTreeMap<String, Member>,
    /// Its images, if it has any.
    pub(crate) images: Option<Images>,
}

/// The `images.tar` of a bundle.
#[derive(Debug)]
pub(crate) struct Images {
    pub(crate) name: String,
    pub(crate) compression: Compression,
    pub(crate) level: Level,
}

/// The part of `Chart.yaml` that says which chart it is.
#[derive(Debug, Deserialize)]
struct ChartYaml {
    name: Option<String>,
    version: Option<String>,
}

impl Bundle {
    /// Whether a bundle lies below `prefix`: it has a chart, or hints to its images.
    pub(super) fn is_at(members: &Members, prefix: &str) -> Result<bool> {
        let has = |name: &str| {
            let found = members.find(&format!("{prefix}{name}"));
            found.map(|found| found.is_some())
        };
        Ok(has(CHART_YAML)? || (has(HINTS)? && has(IMAGES)?))
    }

    /// The prefix of the bundle that a member of this name is a part of, if its name tells.
    pub(super) fn prefix_of(name: &str) -> Option<&str> {
        let prefix = name
            .strip_suffix(CHART_YAML)
            .or_else(|| name.strip_suffix(HINTS))?;
        // `hints.yaml` of a chart, `x-hints.yaml`.
        (prefix.is_empty() || prefix.ends_with('/')).then_some(prefix)
    }

    /// The bundle below `prefix`, but for its images, which `images` opens.
    pub(super) fn read(
        members: &Members,
        prefix: &str,
        images: impl FnOnce(&Member) -> Result<Option<(Level, Compression)>>,
    ) -> Result<Self> {
        let chart = chart(members, prefix)?;
        let mut bundle = Self {
            chart,
            files: BTreeMap::new(),
            others: BTreeMap::new(),
            images: None,
        };
        for (name, listed) in members.listed() {
            let Some(name) = name.strip_prefix(prefix) else {
                continue;
            };
            let member = match listed {
                Listed::File(member) => member.clone(),
                Listed::HardLink(member) => member,
                Listed::SymLink(_) => match members.find(&format!("{prefix}{name}"))? {
                    Some(member) => member,
                    None => continue,
                },
                Listed::Directory(_) => continue,
            };
            if name == HINTS || name.starts_with(CHART) {
                bundle.files.insert(name.to_owned(), member);
            } else if name != IMAGES {
                bundle.others.insert(name.to_owned(), member);
            }
        }
        if let Some(member) = members.find(&format!("{prefix}{IMAGES}"))? {
            let blame = |error| members.place(&member).blame(error);
            let Some((level, compression)) = images(&member)? else {
                if archive::lists_nothing(members, &member)? {
                    bundle.others.insert(IMAGES.to_owned(), member);
                    return Ok(bundle);
                }
                return Err(blame(
                    Error::new(ErrorKind::InvalidArchive, "it holds no images")
                        .hint("the bundle is damaged: fetch or make it again"),
                ));
            };
            bundle.images = Some(Images {
                name: IMAGES.to_owned(),
                compression,
                level,
            });
        }
        Ok(bundle)
    }
}

/// The chart of the bundle that comes out of `input`, if that much of it can be read; whatever is
/// wrong with it.
pub(super) fn chart_in(input: impl Read) -> Option<Chart> {
    let mut stream = TarStream::new(BufReader::new(input));
    while let Ok(Some(entry)) = stream.next() {
        let is_chart = Bundle::prefix_of(&entry.name).is_some() && entry.name.ends_with(CHART_YAML);
        if is_chart && entry.kind == EntryKind::File && entry.size <= limits::MAX_JSON {
            let mut text = String::new();
            stream.read_to_string(&mut text).ok()?;
            let yaml: ChartYaml = serde_saphyr::from_str(&text).ok()?;
            return yaml
                .name
                .zip(yaml.version)
                .map(|(name, version)| Chart { name, version });
        }
    }
    None
}

fn chart(members: &Members, prefix: &str) -> Result<Chart> {
    let name = format!("{prefix}{CHART_YAML}");
    let Some(member) = members.find(&name)? else {
        let message = "a chart bundle without `Chart.yaml`";
        return Err(Error::new(ErrorKind::InvalidArchive, message)
            .path(&members.path)
            .member(members.called(&name))
            .hint("the bundle is incomplete: fetch or make it again"));
    };
    let blame = |error| members.place(&member).blame(error);
    let invalid = |why: String| {
        blame(
            Error::new(ErrorKind::InvalidArchive, why)
                .hint("the chart is damaged: fetch or make the bundle again"),
        )
    };
    let bytes = members.document(&member, limits::MAX_JSON)?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    let yaml: ChartYaml = serde_saphyr::from_str(&text)
        .map_err(|error| invalid(format!("not a chart's YAML: {error}")))?;
    match (yaml.name, yaml.version) {
        (Some(name), Some(version)) if !name.is_empty() && !version.is_empty() => {
            Ok(Chart { name, version })
        }
        (Some(name), _) if !name.is_empty() => {
            Err(invalid(format!("the chart `{name}` states no version")))
        }
        _ => Err(invalid("the chart states no name".to_owned())),
    }
}
