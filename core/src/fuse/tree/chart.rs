//! Bundles of one chart: its files have to be the same everywhere, its images are fused.

use std::collections::BTreeSet;

use super::files::same_content;
use super::{Branch, Bundle, Found, Leaf, Merge, Part, Placed};
use crate::container::{Member, Members};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::OnConflict;

/// How many differences an error lists.
const MOST: usize = 5;

/// How large a file may be to be compared line by line.
const MOST_TEXT: u64 = 1 << 20;

impl<'a> Merge<'a> {
    /// Puts the bundle that `bundles` are into `branch`, below `prefix`; it stands at `place`.
    pub(super) fn bundle(
        &mut self,
        bundles: &[(Part<'a>, &'a Bundle)],
        place: &str,
        prefix: &str,
        branch: &mut Branch,
    ) -> Result<()> {
        let Some((kept, bundle)) = self.same_chart(bundles)? else {
            return Ok(());
        };
        let members = &kept.level.members;
        for (name, member) in bundle.files.iter().chain(&bundle.others) {
            let leaf = self.copied(members, member);
            branch.0.push((format!("{prefix}{name}"), leaf));
        }
        let images = bundles.iter().filter_map(|(part, bundle)| {
            let images = bundle.images.as_ref()?;
            let found = Found {
                source: part.source,
                level: &images.level,
            };
            Some((images, found))
        });
        let images: Vec<_> = images.collect();
        let mut slot = None;
        if let Some((first, _)) = images.first() {
            let levels: Vec<_> = images.iter().map(|(_, found)| (*found, "")).collect();
            slot = self.archive(&levels);
            if let Some(slot) = slot {
                let leaf = Leaf::Archive {
                    slot,
                    mode: 0o644,
                    compression: first.compression,
                };
                branch.0.push((format!("{prefix}{}", first.name), leaf));
            }
        }
        let chart = bundle.chart.clone();
        let place = place.to_owned();
        self.tree.charts.push(Placed { chart, place, slot });
        Ok(())
    }

    /// Whose chart it is, if all have the same or a policy decides.
    fn same_chart(
        &self,
        bundles: &[(Part<'a>, &'a Bundle)],
    ) -> Result<Option<(Part<'a>, &'a Bundle)>> {
        let Some((first, rest)) = bundles.split_first() else {
            return Ok(None);
        };
        for other in rest {
            let differences = differences(held(first), held(other))?;
            if differences.is_empty() {
                continue;
            }
            let by_source = |(part, _): &&(Part<'a>, &'a Bundle)| part.source;
            return match self.options.on_conflict {
                OnConflict::First => Ok(bundles.iter().min_by_key(by_source).copied()),
                OnConflict::Last => Ok(bundles.iter().max_by_key(by_source).copied()),
                OnConflict::Error => {
                    let spelled = |part: &Part<'_>| {
                        let source = &self.opened[part.source].source;
                        part.level.members.label(&source.location, &part.item.name)
                    };
                    let chart = &first.1.chart;
                    let message = format!(
                        "the chart {} {} differs between `{}` and `{}`: {}",
                        chart.name,
                        chart.version,
                        spelled(&first.0),
                        spelled(&other.0),
                        list(&differences)
                    );
                    let (part, _) = other;
                    let (file, _) = &differences[0];
                    let members = &part.level.members;
                    Err(Error::new(ErrorKind::Conflict, message)
                        .path(self.opened[part.source].source.location.path())
                        .member(members.called(&format!("{}{file}", part.item.name)))
                        .hint(
                            "decide with `--on-conflict first` or `last`, or fuse bundles of one \
                             release",
                        ))
                }
            };
        }
        Ok(Some(*first))
    }
}

/// The first of `differences`, in one line.
pub(crate) fn list(differences: &[(String, String)]) -> String {
    let texts: Vec<&str> = differences.iter().map(|(_, text)| text.as_str()).collect();
    let mut text = texts[..texts.len().min(MOST)].join("; ");
    if differences.len() > MOST {
        text.push_str(&format!("; and {} more", differences.len() - MOST));
    }
    text
}

/// A bundle, and the members that it is of.
type Held<'a> = (&'a Members, &'a Bundle);

fn held<'a>((part, bundle): &(Part<'a>, &'a Bundle)) -> Held<'a> {
    (&*part.level.members, *bundle)
}

/// How the charts and hints of two bundles differ: in which files, and how.
pub(crate) fn differences(
    (members, one): Held<'_>,
    (others, other): Held<'_>,
) -> Result<Vec<(String, String)>> {
    let names: BTreeSet<&String> = one.files.keys().chain(other.files.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        match (one.files.get(name), other.files.get(name)) {
            (Some(mine), Some(theirs)) => {
                let mine = (members, mine);
                let theirs = (others, theirs);
                if !same_content(mine, theirs)? {
                    let how = format!("`{name}`{}", line(mine, theirs)?);
                    differences.push((name.clone(), how));
                }
            }
            (Some(_), None) => {
                differences.push((name.clone(), format!("only the first has `{name}`")));
            }
            _ => differences.push((name.clone(), format!("only the second has `{name}`"))),
        }
    }
    Ok(differences)
}

/// The first line in which two text files differ.
fn line(
    (members, one): (&Members, &Member),
    (others, other): (&Members, &Member),
) -> Result<String> {
    if one.size > MOST_TEXT || other.size > MOST_TEXT {
        return Ok(String::new());
    }
    let one = String::from_utf8(members.document(one, MOST_TEXT)?);
    let other = String::from_utf8(others.document(other, MOST_TEXT)?);
    let (Ok(one), Ok(other)) = (one, other) else {
        return Ok(String::new());
    };
    let (mut mine, mut theirs) = (one.lines(), other.lines());
    for at in 1.. {
        match (mine.next(), theirs.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => {
                let show = |line: Option<&str>| match line {
                    Some(line) => format!("`{}`", line.trim().chars().take(60).collect::<String>()),
                    None => "nothing".to_owned(),
                };
                return Ok(format!(" line {at}: {} against {}", show(one), show(other)));
            }
        }
    }
    Ok(String::new())
}
