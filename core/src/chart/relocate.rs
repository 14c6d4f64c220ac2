//! A chart whose images are elsewhere.

use std::collections::BTreeMap;

use super::hints::{Hinted, Hints};
use super::tree::{Branch, Edited, Spot};
use super::{CHART_YAML, Chart, Files, REQUIREMENTS, document};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Digest;
use crate::yaml::Node;

/// What locks the versions of dependencies, by what they are at their repositories.
const LOCKS: [&str; 2] = ["Chart.lock", "requirements.lock"];

/// Where an image is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// With its port, and a path where the origin is appended.
    pub(crate) registry: String,
    pub(crate) repository: String,
    /// What a hint's digest is to say.
    pub(crate) digest: Option<Digest>,
}

/// A chart with its changes.
#[derive(Debug, Clone)]
pub(crate) struct Relocated {
    pub(crate) chart: Chart,
    pub(crate) changes: Vec<Change>,
}

/// A value that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) file: String,
    pub(crate) key: String,
    /// None if it was not there.
    pub(crate) old: Option<String>,
    pub(crate) new: String,
}

/// What a value is to say, and the hint that wants it.
struct Claim<'h> {
    old: String,
    new: String,
    hint: &'h str,
}

impl Hints {
    /// The images that the hints name with the values of `chart`.
    pub(crate) fn images(&self, chart: &Chart) -> Result<Vec<Hinted>> {
        self.each(chart)?.into_iter().collect()
    }

    /// The same one by one: what one hint names, or what is wrong with it.
    pub(crate) fn each(&self, chart: &Chart) -> Result<Vec<Result<Hinted>>> {
        let tree = chart.tree()?;
        let each = self.hints.iter().map(|hint| {
            let rendered = hint.rendered_by(&tree);
            let rendered = rendered.map_err(|wrong| hint.error(&self.place, &wrong));
            rendered.map(|(rendered, _)| rendered.hinted)
        });
        Ok(each.collect())
    }
}

impl Chart {
    /// The chart with the images of `hints` at the places that `to` says, or where they are if it
    /// says none. Dependencies lose their repositories, and are locked no longer: they are in the
    /// chart, and where it goes nobody reaches the repositories.
    pub(crate) fn relocated(
        &self,
        hints: &Hints,
        to: &mut dyn FnMut(&Hinted) -> Result<Option<Place>>,
    ) -> Result<Relocated> {
        let tree = self.tree()?;
        let mut claims: BTreeMap<Spot, Claim<'_>> = BTreeMap::new();
        for hint in &hints.hints {
            let blame = |wrong: String| hint.error(&hints.place, &wrong);
            let (rendered, found) = hint.rendered_by(&tree).map_err(blame)?;
            let moved = match to(&rendered.hinted)? {
                Some(place) => hint.moved(&rendered.texts, &place).map_err(|wrong| {
                    blame(wrong)
                        .with_kind(ErrorKind::Unsupported)
                        .hint("keep the names of repositories: prefix them instead")
                })?,
                None => rendered.texts.clone(),
            };
            for ((found, old), new) in found.into_iter().zip(rendered.texts).zip(moved) {
                let hint = hint.text.as_str();
                let key = found.at.path.join(".");
                let claim = claims.entry(found.target).or_insert_with(|| Claim {
                    old,
                    new: new.clone(),
                    hint,
                });
                if claim.new != new {
                    let message = format!(
                        "`.{key}` would have to be both `{}` for `{}` and `{new}` for `{hint}`",
                        claim.new, claim.hint
                    );
                    return Err(Error::new(ErrorKind::Conflict, message)
                        .member(hints.place.as_str())
                        .hint("its images share that value: move all of them to one place"));
                }
            }
        }
        claims.retain(|_, claim| claim.old != claim.new);
        let (edited, mut changes) = self.edited(&tree, &claims)?;
        let mut files = self.files.clone();
        tree.write(&mut Vec::new(), &edited, &mut files)?;
        for name in [CHART_YAML, REQUIREMENTS] {
            self.forget_repositories(name, &mut files, &mut changes)?;
        }
        for name in LOCKS {
            files.remove(name);
        }
        Ok(Relocated {
            chart: self.with_files(files)?,
            changes,
        })
    }

    /// The values of those charts that have claims, with what is claimed.
    fn edited(
        &self,
        tree: &Branch<'_>,
        claims: &BTreeMap<Spot, Claim<'_>>,
    ) -> Result<(Edited, Vec<Change>)> {
        let (mut edited, mut changes) = (Edited::new(), Vec::new());
        let mut ways: Vec<_> = claims.keys().map(|spot| &spot.way).collect();
        ways.dedup();
        for way in ways {
            let Some(branch) = tree.at(way) else {
                continue;
            };
            let mut edits = branch.values.edit();
            for (spot, claim) in claims.iter().filter(|(spot, _)| spot.way == *way) {
                let path: Vec<&str> = spot.path.iter().map(String::as_str).collect();
                edits.set(&path, &claim.new);
                changes.push(Change {
                    file: branch.file.clone(),
                    key: path.join("."),
                    old: branch.values.root().at(&path).map(|_| claim.old.clone()),
                    new: claim.new.clone(),
                });
            }
            let text = edits.apply().map_err(|problem| {
                let place = format!("{}{}", self.within, branch.file);
                problem.into_error(ErrorKind::InvalidArchive).member(place)
            })?;
            edited.insert(way.clone(), text);
        }
        Ok((edited, changes))
    }

    /// Empties the repositories of the dependencies in the file `name`.
    fn forget_repositories(
        &self,
        name: &str,
        files: &mut Files,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        let Some(bytes) = files.get(name) else {
            return Ok(());
        };
        let place = format!("{}{name}", self.within);
        let chart = document(bytes, &place)?;
        let mut edits = chart.edit();
        let items = chart.root().get("dependencies").and_then(Node::items);
        for (number, item) in items.into_iter().flatten().enumerate() {
            let repository = item.get("repository").and_then(Node::as_str);
            let Some(old) = repository.filter(|old| !old.is_empty()) else {
                continue;
            };
            edits.set(&["dependencies", &number.to_string(), "repository"], "");
            changes.push(Change {
                file: name.to_owned(),
                key: format!("dependencies[{number}].repository"),
                old: Some(old.to_owned()),
                new: String::new(),
            });
        }
        let text = edits.apply();
        let text =
            text.map_err(|problem| problem.into_error(ErrorKind::InvalidArchive).member(place))?;
        files.insert(name.to_owned(), text.into_bytes());
        Ok(())
    }
}
