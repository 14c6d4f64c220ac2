//! Checksum files in a container, and the members that they list.
//!
//! A member that is at hand is read for it. One that came by in a stream and was taken apart was
//! summed as it came by if a list before it names it. If the list comes behind, its bytes are told
//! again from what the spool has of it; what the spool does not have was summed in any case. What is
//! left, such as a list behind what it names in a bundle that is not spooled, is read a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::again::read_again;
use super::list::{List, MOST};
use super::{Algorithm, Stated, Summer};
use crate::container::members::{Member, Members};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::CHUNK;

/// What the lists of a stream that came by so far ask for.
#[derive(Debug, Default)]
pub(in crate::container) struct Wanted(BTreeMap<String, BTreeSet<Algorithm>>);

impl Wanted {
    /// Takes note of a list.
    pub(in crate::container) fn add(&mut self, list: &List) {
        for (hex, names) in list.sums() {
            for name in names {
                self.0.entry(name).or_default().extend(Algorithm::of(hex));
            }
        }
    }

    /// What the checksum of a member of this name is asked for in.
    pub(in crate::container) fn of(&self, name: &str) -> BTreeSet<Algorithm> {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// What checking the lists of a source came to.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// Members that are something else.
    pub(crate) wrong: Vec<Error>,
    /// Members whose lists came behind them in a stream, and that could not be read again, as
    /// errors name them.
    pub(crate) unchecked: Vec<String>,
    unseen: Vec<Unseen>,
}

/// A member that went by unsummed.
#[derive(Debug)]
pub(super) struct Unseen {
    /// The file.
    pub(super) path: PathBuf,
    /// The name within it, through all containers.
    pub(super) name: String,
    pub(super) stated: Stated,
}

impl Sums {
    /// Adds what `more` lists came to.
    pub(crate) fn append(&mut self, more: Self) {
        self.wrong.extend(more.wrong);
        self.unchecked.extend(more.unchecked);
        self.unseen.extend(more.unseen);
    }

    /// Reads again what went by unsummed, for as long as it takes.
    pub(crate) fn settle(&mut self, progress: &Progress) -> Result<()> {
        let mut files: BTreeMap<PathBuf, Vec<Unseen>> = BTreeMap::new();
        for unseen in std::mem::take(&mut self.unseen) {
            files.entry(unseen.path.clone()).or_default().push(unseen);
        }
        for (path, unseen) in files {
            let left = read_again(&path, unseen, &mut self.wrong, progress)?;
            self.unchecked.extend(left);
        }
        self.unchecked.sort();
        self.unchecked.dedup();
        Ok(())
    }
}

/// The checksum file that a member is, if it is one and can be read.
pub(crate) fn list_of(members: &Members, member: &Member) -> Result<Option<List>> {
    if member.size > MOST || !List::is_named_so(&member.name) || !members.is_at_hand(member) {
        return Ok(None);
    }
    let bytes = members.document(member, MOST)?;
    let text = std::str::from_utf8(&bytes);
    Ok(text.ok().map(|text| List::read(&member.name, text)))
}

/// Checks the members of a container that the checksum file `list` in it names. What can be read
/// in place is read if `in_place` says so.
pub(crate) fn check(
    members: &Members,
    list: &Member,
    in_place: bool,
    sums: &mut Sums,
    progress: &Progress,
) -> Result<()> {
    let Some(read) = list_of(members, list)? else {
        return Ok(());
    };
    for (hex, names) in read.sums() {
        let mut found = None;
        for name in names {
            found = found.map_or_else(|| members.find(&name), |found| Ok(Some(found)))?;
        }
        let Some(member) = found else {
            continue;
        };
        let stated = Stated {
            hex: hex.to_owned(),
            by: members.called(&list.name),
        };
        let checked = match sum_of(members, &member, stated.algorithm(), in_place, progress)? {
            Sum::Is(sum) => stated.check(&sum),
            Sum::Unseen => {
                sums.unseen.push(Unseen {
                    path: members.path.clone(),
                    name: members.called(&member.name),
                    stated,
                });
                Ok(())
            }
            Sum::Unasked => Ok(()),
        };
        if let Err(error) = checked {
            sums.wrong.push(members.place(&member).blame(error));
        }
    }
    Ok(())
}

/// What there is to tell of a member's checksum.
enum Sum {
    Is(String),
    /// It went by.
    Unseen,
    /// It is there to be read, by whoever wants it.
    Unasked,
}

fn sum_of(
    members: &Members,
    member: &Member,
    algorithm: Algorithm,
    in_place: bool,
    progress: &Progress,
) -> Result<Sum> {
    if let Some(streamed) = members.streamed(member) {
        let of = |sum: &String| Algorithm::of(sum) == Some(algorithm);
        let whole = streamed.digest.map(|digest| digest.hex());
        if let Some(sum) = streamed.sums.iter().chain(&whole).find(|sum| of(sum)) {
            return Ok(Sum::Is(sum.clone()));
        }
        if !members.is_at_hand(member) {
            let told = match &streamed.made_of {
                Some(parts) => members.sum(parts, algorithm, progress)?,
                None => None,
            };
            return Ok(told.map_or(Sum::Unseen, Sum::Is));
        }
    } else if !in_place {
        return Ok(Sum::Unasked);
    }
    let mut summer = Summer::new(algorithm);
    let mut reader = members.open(member)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        progress.check()?;
        let count = reader.read(&mut buffer);
        let count = count.map_err(|error| members.place(member).blame(error))?;
        if count == 0 {
            return Ok(Sum::Is(summer.finish()));
        }
        summer.update(&buffer[..count]);
    }
}
