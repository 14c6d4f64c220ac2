//! What images of charts are called in the registry that they go to.

use super::Names;
use super::target::{Base, Target, in_a_path};
use crate::error::Result;
use crate::oci::Reference;

/// What charts-syncer, which normalises as go-containerregistry does, calls Docker Hub.
const HUB: &str = "index.docker.io";

/// How images of charts get their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relocation {
    /// As charts-syncer names them.
    Rules(Rules),
    /// As `push` names them.
    Names {
        /// What all names begin with.
        base: Base,
        /// What follows.
        names: Names,
    },
}

/// The rules of a charts-syncer configuration, below `target`. Paths come without slashes around
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// `containerRegistry`: the registry instead of the image's own.
    pub(super) registry: Option<Base>,
    /// `containerRepository`: the path instead of all but the last component of the image's own.
    pub(super) repository: Option<String>,
    /// `containerPrefixRegistry`: the registry; the image's own goes before its path.
    pub(super) prefix_registry: Option<Base>,
    /// `containerPrefixRepository`: a path before the image's own.
    pub(super) prefix_repository: Option<String>,
    /// `appendOriginRegistry`: the image's own registry counts as part of the registry.
    pub(super) append_origin: bool,
}

impl Relocation {
    /// Where all images go; `None`: each stays in its registry.
    pub(super) fn base(&self) -> Option<&Base> {
        match self {
            Self::Rules(rules) => rules.to(),
            Self::Names { base, .. } => Some(base),
        }
    }

    /// The registry and the repository of an image, as a chart names them in two values. A
    /// registry may have a path behind it. `spelled` is how the chart spells `reference`: as if in
    /// two values, where that makes a difference (`docker.io/nginx`, `localhost/app`).
    pub(super) fn place(&self, reference: &Reference, spelled: &str) -> Result<(String, String)> {
        match self {
            Self::Rules(rules) => Ok(rules.place(reference, spelled)),
            Self::Names { base, names } => {
                let target = base.named(reference, *names)?;
                Ok((target.host, target.repository))
            }
        }
    }

    /// Where an image is sent: what [`place`](Self::place) says, by the registry's own names.
    pub(super) fn target(&self, reference: &Reference, spelled: &str) -> Result<Target> {
        let (registry, repository) = self.place(reference, spelled)?;
        let mut target = Target::of(reference);
        let named: Reference = format!("{registry}/{repository}").parse()?;
        named.registry().clone_into(&mut target.host);
        named.repository().clone_into(&mut target.repository);
        Ok(target)
    }
}

impl Rules {
    /// Whether any of them moves an image.
    pub(super) fn any(&self) -> bool {
        self.to().is_some() || self.repository.is_some() || self.prefix_repository.is_some()
    }

    /// Where all images go; `None`: each stays in its registry.
    pub(super) fn to(&self) -> Option<&Base> {
        self.prefix_registry.as_ref().or(self.registry.as_ref())
    }

    fn place(&self, reference: &Reference, spelled: &str) -> (String, String) {
        let own = Own::of(reference, spelled);
        let registry = match (self.to(), &self.prefix_registry) {
            (Some(base), Some(_)) if self.append_origin => {
                format!("{}/{}", base, in_a_path(own.registry))
            }
            (Some(base), _) => base.to_string(),
            (None, _) => reference.registry().to_owned(),
        };
        if let Some(path) = &self.repository {
            return (registry, format!("{path}/{}", reference.last_component()));
        }
        let prefixed = match &self.prefix_repository {
            Some(prefix) => format!("{prefix}/{}", own.path),
            None => own.path.clone(),
        };
        let repository = match (&self.prefix_registry, &self.prefix_repository) {
            (Some(_), _) if self.append_origin => own.as_written,
            (Some(_), _) => format!("{}/{prefixed}", in_a_path(own.registry)),
            (None, Some(_)) => prefixed,
            (None, None) => own.as_written,
        };
        (registry, repository)
    }
}

/// An image's own name, as charts-syncer understands it.
struct Own<'a> {
    registry: &'a str,
    path: String,
    /// The path where nothing changes it. Charts have registry and repository in values of their
    /// own; then charts-syncer leaves the repository's alone, so `docker.io` and `nginx` do not
    /// become `library/nginx`.
    as_written: String,
}

impl<'a> Own<'a> {
    fn of(reference: &'a Reference, spelled: &str) -> Self {
        let repository = reference.repository();
        let (registry, path) = match reference.registry() {
            "docker.io" => (HUB, repository.to_owned()),
            // Without dot and port, this is a path on Docker Hub to charts-syncer.
            "localhost" => (HUB, format!("localhost/{repository}")),
            registry => (registry, repository.to_owned()),
        };
        let written = match spelled.split_once('/') {
            Some(("localhost", _)) => Some(repository),
            Some(("docker.io" | HUB, rest)) if !rest.contains('/') => {
                repository.strip_prefix("library/")
            }
            _ => None,
        };
        let as_written = written.map_or_else(|| path.clone(), str::to_owned);
        Self {
            registry,
            path,
            as_written,
        }
    }
}

#[cfg(test)]
mod tests;
