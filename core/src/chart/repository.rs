//! Where charts are published: HARBOR, CHARTMUSEUM, OCI and LOCAL repositories.

mod address;
mod api;
mod artifact;
mod explain;
mod folder;
mod harbor;
mod museum;
mod registry;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::progress::Stop;
#[cfg(test)]
use crate::registry::Traffic;
use crate::registry::{Connect, Secret};
use crate::report::Warning;
use address::Address;
use explain::Remote;
use folder::Folder;
use harbor::HarborCharts;
use museum::Museum;
use registry::Artifacts;

/// The most bytes that a packaged chart may have. Helm keeps charts far below, ChartMuseum takes
/// 20 MiB unless it is told otherwise.
const MAX_PACKAGE: u64 = 64 << 20;

/// The kinds of repositories that charts are published to, by charts-syncer's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RepositoryKind {
    /// `HARBOR`: the `/chartrepo/` of Harbor before 2.8.
    Harbor,
    /// `CHARTMUSEUM`.
    ChartMuseum,
    /// `OCI`: charts as artifacts of a registry.
    Oci,
    /// `LOCAL`: a folder with an `index.yaml`.
    Local,
}

/// A repository as a configuration describes it.
#[derive(Clone)]
pub(crate) struct RepositorySpec {
    pub(crate) kind: RepositoryKind,
    /// `http://…`, `https://…`, for OCI also `oci://…`; unused for LOCAL.
    pub(crate) url: String,
    /// The folder, for LOCAL.
    pub(crate) path: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// Without the address, in which somebody may have written a password.
impl fmt::Debug for RepositorySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RepositorySpec")
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl RepositorySpec {
    /// Whether it is at `host`, which has its port.
    pub(crate) fn is_at(&self, host: &str) -> bool {
        let address = (self.url.split_once("://")).map_or(self.url.as_str(), |(_, rest)| rest);
        address.split('/').next() == Some(host)
    }
}

/// What a configuration calls what may have to be mended in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// The address.
    pub(crate) url: &'static str,
    /// User and password.
    pub(crate) auth: &'static str,
    /// The folder.
    pub(crate) path: &'static str,
}

impl Keys {
    /// Those of `fusion import-addon`.
    pub(crate) const ADDON: Self = Self {
        url: "imagesAndCharts.externalChartRepo",
        auth: "imagesAndCharts.externalChartRepoUsername",
        path: "imagesAndCharts.externalChartRepo",
    };

    /// Those of `fusion sync`.
    pub(crate) const SYNC: Self = Self {
        url: "target.repo.url",
        auth: "target.repo.auth",
        path: "target.repo.path",
    };
}

/// A repository of charts that one run publishes to.
#[derive(Debug)]
pub(crate) enum Repository {
    Museum(Museum),
    Harbor(HarborCharts),
    Oci(Artifacts),
    Local(Folder),
}

impl Repository {
    /// The repository of `spec`, whose calls end soon after `stop` is raised. Nothing is sent and
    /// nothing written yet. Errors name what to mend by `keys`.
    pub(crate) fn open(
        spec: &RepositorySpec,
        keys: Keys,
        connect: &Connect,
        stop: Stop,
    ) -> Result<Self> {
        if spec.kind == RepositoryKind::Local {
            let path = spec.path.clone().ok_or_else(|| {
                let message = format!("a LOCAL repository needs a folder: `{}`", keys.path);
                Error::new(ErrorKind::Usage, message)
            })?;
            return Ok(Self::Local(Folder::new(path)));
        }
        let address = Address::parse(&spec.url, spec.kind, keys)?;
        let remote = Remote::new(spec, address, keys, connect, stop.clone())?;
        Ok(match spec.kind {
            RepositoryKind::Harbor => Self::Harbor(HarborCharts::new(remote)?),
            RepositoryKind::Oci => Self::Oci(Artifacts::new(remote, stop)),
            RepositoryKind::ChartMuseum | RepositoryKind::Local => {
                Self::Museum(Museum::new(remote))
            }
        })
    }

    /// The repository as it was given.
    pub(crate) fn location(&self) -> String {
        match self {
            Self::Museum(museum) => museum.location(),
            Self::Harbor(harbor) => harbor.location(),
            Self::Oci(artifacts) => artifacts.location(),
            Self::Local(folder) => folder.location(),
        }
    }

    /// Where a chart is, or would be.
    pub(crate) fn location_of(&self, name: &str, version: &str) -> String {
        match self {
            Self::Museum(museum) => museum.location_of(name, version),
            Self::Harbor(harbor) => harbor.location_of(name, version),
            Self::Oci(artifacts) => artifacts.location_of(name, version),
            Self::Local(folder) => folder.location_of(name, version),
        }
    }

    /// Whether charts can be published: the repository is reached, lets us in, takes charts. A
    /// project that is missing is created, public or not, if `create_projects` says so; in a dry
    /// run nothing is. The warnings tell what was made, and what is risky.
    pub(crate) fn check(
        &self,
        create_projects: Option<bool>,
        dry_run: bool,
    ) -> Result<Vec<Warning>> {
        match self {
            Self::Museum(museum) => museum.check(),
            Self::Harbor(harbor) => harbor.check(create_projects, dry_run),
            Self::Oci(artifacts) => artifacts.check(create_projects, dry_run),
            Self::Local(folder) => folder.check(dry_run).map(|()| Vec::new()),
        }
    }

    /// The packaged chart that is there; `None` only if the repository says that there is none.
    pub(crate) fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        plain(name, version)?;
        match self {
            Self::Museum(museum) => museum.get(name, version),
            Self::Harbor(harbor) => harbor.get(name, version),
            Self::Oci(artifacts) => artifacts.get(name, version),
            Self::Local(folder) => folder.get(name, version),
        }
    }

    /// Publishes a packaged chart, whose `Chart.yaml` says `metadata`, and tells where it is. The
    /// same bytes again change nothing, but LOCAL lists them if its index did not; other bytes
    /// under the same version need `overwrite`.
    /// After a run [`Repository::settle`] has to be called.
    pub(crate) fn publish(
        &self,
        name: &str,
        version: &str,
        package: &[u8],
        metadata: &Value,
        overwrite: bool,
    ) -> Result<String> {
        plain(name, version)?;
        if package.len() as u64 > MAX_PACKAGE {
            let message = format!(
                "chart `{name}` {version} has {} bytes packaged, {MAX_PACKAGE} are allowed",
                package.len()
            );
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        match self {
            Self::Museum(museum) => museum.publish(name, version, package, overwrite)?,
            Self::Harbor(harbor) => harbor.publish(name, version, package, overwrite)?,
            Self::Oci(artifacts) => {
                artifacts.publish(name, version, package, metadata, overwrite)?;
            }
            Self::Local(folder) => folder.publish(name, version, package, metadata, overwrite)?,
        }
        Ok(self.location_of(name, version))
    }

    /// Sees to it that what is there is found, too: a run that was killed may have left a package out
    /// of LOCAL's index.
    pub(crate) fn list(
        &self,
        name: &str,
        version: &str,
        package: &[u8],
        metadata: &Value,
    ) -> Result<()> {
        match self {
            Self::Local(folder) => folder.publish(name, version, package, metadata, false),
            Self::Museum(_) | Self::Harbor(_) | Self::Oci(_) => Ok(()),
        }
    }

    /// Makes known what was published: LOCAL writes its index, the others have theirs.
    pub(crate) fn settle(&self) -> Result<()> {
        match self {
            Self::Local(folder) => folder.settle(),
            Self::Museum(_) | Self::Harbor(_) | Self::Oci(_) => Ok(()),
        }
    }

    /// What went over the network so far.
    #[cfg(test)]
    fn traffic(&self) -> Traffic {
        match self {
            Self::Museum(museum) => museum.remote().client.traffic(),
            Self::Harbor(harbor) => harbor.remote().client.traffic(),
            Self::Oci(artifacts) => artifacts.remote().client.traffic(),
            Self::Local(_) => Traffic::default(),
        }
    }
}

/// That name and version are fit to be parts of paths and addresses: charts come from anywhere.
fn plain(name: &str, version: &str) -> Result<()> {
    for (what, text) in [("name", name), ("version", version)] {
        let known = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
        let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts || !text.chars().all(known) || text.len() > 250 {
            let message = format!("{text:?} cannot be the {what} of a chart");
            return Err(Error::new(ErrorKind::Usage, message).hint(
                "letters, digits, `-`, `.`, `_` and `+` make names and versions, the first a \
                 letter or digit",
            ));
        }
    }
    Ok(())
}

/// The file of a packaged chart, as Helm names it.
fn file_name(name: &str, version: &str) -> String {
    format!("{name}-{version}.tgz")
}

/// The error of a chart that is there with other content.
fn exists(name: &str, version: &str, location: &str) -> Error {
    let message =
        format!("chart `{name}` {version} is in `{location}` already, with other content");
    Error::new(ErrorKind::DestinationExists, message)
        .hint("`--on-existing-chart replace` replaces it, `keep` leaves it")
}
