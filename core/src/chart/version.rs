//! Versions of charts and tags: semantic versions, as loosely as Helm reads them (`v1.2`).

use std::cmp::Ordering;

/// A version that can be told from a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: [u64; 3],
    /// What stands behind a hyphen; a version without it is later.
    pre: Vec<Part>,
}

/// A part of a pre-release: numbers come before words (Semantic Versioning 2.0, section 11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Version {
    /// The version that `text` is, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        // Tags have `_` where versions have `+`.
        let plain = text.split(['+', '_']).next()?;
        let (core, pre) = match plain.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (plain, None),
        };
        let mut numbers = [0; 3];
        let mut parts = core.split('.');
        for (at, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => *number = part.parse().ok()?,
                None if at > 0 => {}
                None => return None,
            }
        }
        if parts.next().is_some() {
            return None;
        }
        let part = |text: &str| match text.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Word(text.to_owned()),
        };
        let pre = pre.into_iter().flat_map(|pre| pre.split('.').map(part));
        Some(Self {
            numbers,
            pre: pre.collect(),
        })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let released = (self.pre.is_empty()).cmp(&other.pre.is_empty());
        (self.numbers.cmp(&other.numbers))
            .then(released)
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which of two versions is the later one. What is no version comes before those that are.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    (Version::parse(one).cmp(&Version::parse(other))).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_versions_come_later() {
        let sorted = [
            "latest",
            "0.9",
            "v1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "v1.0.1+build",
            "1.2",
            "1.10.0",
            "20240101",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("1.0", "1.0"), Ordering::Equal);
        for text in ["", "v", "1.x", "1.2.3.4", "alpine"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
