//! A checksum file as it is spelled: lines that can be read, and written anew for other content.

use super::Algorithm;
use crate::tar;

/// The most bytes that a checksum file may have; a larger one is something else.
pub(crate) const MOST: u64 = 1 << 20;

/// How checksum files are called, by what ends a part of the name between two dots.
const KINDS: [&str; 6] = [
    "sha512sum",
    "sha256sum",
    "sha512sums",
    "sha256sums",
    "sha512",
    "sha256",
];

/// A checksum file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// Its own name in the container that it is in.
    name: String,
    pub(crate) parts: Vec<Line>,
}

/// A part of a checksum file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// What stays as it is.
    Text(String),
    /// The checksum of a file.
    Sum {
        /// In lower case.
        hex: String,
        /// What stands between the checksum and the name.
        gap: String,
        /// The name as it is spelled; nothing if the file's own name says whose checksum it is.
        spelled: Option<String>,
    },
}

impl List {
    /// Whether a file is called as checksum files are, also one that stands beside another
    /// (`SHA512SUMS.linux-arm64`).
    pub(crate) fn is_named_so(name: &str) -> bool {
        let name = last(name).to_ascii_lowercase();
        name == "checksums.txt"
            || name
                .split('.')
                .any(|part| KINDS.iter().any(|kind| part.ends_with(kind)))
    }

    /// What the checksum file `name` says.
    pub(crate) fn read(name: &str, text: &str) -> Self {
        let mut parts: Vec<Line> = Vec::new();
        for whole in text.split_inclusive('\n') {
            let line = whole.trim();
            let hex = line.split(char::is_whitespace).next().unwrap_or_default();
            if Algorithm::of(hex).is_none() {
                parts.push(Line::Text(whole.to_owned()));
                continue;
            }
            let indent = whole.len() - whole.trim_start().len();
            let rest = &line[hex.len()..];
            let spelled = rest.trim_start().trim_start_matches('*');
            parts.push(Line::Text(whole[..indent].to_owned()));
            parts.push(Line::Sum {
                hex: hex.to_owned(),
                gap: rest[..rest.len() - spelled.len()].to_owned(),
                spelled: (!spelled.is_empty()).then(|| spelled.to_owned()),
            });
            parts.push(Line::Text(whole[indent + line.len()..].to_owned()));
        }
        Self {
            name: name.to_owned(),
            parts,
        }
    }

    /// The checksums, each with the names that the file may have in the container, likely ones
    /// first.
    pub(crate) fn sums(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.parts.iter().filter_map(|part| match part {
            Line::Text(_) => None,
            Line::Sum { hex, spelled, .. } => Some((hex.as_str(), self.candidates(spelled))),
        })
    }

    /// The names that a file may have which the list calls `spelled`: from the folder of the list
    /// on, or from that in which the container was made.
    pub(crate) fn candidates(&self, spelled: &Option<String>) -> Vec<String> {
        let Some(spelled) = spelled else {
            return self.own_name();
        };
        let nearby = tar::resolve_link(&self.name, spelled);
        let from_the_root = tar::resolve_link("", spelled);
        let mut names: Vec<String> = nearby.into_iter().chain(from_the_root).collect();
        names.dedup();
        names
    }

    /// What the name of the list says which file it is about.
    fn own_name(&self) -> Vec<String> {
        let Some((stem, _)) = self.name.rsplit_once('.') else {
            return Vec::new();
        };
        match stem.strip_suffix("_checksum") {
            None => vec![stem.to_owned()],
            Some(stem) => super::ENDINGS
                .iter()
                .map(|ending| format!("{stem}{ending}"))
                .collect(),
        }
    }
}

/// The last part of a path.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(list: &List) -> String {
        let parts = list.parts.iter().map(|part| match part {
            Line::Text(text) => text.clone(),
            Line::Sum { hex, gap, spelled } => {
                format!("{hex}{gap}{}", spelled.as_deref().unwrap_or_default())
            }
        });
        parts.collect()
    }

    #[test]
    fn every_byte_of_a_list_is_in_its_parts() {
        let (long, short) = ("ab".repeat(64), "0".repeat(64));
        for spelled in [
            String::new(),
            format!("{long}  a.tar\n"),
            format!("# of 1.2\n\n{long} *dir/b.tar\r\n  {short}\tx y\n{short}"),
            format!("{short}\nno checksum  a.tar"),
        ] {
            assert_eq!(text(&List::read("x/SHA512SUMS", &spelled)), spelled);
        }
    }

    #[test]
    fn lines_are_read_as_sha512sum_writes_them() {
        let (long, short) = ("ab".repeat(64), "0".repeat(64));
        let spelled = format!("{long}  a.tar\n{long} *../b.tar\n# comment\n\n{short}\tb/c d\n");
        let list = List::read("x/y/SHA512SUMS", &spelled);
        let found: Vec<_> = list.sums().collect();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            found,
            [
                (long.as_str(), names(&["x/y/a.tar", "a.tar"])),
                (long.as_str(), names(&["x/b.tar"])),
                (short.as_str(), names(&["x/y/b/c d", "b/c d"])),
            ]
        );
    }

    #[test]
    fn a_checksum_without_a_name_is_that_of_the_file_beside() {
        let sum = "0".repeat(64);
        for (name, of) in [
            ("x/a.tar.sha256", "x/a.tar"),
            ("x/a_checksum.sha256sum", "x/a.tar.gz"),
        ] {
            let list = List::read(name, &sum);
            let (_, names) = list.sums().next().expect("a sum");
            assert!(names.iter().any(|name| name == of), "{names:?}");
        }
    }

    #[test]
    fn lists_are_known_by_their_names() {
        for (name, is_one) in [
            ("SHA256SUMS", true),
            ("x/a.tar.sha512sum", true),
            ("a_checksum.sha512sum", true),
            ("SHA512SUMS.linux-arm64", true),
            ("sha256sum.txt", true),
            ("checksums.txt", true),
            ("sha512sums/a.tar", false),
            ("notes.txt", false),
        ] {
            assert_eq!(List::is_named_so(name), is_one, "{name}");
        }
    }
}
