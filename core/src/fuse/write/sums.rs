//! Checksum files of the result: what they ask for, and what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::super::tree::{Branch, Leaf, Line};
use crate::container::{Algorithm, Summer};

/// Checksums of things in a container, by their names there.
pub(super) type Sums = BTreeMap<(String, Algorithm), String>;

/// What the checksum files of a container list.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<String, BTreeSet<Algorithm>>);

impl Asked {
    pub(super) fn of(branch: &Branch) -> Self {
        let mut asked = Self::default();
        for (_, leaf) in &branch.0 {
            let Leaf::List(lines, _) = leaf else {
                continue;
            };
            for line in lines {
                if let Line::Sum(name, algorithm) = line {
                    let of_name = asked.0.entry(name.clone()).or_default();
                    of_name.insert(*algorithm);
                }
            }
        }
        asked
    }

    /// What the checksum of the thing of this name is asked for in.
    pub(super) fn of_name(&self, name: &str) -> Vec<Algorithm> {
        let of_name = self.0.get(name).into_iter().flatten();
        of_name.copied().collect()
    }
}

/// Counts and sums what is written to it.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) length: u64,
    summers: Vec<(Algorithm, Summer)>,
}

impl Tally {
    pub(super) fn of(algorithms: Vec<Algorithm>) -> Self {
        let summers = algorithms.into_iter();
        Self {
            length: 0,
            summers: summers
                .map(|algorithm| (algorithm, Summer::new(algorithm)))
                .collect(),
        }
    }

    /// The checksums, as those of `name`.
    pub(super) fn finish(self, name: &str) -> Vec<((String, Algorithm), String)> {
        let summers = self.summers.into_iter();
        summers
            .map(|(algorithm, summer)| ((name.to_owned(), algorithm), summer.finish()))
            .collect()
    }
}

impl Write for Tally {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len() as u64;
        for (_, summer) in &mut self.summers {
            summer.update(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The checksum file, without the lines of what is not `there`; as long as it will be where `sums`
/// has none.
pub(super) fn text(lines: &[Line], sums: &Sums, there: &dyn Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut skips = false;
    for line in lines {
        match line {
            Line::Sum(name, _) if !there(name) => skips = true,
            Line::Sum(name, algorithm) => {
                skips = false;
                match sums.get(&(name.clone(), *algorithm)) {
                    Some(sum) => text.push_str(sum),
                    None => text.extend(std::iter::repeat_n('0', algorithm.digits())),
                }
            }
            // What follows a checksum up to the end of its line goes with it.
            Line::Text(rest) if skips => {
                skips = false;
                let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
                text.push_str(&rest[end..]);
            }
            Line::Text(rest) => text.push_str(rest),
        }
    }
    text
}
