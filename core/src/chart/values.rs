//! Values that a user saved, carried over to a chart whose images are elsewhere.

use std::collections::BTreeMap;

use super::hints::{Hint, Hints, Section};
use super::relocate::{Change, Place};
use super::render::tail;
use super::tree::Branch;
use super::{Chart, render};
use crate::error::{ErrorKind, Result};
use crate::yaml::{Document, Node};

/// A saved value of an image that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) why: String,
}

/// What happens to a saved value.
enum Fate {
    Becomes(String),
    Stays(String),
}

/// `saved`, the values that a release of `chart` was given, with the registries and repositories of
/// `relocated` wherever they set one that a hint names. Tags stay, as does what names another
/// image than the chart does.
pub(crate) fn carried_over(
    saved: &str,
    chart: &Chart,
    relocated: &Chart,
    hints: &Hints,
) -> Result<(String, Vec<Change>, Vec<Kept>)> {
    let blame = |problem: crate::yaml::Problem| problem.into_error(ErrorKind::Usage);
    let document = Document::parse(saved).map_err(blame)?;
    let (before, after) = (chart.tree()?, relocated.tree()?);
    let mut fates: BTreeMap<Vec<String>, (String, Fate)> = BTreeMap::new();
    for hint in &hints.hints {
        let blame = |wrong: String| hint.error(&hints.place, &wrong);
        let (origin, _) = hint.rendered_by(&before).map_err(blame)?;
        let (target, _) = hint.rendered_by(&after).map_err(blame)?;
        let given = hint.rendered(|path| given(&document, &before, path));
        let why = match &given {
            Ok(given) => {
                let (given, origin) = (&given.hinted.normalised, &origin.hinted.normalised);
                let other = given.last_component() != origin.last_component();
                other.then(|| format!("it names another image, `{given}`"))
            }
            Err(wrong) => Some(format!("with it, the hint `{}` {wrong}", hint.text)),
        };
        for section in [Section::Name, Section::Digest] {
            for (number, path) in hint.numbers(section).zip(hint.keys(section)) {
                let Some((spelled, old)) = text_at(&document, &before, path) else {
                    continue;
                };
                let (from, to) = (&origin.texts[number], &target.texts[number]);
                if from == to || old == to {
                    continue;
                }
                let fate = match &why {
                    Some(why) => Fate::Stays(why.clone()),
                    None => fate(hint, section, old, from, to),
                };
                let becoming = match &fate {
                    Fate::Becomes(new) => Some(new.clone()),
                    Fate::Stays(_) => None,
                };
                // Shared by several images, one of which is another: most of them follow.
                let known = fates.entry(spelled).or_insert((old.to_owned(), fate));
                if let (Fate::Stays(_), Some(becomes)) = (&known.1, becoming) {
                    known.1 = Fate::Becomes(becomes);
                }
            }
        }
    }
    let (mut changes, mut kept) = (Vec::new(), Vec::new());
    let mut edits = document.edit();
    for (path, (old, fate)) in fates {
        let key = path.join(".");
        match fate {
            Fate::Becomes(new) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                edits.set(&path, &new);
                changes.push(Change {
                    file: String::new(),
                    key,
                    old: Some(old),
                    new,
                });
            }
            Fate::Stays(why) => kept.push(Kept {
                key,
                value: old,
                why,
            }),
        }
    }
    Ok((edits.apply().map_err(blame)?, changes, kept))
}

/// What becomes of the value `old` that was saved of an image of the chart, whose own value goes
/// from `from` to `to`.
fn fate(hint: &Hint, section: Section, old: &str, from: &str, to: &str) -> Fate {
    if section == Section::Digest {
        return match old == from {
            true => Fate::Becomes(to.to_owned()),
            false => Fate::Stays("it pins an image that did not move".to_owned()),
        };
    }
    let whole = hint
        .pieces
        .iter()
        .all(|piece| piece.section == Section::Name);
    if !whole || hint.numbers(Section::Name).count() != 1 {
        return Fate::Becomes(to.to_owned());
    }
    // Name and tag in one value: the tag is the user's.
    let nowhere = Place {
        registry: String::new(),
        repository: String::new(),
        digest: None,
    };
    let name = to.strip_suffix(tail(to, &nowhere).as_str()).unwrap_or(to);
    Fate::Becomes(format!("{name}{}", tail(old, &nowhere)))
}

/// What counts at `path` if the saved values lie over those of the chart.
fn given(saved: &Document, chart: &Branch<'_>, path: &[String]) -> Result<String, render::Wrong> {
    if let Some((_, text)) = text_at(saved, chart, path) {
        return Ok(text.to_owned());
    }
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let found = chart.find(&path);
    let text = found.and_then(|found| found.node.as_str().map(str::to_owned));
    Ok(text.unwrap_or_default())
}

/// What the saved values themselves have at `path`, and how they spell it.
fn text_at<'d>(
    saved: &'d Document,
    chart: &Branch<'_>,
    path: &[String],
) -> Option<(Vec<String>, &'d str)> {
    let spellings = [chart.binding(path), path.to_vec()];
    spellings.into_iter().find_map(|path| {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        let text = saved.root().at(&keys).and_then(Node::as_str)?;
        Some((path, text))
    })
}
