//! From what an archive calls an image to the reference that the output carries: `--name`,
//! `--strip-arch-suffix`, `--rename`, and the globs that choose.

use glob::Pattern;

use super::FuseOptions;
use crate::archive::Name;
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{Platform, Reference};

/// The pattern that `glob` is.
pub(crate) fn pattern(glob: &str) -> Result<Pattern> {
    Pattern::new(glob).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("`{glob}` is not a glob: {error}"))
            .hint("`*` stands for anything, `?` for one character, `[ab]` for one of them")
    })
}

/// Names images as the options say.
#[derive(Debug)]
pub(crate) struct Naming<'a> {
    options: &'a FuseOptions,
    images: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl<'a> Naming<'a> {
    pub(crate) fn new(options: &'a FuseOptions) -> Result<Self> {
        let patterns = |globs: &[String]| {
            let patterns = globs.iter().map(|glob| pattern(glob));
            patterns.collect::<Result<Vec<_>>>()
        };
        if let Some(name) = &options.name {
            name.parse::<Reference>()?;
        }
        Ok(Self {
            options,
            images: patterns(&options.images)?,
            exclude: patterns(&options.exclude)?,
        })
    }

    /// The reference of an image that its archive calls `name` and that runs on `platforms`.
    pub(crate) fn reference(&self, name: &Name, platforms: &[&Platform]) -> Result<Reference> {
        self.place(name, platforms).map(|(reference, _)| reference)
    }

    /// The same, and whether a `--rename` gave it a registry by name, in which it then stays.
    pub(crate) fn place(&self, name: &Name, platforms: &[&Platform]) -> Result<(Reference, bool)> {
        if let Some(only) = &self.options.only {
            return Ok((only.reference.clone(), true));
        }
        let named = self.named(name)?;
        let stripped = if self.options.strip_arch_suffix {
            match platforms {
                [platform] => without_suffix(&named, platform)?,
                _ => named,
            }
        } else {
            named
        };
        self.renamed(stripped)
    }

    fn named(&self, name: &Name) -> Result<Reference> {
        match (name, &self.options.name) {
            (Name::Full(full), _) => full.parse().map_err(|error: Error| {
                error.with_kind(ErrorKind::InvalidArchive).hint(
                    "choose the other images with `--image`, or leave it out with `--exclude`",
                )
            }),
            (Name::Tag(tag), Some(name)) => {
                let reference: Reference = name.parse()?;
                let last = name.rsplit('/').next().unwrap_or(name);
                if last.contains([':', '@']) {
                    Ok(reference)
                } else {
                    reference.with_name(reference.last_component(), Some(tag))
                }
            }
            (Name::None, Some(name)) => name.parse(),
            (Name::Tag(tag), None) => Err(Error::new(
                ErrorKind::InvalidArchive,
                format!("the archive gives an image only the tag `{tag}`, no repository"),
            )
            .hint("say which image it is with `--name REPOSITORY`")),
            (Name::None, None) => Err(Error::new(
                ErrorKind::InvalidArchive,
                "the archive does not name an image",
            )
            .hint("say which image it is with `--name REFERENCE`")),
        }
    }

    fn renamed(&self, reference: Reference) -> Result<(Reference, bool)> {
        let full = reference.to_string();
        for (from, to) in &self.options.rename {
            let Some(rest) = full.strip_prefix(from.as_str()) else {
                continue;
            };
            let at_boundary =
                rest.is_empty() || from.ends_with(['/', ':']) || rest.starts_with(['/', ':', '@']);
            if at_boundary {
                let renamed = format!("{to}{rest}")
                    .parse::<Reference>()
                    .map_err(|error| {
                        error.hint(format!(
                            "`--rename {from}={to}` makes `{to}{rest}` of `{full}`"
                        ))
                    })?;
                let stays = format!("{to}{rest}").starts_with(&format!("{}/", renamed.registry()));
                return Ok((renamed, stays));
            }
        }
        Ok((reference, false))
    }

    /// Whether the globs choose the image.
    pub(crate) fn chooses(&self, reference: &Reference, spelled: Option<&str>) -> bool {
        let full = reference.to_string();
        let familiar = reference.familiar();
        let matches = |pattern: &Pattern| {
            pattern.matches(&full)
                || pattern.matches(&familiar)
                || spelled.is_some_and(|spelled| pattern.matches(spelled))
        };
        (self.images.is_empty() || self.images.iter().any(matches))
            && !self.exclude.iter().any(matches)
    }
}

/// Every way to write an architecture at the end of a name.
fn spellings(platform: &Platform) -> Vec<String> {
    let architecture = platform.architecture();
    let mut spellings: Vec<String> = match architecture {
        "amd64" => ["amd64", "x86_64", "x86-64", "x64"]
            .map(str::to_owned)
            .to_vec(),
        "arm64" => ["arm64", "aarch64", "arm64v8", "arm64-v8", "arm64_v8"]
            .map(str::to_owned)
            .to_vec(),
        "386" => ["386", "i386", "i686"].map(str::to_owned).to_vec(),
        other => vec![other.to_owned()],
    };
    if let (Some(variant), "arm") = (platform.variant(), architecture) {
        let number = variant.trim_start_matches('v');
        for spelling in ["armv", "arm-v", "arm_v", "arm32v"] {
            spellings.push(format!("{spelling}{number}"));
        }
        if number == "7" {
            spellings.push("armhf".to_owned());
        }
    }
    // The longest first: `arm64-v8` before `arm64`.
    spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    spellings
}

/// `text` without the architecture at its end; `None` if it does not end in it.
fn strip<'a>(text: &'a str, platform: &Platform) -> Option<&'a str> {
    let rest = spellings(platform)
        .into_iter()
        .find_map(|s| text.strip_suffix(s.as_str()))?;
    if rest.is_empty() {
        return Some(rest);
    }
    let rest = rest.strip_suffix(['-', '_', '.'])?;
    let system = platform.os();
    if rest == system {
        return Some("");
    }
    match rest
        .strip_suffix(system)
        .and_then(|rest| rest.strip_suffix(['-', '_', '.']))
    {
        Some(shorter) if !shorter.is_empty() => Some(shorter),
        _ => Some(rest),
    }
}

fn without_suffix(reference: &Reference, platform: &Platform) -> Result<Reference> {
    let last = reference.last_component();
    if let Some(tag) = reference.tag().and_then(|tag| strip(tag, platform)) {
        // A tag that is nothing but the architecture stands for the only version there is.
        let tag = if tag.is_empty() { "latest" } else { tag };
        return reference.with_name(last, Some(tag));
    }
    match strip(last, platform) {
        Some(name) if !name.is_empty() => reference.with_name(name, reference.tag()),
        _ => Ok(reference.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().expect("a platform")
    }

    #[test]
    fn architecture_suffixes_come_off_only_where_the_image_agrees() {
        let options = FuseOptions {
            strip_arch_suffix: true,
            ..FuseOptions::default()
        };
        let naming = Naming::new(&options).expect("valid");
        for (spelled, on, expected) in [
            ("app:1.5-arm64", "linux/arm64", "docker.io/library/app:1.5"),
            (
                "app-linux-arm64:1.5",
                "linux/arm64",
                "docker.io/library/app:1.5",
            ),
            (
                "app:1.5-linux-amd64",
                "linux/amd64",
                "docker.io/library/app:1.5",
            ),
            ("app:1.5_x86_64", "linux/amd64", "docker.io/library/app:1.5"),
            ("app:1.5-armv7", "linux/arm/v7", "docker.io/library/app:1.5"),
            ("app:arm64", "linux/arm64", "docker.io/library/app:latest"),
            (
                "app:1.5-arm64",
                "linux/amd64",
                "docker.io/library/app:1.5-arm64",
            ),
            ("charm64:1", "linux/arm64", "docker.io/library/charm64:1"),
        ] {
            let name = Name::Full(spelled.to_owned());
            let reference = naming.reference(&name, &[&platform(on)]).expect("named");
            assert_eq!(reference.to_string(), expected, "{spelled} on {on}");
        }
    }

    #[test]
    fn prefixes_are_replaced_at_boundaries() {
        let rename = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let options = FuseOptions {
            rename: vec![
                rename("localhost", "docker.io/library"),
                rename("ghcr.io/", "h.io/p/"),
            ],
            ..FuseOptions::default()
        };
        let naming = Naming::new(&options).expect("valid");
        for (spelled, expected) in [
            ("localhost/app:1", "docker.io/library/app:1"),
            ("ghcr.io/acme/app:1", "h.io/p/acme/app:1"),
            ("localhost.io/app:1", "localhost.io/app:1"),
        ] {
            let name = Name::Full(spelled.to_owned());
            let reference = naming.reference(&name, &[]).expect("named");
            assert_eq!(reference.to_string(), expected);
        }
    }

    #[test]
    fn a_bare_tag_needs_a_repository() {
        let options = FuseOptions::default();
        let bare = Name::Tag("1.5".to_owned());
        let error = Naming::new(&options)
            .expect("valid")
            .reference(&bare, &[])
            .expect_err("bare");
        assert!(error.get_hint().expect("a hint").contains("--name"));
        let options = FuseOptions {
            name: Some("acme/app".to_owned()),
            ..options
        };
        let named = Naming::new(&options)
            .expect("valid")
            .reference(&bare, &[])
            .expect("named");
        assert_eq!(named.to_string(), "docker.io/acme/app:1.5");
    }
}
