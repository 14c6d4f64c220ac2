//! Versions of charts in their order (semver.org, taken as loosely as Helm takes it).

use std::cmp::Ordering;

/// A version, compared by its precedence; what is none comes before all others.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(Option<([u64; 3], Pre)>);

/// What stands behind `-`: a version without is newer than one with it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    Some(Vec<Part>),
    None,
}

/// Numbers come before words.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(u64),
    Word(String),
}

impl Version {
    /// `v1.2` is 1.2.0; what stands behind `+` does not count.
    pub(super) fn parse(text: &str) -> Self {
        Self(parse(text))
    }
}

fn parse(text: &str) -> Option<([u64; 3], Pre)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split('+').next()?;
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let mut numbers = [0; 3];
    let parts: Vec<&str> = release.split('.').collect();
    if parts.len() > numbers.len() {
        return None;
    }
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().ok()?;
    }
    let pre = match pre {
        Some(pre) => Pre::Some(pre.split('.').map(Part::of).collect()),
        None => Pre::None,
    };
    Some((numbers, pre))
}

impl Part {
    fn of(text: &str) -> Self {
        match text.parse() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Word(text.to_owned()),
        }
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::Word(one), Self::Word(other)) => one.cmp(other),
            (Self::Number(_), Self::Word(_)) => Ordering::Less,
            (Self::Word(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_semver() {
        let order = [
            "latest",
            "0.9.10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "v1.2",
            "1.10.0",
            "2",
        ];
        for pair in order.windows(2) {
            let [one, other] = [pair[0], pair[1]].map(Version::parse);
            assert!(one < other, "{pair:?}");
        }
        assert_eq!(Version::parse("1.0.0+a"), Version::parse("1.0.0+b"));
        assert_eq!(Version::parse("1.2.3.4"), Version::parse(""));
    }
}
