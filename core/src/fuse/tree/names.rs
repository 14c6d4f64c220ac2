//! File names with architectures in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::oci::Platform;

/// Words for architectures, as file names spell them.
const ARCHITECTURES: &[&str] = &[
    "amd64", "x86_64", "x86-64", "x64", "arm64", "aarch64", "arm64v8", "armv7", "armhf", "arm32v7",
    "ppc64le", "s390x", "riscv64",
];

/// `name` without words for architectures: `images-amd64.tar` is `images.tar`, and a folder
/// `arm64/` is none.
pub(super) fn without_architecture(name: &str) -> String {
    let parts: Vec<String> = name.split('/').map(part).collect();
    let kept = |at: usize, part: &String| !part.is_empty() || (at > 0 && at + 1 == parts.len());
    let parts: Vec<&str> = (parts.iter().enumerate())
        .filter(|(at, part)| kept(*at, part))
        .map(|(_, part)| part.as_str())
        .collect();
    parts.join("/")
}

fn part(name: &str) -> String {
    let mut name = name.to_owned();
    for word in ARCHITECTURES {
        while let Some(at) = find_word(&name, word) {
            let mut start = at;
            let mut end = at + word.len();
            // One separator goes with it.
            if start > 0 {
                start -= 1;
            } else if end < name.len() {
                end += 1;
            }
            name.replace_range(start..end, "");
        }
    }
    name
}

/// Where `word` stands by itself, in whatever case.
fn find_word(name: &str, word: &str) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let apart = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let mut places = lower.match_indices(word).map(|(at, _)| at);
    places.find(|at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        apart(before) && apart(bytes.get(at + word.len()))
    })
}

/// What things of these names are called when they are one: the name, if it is the same; the name
/// without architectures, if that is; else the first.
pub(super) fn common(names: &[&str]) -> String {
    let Some(first) = names.first() else {
        return String::new();
    };
    if names.iter().all(|name| name == first) {
        return (*first).to_owned();
    }
    let stripped = without_architecture(first);
    let same = names
        .iter()
        .all(|name| without_architecture(name) == stripped);
    if same && !stripped.trim_matches('/').is_empty() {
        stripped
    } else {
        (*first).to_owned()
    }
}

/// A name beside `name` that says `label`, in front of what tells its kind.
pub(super) fn beside(name: &str, label: &str) -> String {
    let (folder, last) = match name.rsplit_once('/') {
        Some((folder, last)) => (format!("{folder}/"), last),
        None => (String::new(), name),
    };
    let kind = |ending: &str| {
        (1..=6).contains(&ending.len())
            && ending.starts_with(|first: char| first.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
            // A checksum of the file that keeps its name: beside it, it would say something wrong.
            && !ending.starts_with("sha")
    };
    let split = match last.rsplit_once('.') {
        Some((stem, ending)) if kind(ending) && !stem.is_empty() => match stem.rsplit_once('.') {
            Some((shorter, "tar")) if !shorter.is_empty() => {
                Some((shorter, format!("tar.{ending}")))
            }
            _ => Some((stem, ending.to_owned())),
        },
        _ => None,
    };
    match split {
        Some((stem, ending)) => format!("{folder}{stem}.{label}.{ending}"),
        None => format!("{folder}{last}.{label}"),
    }
}

/// What stands for each source in a file name, by its number: its platforms, if nothing else has
/// the same.
pub(super) fn labels(sources: &[(BTreeSet<Platform>, usize)]) -> BTreeMap<usize, String> {
    let mut labels: BTreeMap<usize, String> = BTreeMap::new();
    for (number, (platforms, at)) in sources.iter().enumerate() {
        let names: Vec<String> = platforms
            .iter()
            .map(|platform| platform.to_string().replace(['/', ':'], "-"))
            .collect();
        let mut label = names.join("+");
        if label.is_empty() || labels.values().any(|taken| *taken == label) {
            label = format!("source-{}", number + 1);
        }
        labels.insert(*at, label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_come_off_names() {
        for (name, without) in [
            ("images-amd64.tar", "images.tar"),
            ("images_x86_64.tar", "images.tar"),
            ("arm64/images.tar", "images.tar"),
            ("data/arm64/files/", "data/files/"),
            ("addon-v0.12.0-arm64/", "addon-v0.12.0/"),
            ("charm64.tar", "charm64.tar"),
            (
                "k3s-airgap-images-AMD64.tar.zst",
                "k3s-airgap-images.tar.zst",
            ),
        ] {
            assert_eq!(without_architecture(name), without, "{name}");
        }
    }

    #[test]
    fn what_is_one_gets_one_name() {
        assert_eq!(common(&["a/b.tar", "a/b.tar"]), "a/b.tar");
        assert_eq!(common(&["p-amd64/", "p-arm64/"]), "p/");
        assert_eq!(common(&["one.tar", "two.tar"]), "one.tar");
        assert_eq!(common(&["amd64/", "arm64/"]), "amd64/");
    }

    #[test]
    fn a_file_beside_another_says_its_platform() {
        for (name, beside_it) in [
            ("bin/charts-syncer", "bin/charts-syncer.linux-arm64"),
            ("manifest.yaml", "manifest.linux-arm64.yaml"),
            ("x/files.tar.gz", "x/files.linux-arm64.tar.gz"),
            ("kubeadm-v1.2.3", "kubeadm-v1.2.3.linux-arm64"),
            ("tool.sha512", "tool.sha512.linux-arm64"),
            (".profile", ".profile.linux-arm64"),
        ] {
            assert_eq!(beside(name, "linux-arm64"), beside_it, "{name}");
        }
    }
}
