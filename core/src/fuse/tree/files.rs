//! Files that are no part of an image: one copy of what is the same, and a policy for what is not.

use std::sync::Arc;

use super::{Copied, Group, Kind, Leaf, Member, Members, Merge, Part, Taken, beside};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::OnFileConflict;
use crate::limits;

/// Lists of images, which are fused: one reference a line.
const LISTS: &[&str] = &["images.list", "image.list"];

impl<'a> Merge<'a> {
    /// What becomes of the files and links at `name`.
    pub(super) fn files(
        &mut self,
        name: &str,
        parts: &[Part<'a>],
        taken: &Taken<'a>,
    ) -> Result<Vec<Group>> {
        if let Some(list) = self.list(name, parts)? {
            let leaf = Leaf::Made(list);
            return Ok(vec![(name.to_owned(), vec![(name.to_owned(), leaf)])]);
        }
        // One of each content, in the order of platforms.
        let mut distinct: Vec<Part<'a>> = Vec::new();
        for part in parts {
            let mut known = false;
            for other in &distinct {
                known = known || self.same(part, other)?;
            }
            if !known {
                distinct.push(*part);
            }
        }
        let mut names = vec![name.to_owned()];
        for part in distinct.iter().skip(1) {
            names.push(self.stands(name, part, taken)?);
        }
        if distinct.len() > 1 {
            distinct = self.decide(name, distinct, &names)?;
        }
        for part in parts {
            // Where the same file stands, or else the one that was kept in its place.
            let mut place = (name.to_owned(), false);
            for (other, name) in distinct.iter().zip(&names) {
                if self.same(part, other)? {
                    place = (name.clone(), true);
                    break;
                }
            }
            self.moves.moved(part, place);
        }
        let mut placed = Vec::new();
        for (name, part) in names.into_iter().zip(distinct) {
            // A file that stands there already is placed with what has that name.
            if placed.is_empty() || !taken.contains_key(&name) {
                let leaf = self.leaf(&part);
                placed.push((name.clone(), vec![(name, leaf)]));
            }
        }
        Ok(placed)
    }

    /// Where a file stands that cannot be at `name`: in a place of its own, or where the same file
    /// is already, as in a package that was fused before.
    fn stands(&self, name: &str, part: &Part<'a>, taken: &Taken<'a>) -> Result<String> {
        let label = self.label(part);
        let mut place = beside(name, label);
        let mut number = 2;
        while let Some(there) = taken.get(&place) {
            for other in there {
                if self.same(part, other)? {
                    return Ok(place);
                }
            }
            place = beside(name, &format!("{label}-{number}"));
            number += 1;
        }
        Ok(place)
    }

    /// Says that what is a folder elsewhere stands at `name`.
    pub(super) fn gives_way(&mut self, part: &Part<'a>, name: &str) -> Result<()> {
        let source = &self.opened[part.source].source.location;
        let of = part.level.members.called(&part.item.name);
        if self.options.on_file_conflict == OnFileConflict::Error {
            return Err(
                Error::new(ErrorKind::Conflict, "the file is a folder elsewhere")
                    .path(source.path())
                    .member(of)
                    .hint("keep both with `--on-file-conflict beside`"),
            );
        }
        let message = format!(
            "`{of}` of `{}` is a folder elsewhere: it became {name}",
            source.spelled
        );
        self.warn("file-conflict", message);
        Ok(())
    }

    pub(super) fn label(&self, part: &Part<'_>) -> &str {
        self.labels
            .get(&part.source)
            .map_or("other", String::as_str)
    }

    /// Which of several contents stay, the first in its place, the others in theirs.
    fn decide(
        &mut self,
        name: &str,
        mut distinct: Vec<Part<'a>>,
        places: &[String],
    ) -> Result<Vec<Part<'a>>> {
        let spelled = |part: &Part<'_>| self.opened[part.source].source.location.spelled.clone();
        let sources: Vec<String> = distinct.iter().map(spelled).collect();
        let sources = sources.join("`, `");
        match self.options.on_file_conflict {
            OnFileConflict::Beside => {
                let message = format!(
                    "`{name}` differs between `{sources}`: that of {} stays, beside it `{}`",
                    self.label(&distinct[0]),
                    places[1..].join("`, `")
                );
                self.warn("file-conflict", message);
                return Ok(distinct);
            }
            OnFileConflict::Error => {
                let message = format!("the file differs between `{sources}`");
                return Err(Error::new(ErrorKind::Conflict, message)
                    .path(self.opened[distinct[0].source].source.location.path())
                    .member(name)
                    .hint(
                        "keep all with `--on-file-conflict beside`, or one with `first`, `last`",
                    ));
            }
            OnFileConflict::First => distinct.sort_by_key(|part| part.source),
            OnFileConflict::Last => {
                distinct.sort_by_key(|part| std::cmp::Reverse(part.source));
            }
        }
        distinct.truncate(1);
        let kept = spelled(&distinct[0]);
        let message = format!("`{name}` differs between `{sources}`: that of `{kept}` was kept");
        self.warn("file-conflict", message);
        Ok(distinct)
    }

    fn leaf(&mut self, part: &Part<'a>) -> Leaf {
        match &part.item.kind {
            Kind::Link(target) => Leaf::Link(target.clone()),
            Kind::Directory(mode) => Leaf::Directory(*mode),
            Kind::File(member) => match self.moves.renewed(part) {
                Some(lines) => Leaf::List(lines.to_vec(), member.mode),
                None => self.copied(&part.level.members, member),
            },
            Kind::Images(_) | Kind::Bundle(_) | Kind::Nested { .. } => Leaf::Made(Vec::new()),
        }
    }

    /// A file that is copied.
    pub(super) fn copied(&mut self, members: &Arc<Members>, member: &Member) -> Leaf {
        self.tree.files.push(Copied {
            members: Arc::clone(members),
            member: member.clone(),
        });
        Leaf::File(self.tree.files.len() - 1)
    }

    /// Whether two parts become the same file or link.
    fn same(&self, one: &Part<'_>, other: &Part<'_>) -> Result<bool> {
        match self.moves.same_list(one, other) {
            Some(same) => Ok(same),
            None => same(one, other),
        }
    }

    /// The lines of all lists of images, each once.
    fn list(&self, name: &str, parts: &[Part<'a>]) -> Result<Option<Vec<u8>>> {
        let last = name.rsplit('/').next().unwrap_or(name);
        if !LISTS.contains(&last) || parts.len() < 2 {
            return Ok(None);
        }
        let mut lines: Vec<String> = Vec::new();
        for part in parts {
            let Kind::File(member) = &part.item.kind else {
                return Ok(None);
            };
            let bytes = part.level.members.document(member, limits::MAX_LISTING)?;
            let Ok(text) = String::from_utf8(bytes) else {
                return Ok(None);
            };
            for line in text.lines() {
                if !line.trim().is_empty() && !lines.iter().any(|known| known == line) {
                    lines.push(line.to_owned());
                }
            }
        }
        let mut list = lines.join("\n");
        list.push('\n');
        Ok(Some(list.into_bytes()))
    }
}

/// Whether two parts are the same file or link.
fn same(one: &Part<'_>, other: &Part<'_>) -> Result<bool> {
    match (&one.item.kind, &other.item.kind) {
        (Kind::Link(one), Kind::Link(other)) => Ok(one == other),
        (Kind::File(mine), Kind::File(theirs)) => {
            same_content((&one.level.members, mine), (&other.level.members, theirs))
        }
        (Kind::Directory(_), Kind::Directory(_)) => Ok(true),
        _ => Ok(false),
    }
}

/// Whether two files have the same content.
pub(super) fn same_content(
    (members, one): (&Members, &Member),
    (others, other): (&Members, &Member),
) -> Result<bool> {
    if one.size != other.size {
        return Ok(false);
    }
    if let (Some(one), Some(other)) = (members.streamed(one), others.streamed(other)) {
        return Ok(one.digest.is_some() && one.digest == other.digest);
    }
    let (mut mine, mut theirs) = (members.open(one)?, others.open(other)?);
    let (mut a, mut b) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let count = fill(&mut *mine, &mut a)?;
        if fill(&mut *theirs, &mut b)? != count || a[..count] != b[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

/// Reads until `buffer` is full or the content ends.
fn fill(reader: &mut dyn crate::store::BlobReader, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}
