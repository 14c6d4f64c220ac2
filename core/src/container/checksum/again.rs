//! Reading a stream a second time, for members whose checksums came behind them.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use super::within::Unseen;
use super::{Stated, Summed};
use crate::compress::{self, LimitedExpansion};
use crate::container::input::Counted;
use crate::container::members::NESTED;
use crate::error::{Error, Result};
use crate::fsx;
use crate::limits;
use crate::oci::Compression;
use crate::progress::Progress;
use crate::store::CHUNK;
use crate::tar::{self, EntryKind, TarStream};

/// Checks what is `unseen` of the file at `path`, and returns the names of those that could not be
/// found again: what came out of a pipe is gone.
pub(super) fn read_again(
    path: &Path,
    unseen: Vec<Unseen>,
    wrong: &mut Vec<Error>,
    progress: &Progress,
) -> Result<Vec<String>> {
    let mut again = Again {
        path,
        progress,
        wanted: BTreeMap::new(),
        wrong,
    };
    for Unseen { name, stated, .. } in unseen {
        again.wanted.entry(name).or_default().push(stated);
    }
    match fsx::metadata_if_any(path)? {
        Some(found) if found.is_file() => again.file(path, "")?,
        // The first part of the names is that of a file in it.
        Some(found) if found.is_dir() => {
            let first = |name: &String| Some(name.split_once(NESTED)?.0.to_owned());
            let mut names: Vec<String> = again.wanted.keys().filter_map(first).collect();
            names.dedup();
            for name in names {
                again.file(&path.join(&name), &format!("{name}{NESTED}"))?;
            }
        }
        _ => {}
    }
    Ok(again.wanted.into_keys().collect())
}

struct Again<'a> {
    path: &'a Path,
    progress: &'a Progress,
    /// By their names through all containers.
    wanted: BTreeMap<String, Vec<Stated>>,
    wrong: &'a mut Vec<Error>,
}

impl Again<'_> {
    fn file(&mut self, path: &Path, within: &str) -> Result<()> {
        tracing::debug!(
            "`{}` is read again: checksums stand behind what they are of",
            path.display()
        );
        let mut input = Counted {
            input: fsx::open(path)?,
            progress: self.progress,
        };
        let blame = |error: Error| error.path(path);
        let first = first_of(&mut input).map_err(blame)?;
        let mut input = Cursor::new(&first).chain(input);
        self.stream(&mut input, &first, within, 0).map_err(blame)
    }

    /// What `input` gives, compressed or not, if it is a container at all.
    fn stream(
        &mut self,
        input: &mut dyn Read,
        first: &[u8],
        within: &str,
        depth: usize,
    ) -> Result<()> {
        match Compression::sniff(first) {
            Compression::None if tar::is_header(first) => self.container(input, within, depth),
            Compression::None => Ok(()),
            compression => {
                let mut plain = LimitedExpansion::new(compression, input)?;
                self.container(&mut plain, within, depth)
            }
        }
    }

    fn container(&mut self, input: &mut dyn Read, within: &str, depth: usize) -> Result<()> {
        let mut stream = TarStream::new(BufReader::with_capacity(CHUNK, input));
        while self.wants_below(within)
            && let Some(entry) = stream.next()?
        {
            let name = format!("{within}{}", entry.name);
            let inside = format!("{name}{NESTED}");
            let stated = match entry.kind {
                EntryKind::File => self.wanted.remove(&name).unwrap_or_default(),
                _ => continue,
            };
            let descends = depth + 1 < limits::MAX_NESTING && self.wants_below(&inside);
            if stated.is_empty() && !descends {
                continue;
            }
            let summers = stated.iter().map(Stated::summer).collect();
            let mut member = Summed::new(&mut stream, summers);
            if descends {
                let first = first_of(&mut member)?;
                let mut input = Cursor::new(&first).chain(&mut member);
                self.stream(&mut input, &first, &inside, depth + 1)?;
            }
            if stated.is_empty() {
                continue;
            }
            std::io::copy(&mut member, &mut std::io::sink()).map_err(compress::into_error)?;
            for (stated, sum) in stated.iter().zip(member.finish()) {
                if let Err(error) = stated.check(&sum.finish()) {
                    let error = error.path(self.path).member(&name);
                    self.wrong.push(error.offset(entry.offset));
                }
            }
        }
        Ok(())
    }

    /// Whether anything is wanted whose name starts so.
    fn wants_below(&self, within: &str) -> bool {
        let mut from = self.wanted.range(within.to_owned()..);
        from.next()
            .is_some_and(|(name, _)| name.starts_with(within))
    }
}

/// The first block of what `input` gives.
fn first_of(input: &mut impl Read) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    input
        .take(tar::BLOCK)
        .read_to_end(&mut first)
        .map_err(compress::into_error)?;
    Ok(first)
}
