//! Checksum files of packages: made anew for the files of the result, where these are others than
//! those of the source.

use std::collections::BTreeMap;

use super::{Group, Kind, Leaf, Merge, Part};
use crate::container::{self, Algorithm, Line as Stated, List, Member, Members};
use crate::error::Result;

/// A part of a checksum file of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fuse) enum Line {
    Text(String),
    /// The checksum of what stands at this name in the same container.
    Sum(String, Algorithm),
}

/// What became of the files of a container, each by its source and its name there.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Where it stands, and whether it is the same there.
    places: BTreeMap<(usize, String), (String, bool)>,
    /// What checksum files are to say, and whether that is anything else.
    lists: BTreeMap<(usize, String), (Vec<Line>, bool)>,
}

fn key(part: &Part<'_>) -> (usize, String) {
    (part.source, part.item.name.clone())
}

impl Moves {
    pub(super) fn moved(&mut self, part: &Part<'_>, place: (String, bool)) {
        self.places.insert(key(part), place);
    }

    /// Takes note that `parts` became what stands at `name`, in `groups`.
    pub(super) fn note(&mut self, name: &str, parts: &[Part<'_>], groups: &[Group]) {
        for part in parts {
            match &part.item.kind {
                Kind::Nested { .. } => self.moved(part, (name.to_owned(), false)),
                // It lies there unpacked: each of its files by itself.
                Kind::Bundle(_) => {
                    for (place, _) in groups.iter().flat_map(|(_, leaves)| leaves) {
                        let Some(rest) = place.strip_prefix(name) else {
                            continue;
                        };
                        let of = (part.source, format!("{}{rest}", part.item.name));
                        self.places.insert(of, (place.clone(), false));
                    }
                }
                // Noted as they were placed, or nobody lists them.
                Kind::File(_) | Kind::Link(_) | Kind::Directory(_) | Kind::Images(_) => {}
            }
        }
    }

    /// What a checksum file becomes, if that is something else.
    pub(super) fn renewed(&self, part: &Part<'_>) -> Option<&[Line]> {
        let (lines, changed) = self.lists.get(&key(part))?;
        changed.then_some(lines)
    }

    /// Whether two checksum files become the same; `None` if that is not for their lines to say.
    pub(super) fn same_list(&self, one: &Part<'_>, other: &Part<'_>) -> Option<bool> {
        match (self.lists.get(&key(one)), self.lists.get(&key(other))) {
            (Some((one, _)), Some((other, _))) => Some(one == other),
            (Some((_, true)), None) | (None, Some((_, true))) => Some(false),
            _ => None,
        }
    }
}

/// Whether a part is called as checksum files are.
pub(super) fn is_list(part: &Part<'_>) -> bool {
    matches!(part.item.kind, Kind::File(_)) && List::is_named_so(&part.item.name)
}

/// What making a list anew came to so far.
#[derive(Default)]
struct Renewal {
    lines: Vec<Line>,
    /// Names of the list whose files are other ones now.
    changed: Vec<String>,
    /// Something that it names is not there any more as a file.
    lost: bool,
}

impl Renewal {
    fn text(&mut self, text: &str) {
        match self.lines.last_mut() {
            Some(Line::Text(before)) => before.push_str(text),
            _ => self.lines.push(Line::Text(text.to_owned())),
        }
    }
}

impl<'a> Merge<'a> {
    /// Makes the checksum files `parts` anew, which come to stand at `name` or beside it, where
    /// files that they list have changed; `placed` is what stands there so far.
    pub(super) fn renew<'b>(
        &mut self,
        name: &str,
        parts: impl Iterator<Item = &'b Part<'a>>,
        placed: &BTreeMap<String, Vec<(String, Leaf)>>,
    ) -> Result<()>
    where
        'a: 'b,
    {
        for part in parts {
            let Kind::File(member) = &part.item.kind else {
                continue;
            };
            let members = &part.level.members;
            let Some(renewal) = self.renewal(name, part, (members, member), placed)? else {
                continue;
            };
            if !renewal.lost {
                let changed = !renewal.changed.is_empty();
                self.moves.lists.insert(key(part), (renewal.lines, changed));
                continue;
            }
            for changed in renewal.changed {
                let message = format!(
                    "`{name}` lists `{changed}`, which is another file now, and files that are \
                     not in the result: it stays as it was"
                );
                self.warn("stale-checksum", message);
            }
        }
        Ok(())
    }

    fn renewal(
        &self,
        name: &str,
        part: &Part<'a>,
        (members, member): (&Members, &Member),
        placed: &BTreeMap<String, Vec<(String, Leaf)>>,
    ) -> Result<Option<Renewal>> {
        let Some(list) = container::list_of(members, member)? else {
            return Ok(None);
        };
        let mut renewal = Renewal::default();
        for stated in &list.parts {
            let (hex, gap, spelled) = match stated {
                Stated::Text(text) => {
                    renewal.text(text);
                    continue;
                }
                Stated::Sum { hex, gap, spelled } => (hex, gap, spelled),
            };
            let mut found = None;
            for candidate in list.candidates(spelled) {
                if found.is_none() && members.find(&candidate)?.is_some() {
                    found = Some(candidate);
                }
            }
            let Some(was) = found else {
                // It says nothing of what is here.
                renewal.text(hex);
                renewal.text(gap);
                renewal.text(spelled.as_deref().unwrap_or_default());
                continue;
            };
            let place = self.moves.places.get(&(part.source, was.clone()));
            let leaf = place.and_then(|(place, _)| leaf_at(placed, place));
            let (Some((place, same)), Some(leaf)) = (place, leaf) else {
                renewal.lost = true;
                continue;
            };
            let renamed = spelled
                .as_deref()
                .map(|spelled| renamed(spelled, (&part.item.name, &was), (name, place)));
            let same = *same && matches!(leaf, Leaf::File(_));
            if !same || renamed.as_deref() != spelled.as_deref() {
                renewal.changed.push(was);
            }
            match (same, Algorithm::of(hex)) {
                (false, Some(algorithm)) => {
                    renewal.lines.push(Line::Sum(place.clone(), algorithm));
                }
                _ => renewal.text(hex),
            }
            renewal.text(gap);
            renewal.text(renamed.as_deref().unwrap_or_default());
        }
        Ok(Some(renewal))
    }
}

/// What stands at a name, if that is a file.
fn leaf_at<'b>(placed: &'b BTreeMap<String, Vec<(String, Leaf)>>, place: &str) -> Option<&'b Leaf> {
    let group = placed.get(place).or_else(|| {
        // What lies there unpacked goes by its folder.
        let mut folders = place.match_indices('/').map(|(at, _)| &place[..=at]);
        folders.find_map(|folder| placed.get(folder))
    })?;
    let leaf = group
        .iter()
        .find(|(name, _)| name == place)
        .map(|(_, leaf)| leaf)?;
    let is_file = !matches!(leaf, Leaf::Directory(_) | Leaf::Link(_) | Leaf::Unpacked(_));
    is_file.then_some(leaf)
}

/// How a list spells a file that it spelled so, once the list and the file have moved from one
/// pair of names to another.
fn renamed(spelled: &str, (list, was): (&str, &str), (new_list, is): (&str, &str)) -> String {
    let (before, after) = (relative(list, was), relative(new_list, is));
    if before == after && crate::tar::resolve_link(list, spelled).as_deref() == Some(was) {
        return spelled.to_owned();
    }
    let dot = if spelled.starts_with("./") { "./" } else { "" };
    match crate::tar::resolve_link(list, spelled).as_deref() == Some(was) {
        true => format!("{dot}{after}"),
        // From where the package was made.
        false => format!("{dot}{is}"),
    }
}

/// The way from the folder of the file `from` to `to`.
fn relative(from: &str, to: &str) -> String {
    let folders = |name: &str| -> Vec<String> {
        let mut parts: Vec<String> = name.split('/').map(str::to_owned).collect();
        parts.pop();
        parts
    };
    let (here, there) = (folders(from), folders(to));
    let common = (here.iter().zip(&there)).take_while(|(one, other)| one == other);
    let common = common.count();
    let mut way = "../".repeat(here.len() - common);
    let rest: Vec<&str> = to.split('/').skip(common).collect();
    way.push_str(&rest.join("/"));
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_files_that_they_name() {
        for (spelled, was, is, expected) in [
            ("tool", ("x/SUMS", "x/tool"), ("x/SUMS", "x/tool"), "tool"),
            (
                "tool",
                ("a/SUMS", "a/tool"),
                ("b/SUMS", "b/tool.arm64"),
                "tool.arm64",
            ),
            (
                "./tool",
                ("SUMS", "tool"),
                ("SUMS", "tool.arm64"),
                "./tool.arm64",
            ),
            (
                "../b/tool",
                ("x/SUMS", "b/tool"),
                ("x/SUMS", "b/c"),
                "../b/c",
            ),
            (
                "v1-amd64/tool",
                ("v1-amd64/SUMS", "v1-amd64/tool"),
                ("v1/SUMS", "v1/tool"),
                "v1/tool",
            ),
        ] {
            assert_eq!(renamed(spelled, was, is), expected, "{spelled}");
        }
    }
}
