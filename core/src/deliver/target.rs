//! What images are called in a registry.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Names;
use super::find::Finder;
use super::relocation::Relocation;
use crate::archive::Name;
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::select::Selected;
use crate::fuse::{FuseOptions, naming};
use crate::oci::Reference;
use crate::registry::{Client, Repository};
use crate::settings::{has_user, user_in_name};

/// Where a run pushes to: a registry, and the path in it that all names begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    /// With its port.
    pub(super) host: String,
    /// Without slashes around it; may be empty.
    pub(super) prefix: String,
}

impl Base {
    /// What `HOST[:PORT][/PREFIX]` names, with `docker://` before it or not.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let name = text.strip_prefix("docker://").unwrap_or(text);
        if has_user(name) {
            return Err(user_in_name());
        }
        let (host, prefix) = name.split_once('/').unwrap_or((name, ""));
        let prefix = prefix.trim_end_matches('/');
        let wrong = |why: &str| {
            Error::new(
                ErrorKind::Usage,
                format!("`{text}` is no place to push to: {why}"),
            )
            .hint("write `HOST[:PORT][/PREFIX]`: `harbor.local/addons`")
        };
        if host.contains("://") || host.ends_with(':') {
            return Err(wrong("a registry is named without `http://`"));
        }
        // A registry and a repository in it, as strictly as references are read.
        let probe = match prefix {
            "" => format!("{host}/x"),
            prefix => format!("{host}/{prefix}/x"),
        };
        // A name without dot, port or slash is a path to whoever reads references.
        let named: Reference = match probe.parse() {
            Ok(named) => named,
            Err(_) if prefix.contains([':', '@']) => {
                return Err(wrong("tags are those of the images"));
            }
            Err(_) => return Err(wrong("it is malformed")),
        };
        if named.registry() != host {
            let why = format!("`{host}` is no registry: it has neither a dot nor a port");
            return Err(wrong(&why));
        }
        Ok(Self {
            host: host.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// Where an image goes that is called `reference`.
    pub(super) fn named(&self, reference: &Reference, names: Names) -> Result<Target> {
        let path = match names {
            Names::Path => reference.repository().to_owned(),
            Names::Last => reference.last_component().to_owned(),
            Names::Origin => {
                let registry = in_a_path(reference.registry());
                format!("{registry}/{}", reference.repository())
            }
        };
        let path = match self.prefix.as_str() {
            "" => path,
            prefix => format!("{prefix}/{path}"),
        };
        let named = format!("{}/{path}", self.host);
        let parsed: Reference = named.parse().map_err(|_| {
            let message = format!("`{path}` is no name for a repository ({reference})");
            Error::new(ErrorKind::Usage, message).hint("give the image another with `--rename`")
        })?;
        Ok(Target {
            host: self.host.clone(),
            // `docker.io/app` would become `library/app`, which is what Docker Hub wants.
            repository: parsed.repository().to_owned(),
            under: under(reference),
        })
    }
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.prefix.as_str() {
            "" => f.write_str(&self.host),
            prefix => write!(f, "{}/{prefix}", self.host),
        }
    }
}

/// One name in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) repository: String,
    pub(super) under: Under,
}

/// What stands behind the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Under {
    Tag(String),
    /// Only a digest: there is no tag to write.
    Digest(String),
}

impl Under {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Digest(text) => text,
        }
    }
}

/// A registry as part of a path, in which a port's colon has no place.
pub(super) fn in_a_path(registry: &str) -> String {
    registry.to_lowercase().replace(':', "-")
}

fn under(reference: &Reference) -> Under {
    match (reference.tag(), reference.digest()) {
        (Some(tag), _) => Under::Tag(tag.to_owned()),
        (None, Some(digest)) => Under::Digest(digest.to_string()),
        (None, None) => Under::Tag("latest".to_owned()),
    }
}

impl Target {
    /// The repository, by way of `client`.
    pub(super) fn repository(&self, client: &Client) -> Repository {
        client.repository(&self.host, &self.repository)
    }

    /// Where it is: the registry and its path.
    pub(super) fn base(&self) -> Base {
        Base {
            host: self.host.clone(),
            prefix: format!("{}:{}", self.repository, self.under.text()),
        }
    }

    /// The target that `reference` is.
    pub(super) fn of(reference: &Reference) -> Self {
        Self {
            host: reference.registry().to_owned(),
            repository: reference.repository().to_owned(),
            under: under(reference),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = match self.under {
            Under::Tag(_) => ':',
            Under::Digest(_) => '@',
        };
        let Self {
            host,
            repository,
            under,
        } = self;
        write!(f, "{host}/{repository}{separator}{}", under.text())
    }
}

/// What images are called where they go.
#[derive(Debug, Clone)]
pub(super) enum Naming {
    /// All of them are one.
    Only(Target),
    /// By their own names.
    Moved(Relocation),
    /// By their own names, in the way that the registry has some of them already.
    Found(Arc<Finder>),
    /// So, but for images whose charts write the end of the path themselves: there it follows
    /// behind.
    Tailed(Box<Self>, Tails),
}

/// Paths that charts write themselves, by the images whose names end in them.
pub(super) type Tails = Arc<BTreeMap<Reference, String>>;

impl Naming {
    /// By their own names, below `base`.
    pub(super) const fn below(base: Base, names: Names) -> Self {
        Self::Moved(Relocation::Names { base, names })
    }

    /// Where `selected` goes.
    pub(super) fn target(&self, selected: &Selected) -> Result<Target> {
        self.place(&selected.reference, selected.stays)
    }

    /// Where the image `reference` goes; it `stays` where a `--rename` put it.
    pub(super) fn place(&self, reference: &Reference, stays: bool) -> Result<Target> {
        match self {
            Self::Only(target) => Ok(target.clone()),
            _ if stays => Ok(Target::of(reference)),
            Self::Moved(relocation) => relocation.target(reference, &reference.to_string()),
            Self::Found(finder) => finder.base().named(reference, finder.names()),
            Self::Tailed(naming, tails) => {
                let mut target = naming.place(reference, stays)?;
                append(&mut target.repository, tails.get(reference));
                Ok(target)
            }
        }
    }

    /// Where the image goes that a chart calls `spelled`.
    pub(super) fn of_chart(&self, spelled: &str, options: &FuseOptions) -> Result<Target> {
        let (reference, stays) = renamed(spelled, options)?;
        self.place(&reference, stays)
    }

    /// The registry and the repository by which a chart has to name what it calls `spelled`. A
    /// registry may have a path behind it.
    pub(super) fn values(&self, spelled: &str, options: &FuseOptions) -> Result<(String, String)> {
        let (reference, stays) = renamed(spelled, options)?;
        match self {
            Self::Moved(relocation) if !stays => relocation.place(&reference, spelled),
            Self::Tailed(naming, tails) if !stays => {
                let (registry, mut repository) = naming.values(spelled, options)?;
                append(&mut repository, tails.get(&reference));
                Ok((registry, repository))
            }
            _ => {
                let target = self.place(&reference, stays)?;
                Ok((target.host, target.repository))
            }
        }
    }
}

/// Adds a path that comes behind whatever is chosen, unless `repository` ends in it anyway. So does
/// charts-syncer.
fn append(repository: &mut String, tail: Option<&String>) {
    if let Some(tail) = tail
        && !format!("/{repository}").ends_with(tail.as_str())
    {
        repository.push_str(tail);
    }
}

/// What `--rename` makes of the name `spelled`, and whether it then stays there.
pub(super) fn renamed(spelled: &str, options: &FuseOptions) -> Result<(Reference, bool)> {
    naming::Naming::new(options)?.place(&Name::Full(spelled.to_owned()), &[])
}

/// The targets of all `images`, in their order. Two that would be one are an error.
pub(super) fn targets(naming: &Naming, images: &[Selected]) -> Result<Vec<Target>> {
    let mut taken: BTreeMap<Target, &Reference> = BTreeMap::new();
    let mut targets = Vec::new();
    let mut collisions = Vec::new();
    for image in images {
        let target = naming.target(image)?;
        if let Some(other) = taken.insert(target.clone(), &image.reference) {
            collisions.push(format!("{other} and {} at {target}", image.reference));
        }
        targets.push(target);
    }
    if collisions.is_empty() {
        return Ok(targets);
    }
    let message = format!(
        "several images would land on one name: {}",
        collisions.join("; ")
    );
    Err(Error::new(ErrorKind::Conflict, message)
        .hint("keep their registries with `--names origin`, or move one with `--rename`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::parse(text).expect("a place")
    }

    #[test]
    fn places_are_hosts_with_paths() {
        assert_eq!(base("harbor.local/addons/").prefix, "addons");
        assert_eq!(base("docker://127.0.0.1:5000").host, "127.0.0.1:5000");
        assert_eq!(base("localhost/a/b").prefix, "a/b");
        for wrong in [
            "",
            "harbor",
            "harbor/addons",
            "http://harbor.local/x",
            "harbor.local/Addons",
            "harbor.local/addons:1",
            "harbor.local//x",
            "me:s3cret@harbor.local/x",
            "https://me:s3cret@harbor.local/x",
        ] {
            let error = Base::parse(wrong).expect_err(wrong);
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.get_hint().is_some());
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn names_are_made_as_asked() {
        let named = |text: &str| text.parse::<Reference>().expect("a reference");
        let place = base("harbor.local/p");
        for (reference, names, expected) in [
            (
                "nginx:1.25",
                Names::Path,
                "harbor.local/p/library/nginx:1.25",
            ),
            ("ghcr.io/a/b/c:1", Names::Path, "harbor.local/p/a/b/c:1"),
            ("ghcr.io/a/b/c:1", Names::Last, "harbor.local/p/c:1"),
            (
                "ghcr.io/a/c:1",
                Names::Origin,
                "harbor.local/p/ghcr.io/a/c:1",
            ),
            (
                "Reg.local:5000/a/c:1",
                Names::Origin,
                "harbor.local/p/reg.local-5000/a/c:1",
            ),
        ] {
            let target = place.named(&named(reference), names);
            assert_eq!(target.expect("a name").to_string(), expected);
        }
        let naming = Naming::below(place, Names::Path);
        let stays = naming.place(&named("other.local/x/c:1"), true);
        assert_eq!(stays.expect("a name").to_string(), "other.local/x/c:1");
    }

    #[test]
    fn two_images_on_one_name_are_an_error() {
        let images =
            ["ghcr.io/a/app:1", "quay.io/b/app:1"].map(|name| Selected::named(name, false));
        let naming = Naming::below(base("h.local/p"), Names::Last);
        let error = targets(&naming, &images).expect_err("a collision");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let message = error.message();
        assert!(
            message.contains("ghcr.io/a/app:1") && message.contains("quay.io/b/app:1"),
            "{message}"
        );
    }
}
