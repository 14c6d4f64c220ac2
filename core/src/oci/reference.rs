//! References: `registry/repository:tag@digest`, normalised as Docker does.
//!
//! Grammar: distribution's *reference* package; OCI distribution specification, "Pulling
//! manifests". A name without a registry is Docker Hub's, one without a path there is `library`'s,
//! one without tag and digest is `latest`.

use std::fmt;
use std::str::FromStr;

use super::Digest;
use crate::error::{Error, ErrorKind};

/// A normalised reference. Ordered as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// The registry, with its port: `docker.io`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry: `library/nginx`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; absent only beside a digest.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where the reference pins one.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The last component of the repository: `nginx`.
    #[must_use]
    pub fn last_component(&self) -> &str {
        self.repository
            .rsplit('/')
            .next()
            .unwrap_or(&self.repository)
    }

    /// The shortest spelling that normalises to this: `nginx:1.25`. What Docker prints.
    #[must_use]
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        match full.strip_prefix("docker.io/") {
            Some(hub) => hub
                .strip_prefix("library/")
                .filter(|r| !r.contains('/'))
                .unwrap_or(hub),
            None => &full,
        }
        .to_owned()
    }

    /// The same reference with another last component and tag.
    pub fn with_name(&self, last_component: &str, tag: Option<&str>) -> Result<Self, Error> {
        let parent = self.repository.rsplit_once('/').map(|(parent, _)| parent);
        let repository = match parent {
            Some(parent) => format!("{parent}/{last_component}"),
            None => last_component.to_owned(),
        };
        let mut text = format!("{}/{repository}", self.registry);
        if let Some(tag) = tag {
            text.push(':');
            text.push_str(tag);
        }
        text.parse()
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(300).collect();
            Error::new(
                ErrorKind::Usage,
                format!("`{shown}` is not an image reference: {why}"),
            )
            .hint("a reference is `[registry/]repository[:tag][@digest]`, in lower case")
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest
                    .parse()
                    .map_err(|_| wrong("its digest is malformed"))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        // A colon after the last slash starts a tag; one before it, a port.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[name_start..].find(':') {
            Some(colon) => (
                &rest[..name_start + colon],
                Some(&rest[name_start + colon + 1..]),
            ),
            None => (rest, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((first, path)) if is_registry(first) => (first, path.to_owned()),
            _ => ("docker.io", name.to_owned()),
        };
        let registry = if registry == "index.docker.io" {
            "docker.io"
        } else {
            registry
        };
        let repository = if registry == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository
        };
        if !is_host(registry) {
            return Err(wrong("its registry is malformed"));
        }
        if repository.len() + registry.len() > 512 || !repository.split('/').all(is_component) {
            return Err(wrong("its repository is malformed"));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("its tag is malformed"));
        }
        let tag = match (tag, &digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag,
            digest,
        })
    }
}

/// Whether the first component of a name is a registry rather than a path.
fn is_registry(component: &str) -> bool {
    component == "localhost"
        || component.contains(['.', ':', '['])
        || component.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                let hexadecimal = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
                if address.is_empty() || !address.bytes().all(hexadecimal) {
                    return false;
                }
                (
                    "v6",
                    port.strip_prefix(':')
                        .or((!port.is_empty()).then_some("bad")),
                )
            }
            None => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let port_is_fine = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    name.split('.').all(label) && port.is_none_or(port_is_fine)
}

/// Lower-case words joined by `.`, `_`, `__` or dashes.
fn is_component(component: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(|b| word(*b));
    if !ends(bytes.first()) || !ends(bytes.last()) {
        return false;
    }
    let separators = component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    separators.into_iter().all(|separator| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
    })
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_docker_fills_in() {
        for (typed, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("index.docker.io/acme/app", "docker.io/acme/app:latest"),
            ("localhost/app:1", "localhost/app:1"),
            (
                "10.5.14.40/daocloud/dao-2048:v1.4.1",
                "10.5.14.40/daocloud/dao-2048:v1.4.1",
            ),
            (
                "harbor.local:8443/p/a__b-c--d.e:T_1",
                "harbor.local:8443/p/a__b-c--d.e:T_1",
            ),
            ("[::1]:5000/a:b", "[::1]:5000/a:b"),
        ] {
            let reference: Reference = typed.parse().expect(typed);
            assert_eq!(reference.to_string(), full);
            assert_eq!(full.parse::<Reference>().expect(full), reference);
            let familiar = reference.familiar();
            assert_eq!(familiar.parse::<Reference>().expect("familiar"), reference);
        }
    }

    #[test]
    fn a_digest_stands_without_a_tag() {
        let digest = Digest::of(b"");
        let pinned: Reference = format!("app@{digest}").parse().expect("valid");
        assert_eq!((pinned.tag(), pinned.digest()), (None, Some(&digest)));
    }

    #[test]
    fn refuses_what_no_registry_takes() {
        for wrong in [
            "",
            "UPPER/",
            "a//b",
            "a/../b",
            "-a",
            "a:",
            "a:b:c",
            "a@sha256:00",
            "a b",
            "a.-b",
            "[::1/a",
        ] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
        }
    }
}
