//! Checksum files, as `sha512sum` and `sha256sum` write them, beside a source or within it.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::Digest as _;

use super::{Member, Members};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx;
use crate::store::CHUNK;

/// The most bytes that a checksum file may have; a larger one is something else.
const MOST: u64 = 1 << 20;

/// What a checksum file says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    hex: String,
    /// The checksum file, as errors name it.
    by: String,
}

/// A hash of the kind that a checksum is.
pub(crate) enum Summer {
    Sha256(sha2::Sha256),
    Sha512(Box<sha2::Sha512>),
}

impl Stated {
    pub(crate) fn summer(&self) -> Summer {
        match self.hex.len() {
            64 => Summer::Sha256(sha2::Sha256::new()),
            _ => Summer::Sha512(Box::default()),
        }
    }

    /// That what `summer` has seen is something else is an error.
    pub(crate) fn check(&self, summer: Summer) -> Result<()> {
        let (name, bytes) = match summer {
            Summer::Sha256(hasher) => ("SHA-256", hasher.finalize().to_vec()),
            Summer::Sha512(hasher) => ("SHA-512", hasher.finalize().to_vec()),
        };
        let found: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if found == self.hex {
            return Ok(());
        }
        let short = |hex: &str| hex.chars().take(16).collect::<String>();
        let message = format!(
            "its {name} begins {}, `{}` says {}",
            short(&found),
            self.by,
            short(&self.hex)
        );
        Err(Error::new(ErrorKind::DigestMismatch, message)
            .hint("the file or its checksum is damaged or of another release: fetch both again"))
    }
}

impl Summer {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }
}

/// What a checksum file beside the file at `path` says of it, if there is one.
pub(crate) fn beside(path: &Path) -> Result<Option<Stated>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let stem = [".tar.gz", ".tgz", ".tar.zst", ".tar"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    for kind in ["sha512", "sha256"] {
        for candidate in [
            format!("{name}.{kind}sum"),
            format!("{name}.{kind}"),
            format!("{stem}_checksum.{kind}sum"),
        ] {
            let file: PathBuf = path.with_file_name(&candidate);
            let Some(found) = fsx::metadata_if_any(&file)? else {
                continue;
            };
            if !found.is_file() || found.len() > MOST {
                continue;
            }
            let text = String::from_utf8_lossy(&fsx::read_small(&file, MOST)?).into_owned();
            let mut lines = lines(&text);
            let stated = match &lines[..] {
                [(hex, None)] => Some((*hex).to_owned()),
                _ => lines
                    .iter_mut()
                    .find(|(_, listed)| listed.is_some_and(|listed| last(listed) == name))
                    .map(|(hex, _)| (*hex).to_owned()),
            };
            if let Some(hex) = stated {
                let by = file.display().to_string();
                return Ok(Some(Stated { hex, by }));
            }
        }
    }
    Ok(None)
}

/// Checks the plain files of a container that a checksum file in it lists. `readable` says which
/// of its members are there to be read.
pub(crate) fn within(
    members: &Members,
    sums: &Member,
    readable: &dyn Fn(&str) -> Option<Member>,
) -> Result<()> {
    if sums.size > MOST || !is_named_so(&sums.name) || !members.is_at_hand(sums) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&members.document(sums, MOST)?).into_owned();
    let folder = sums.name.rsplit_once('/').map(|(folder, _)| folder);
    for (hex, name) in lines(&text) {
        let Some(name) = name else {
            continue;
        };
        let name = name.trim_start_matches("./");
        let name = match folder {
            Some(folder) => format!("{folder}/{name}"),
            None => name.to_owned(),
        };
        let Some(member) = readable(&name).filter(|member| members.is_at_hand(member)) else {
            continue;
        };
        let stated = Stated {
            hex: hex.to_owned(),
            by: members.called(&sums.name),
        };
        let blame = |error| members.place(&member).blame(error);
        let mut summer = stated.summer();
        let mut reader = members.open(&member)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = reader.read(&mut buffer).map_err(blame)?;
            if count == 0 {
                break;
            }
            summer.update(&buffer[..count]);
        }
        stated.check(summer).map_err(blame)?;
    }
    Ok(())
}

/// The names that a member lists, if it is a checksum file.
pub(crate) fn summed(members: &Members, sums: &Member) -> Result<Vec<String>> {
    if sums.size > MOST || !is_named_so(&sums.name) || !members.is_at_hand(sums) {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&members.document(sums, MOST)?).into_owned();
    let names = lines(&text).into_iter().filter_map(|(_, name)| name);
    Ok(names
        .map(|name| name.trim_start_matches("./").to_owned())
        .collect())
}

fn is_named_so(name: &str) -> bool {
    let name = last(name).to_ascii_lowercase();
    [
        "sha512sum",
        "sha256sum",
        "sha512sums",
        "sha256sums",
        "sha512",
        "sha256",
    ]
    .iter()
    .any(|ending| name.ends_with(ending))
        || matches!(
            last(&name),
            "sha256sum.txt" | "sha512sum.txt" | "checksums.txt"
        )
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The lines of a checksum file: the digest in lower case hex as it is spelled, and the name if
/// there is one. What is no such line does not count.
fn lines(text: &str) -> Vec<(&str, Option<&str>)> {
    let lines = text.lines().filter_map(|line| {
        let line = line.trim();
        let (hex, name) = match line.split_once(char::is_whitespace) {
            Some((hex, name)) => (hex, Some(name.trim_start().trim_start_matches('*'))),
            None => (line, None),
        };
        let is_hex = matches!(hex.len(), 64 | 128)
            && hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then_some((hex, name))
    });
    lines.collect()
}

/// A reader that sums what it gives.
pub(super) struct Summed<R> {
    pub(super) input: R,
    pub(super) summer: Option<Summer>,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        if let Some(summer) = &mut self.summer {
            summer.update(&buffer[..count]);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_sha512sum_writes_them() {
        let sum = "ab".repeat(64);
        let text = format!(
            "{sum}  a.tar\n{sum} *dir/b.tar\n# comment\n\n{}\n",
            "0".repeat(64)
        );
        let zeros = "0".repeat(64);
        assert_eq!(
            lines(&text),
            [
                (sum.as_str(), Some("a.tar")),
                (sum.as_str(), Some("dir/b.tar")),
                (zeros.as_str(), None)
            ]
        );
    }

    #[test]
    fn a_checksum_beside_a_file_is_found_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let tar = dir.path().join("m_1_amd64.tar");
        std::fs::write(&tar, b"x").expect("written");
        assert_eq!(beside(&tar).expect("looked"), None);
        let sum = "cd".repeat(32);
        let file = dir.path().join("m_1_amd64_checksum.sha256sum");
        std::fs::write(&file, format!("{sum}  m_1_amd64.tar\n")).expect("written");
        let stated = beside(&tar).expect("looked").expect("found");
        assert_eq!(stated.hex, sum);
        assert!(stated.check(stated.summer()).is_err());
    }
}
