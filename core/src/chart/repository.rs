//! Where charts are published: HARBOR, CHARTMUSEUM, OCI and LOCAL repositories.

use std::path::PathBuf;

use crate::registry::Secret;

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
#[derive(Debug, Clone)]
#[cfg_attr(not(test), expect(dead_code, reason = "publishing comes next"))]
pub(crate) struct RepositorySpec {
    pub(crate) kind: RepositoryKind,
    /// `http://…`, `https://…`, for OCI also `oci://…`; unused for LOCAL.
    pub(crate) url: String,
    /// The folder, for LOCAL.
    pub(crate) path: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}
