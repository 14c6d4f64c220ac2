//! The reserved tags that claims stand under.
//!
//! A tag has at most 128 characters out of `[A-Za-z0-9_.-]` (distribution specification, "Pulling
//! manifests"): what is longer, or has others in it, is told by a hash.

use crate::oci::{Digest, Platform};

/// What stands between a tag and the platform that is claimed.
const MARK: &str = ".fusion-claim.";

/// The longest tag.
const LONGEST: usize = 128;

/// How many characters a platform takes at most.
const PLATFORM: usize = 32;

/// What the claims on `tag` begin with.
pub(super) fn prefix(tag: &str) -> String {
    match tag.len() + MARK.len() + PLATFORM <= LONGEST {
        true => format!("{tag}{MARK}"),
        false => format!("{}{MARK}", hash(tag)),
    }
}

/// Whether `tag` is one that claims stand under.
pub(in crate::deliver) fn is_claim(tag: &str) -> bool {
    tag.contains(MARK)
}

/// Where the claim on `platform` under `tag` stands.
pub(super) fn place(tag: &str, platform: &Platform) -> String {
    let spelled = platform.to_string();
    let plain = spelled.replace('/', "-");
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let name = match plain.len() <= PLATFORM && plain.bytes().all(fits) {
        true => plain,
        false => hash(&spelled),
    };
    format!("{}{name}", prefix(tag))
}

/// 32 characters that tell `text` from others.
fn hash(text: &str) -> String {
    let digest = Digest::of(text.as_bytes()).to_string();
    let hex = digest.rsplit(':').next().unwrap_or_default();
    hex.chars().take(PLATFORM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_tags_that_nobody_else_has() {
        let platform = |text: &str| text.parse::<Platform>().expect("a platform");
        let arm = platform("linux/arm/v7");
        assert_eq!(place("1.5", &arm), "1.5.fusion-claim.linux-arm-v7");
        let windows =
            Platform::new("windows", "amd64", None).with_os_version(Some("10.0.20348.1"), &[]);
        let long = "x".repeat(128);
        for (tag, platform) in [("1.5", &windows), (long.as_str(), &arm), (&long, &windows)] {
            let place = place(tag, platform);
            assert!(place.len() <= 128, "{place}");
            assert!(place.starts_with(&prefix(tag)), "{place}");
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(place.chars().all(fits), "{place}");
        }
        assert_ne!(prefix(&long), prefix(&"x".repeat(127)));
        assert_ne!(place("1", &windows), place("1", &platform("windows/amd64")));
    }
}
