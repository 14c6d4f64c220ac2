//! The choices of the verbs that reach out. Defaults are the documented ones.

mod charts;
mod named;

pub use charts::{ChartOptions, OnChart};

use crate::error::{Error, ErrorKind};
use crate::fuse::options::words;
use crate::fuse::{FuseOptions, OnExisting};
use crate::oci::Platform;

words!(
    /// What images are called in a registry.
    #[derive(Default)]
    Names, "way to name images", {
        /// The prefix, and the repository's path without its registry.
        #[default]
        Path = "path",
        /// The prefix, and the last component of the repository.
        Last = "last",
        /// The prefix, the registry and the repository's path.
        Origin = "origin",
    }
);

words!(
    /// Who may pull from a project that is created.
    Visibility, "visibility of projects", {
        /// Everybody.
        Public = "public",
        /// Its members.
        Private = "private",
    }
);

/// The choices of the verbs that reach out.
#[derive(Debug, Clone, Default)]
pub struct DeliverOptions {
    /// The choices of `fuse`, among them how to get into registries.
    pub fuse: FuseOptions,
    /// What images are called in the registry; `None`: by their path, or what `import-addon` finds.
    pub names: Option<Names>,
    /// Create projects (Harbor's) that are missing; `None`: say which are.
    pub create_projects: Option<Visibility>,
    /// Claim the platforms of this run beside each tag, so that writers at the same time lose
    /// nothing of each other's.
    pub claim_tags: bool,
    /// Remove the claims of the tags of this run instead of heeding them.
    pub clean_claims: bool,
    /// `index create`: add to the index that is there.
    pub append: bool,
    /// `index create`: take these platforms off.
    pub remove: Vec<Platform>,
    /// `sync` and `import-addon`: what is about charts.
    pub charts: ChartOptions,
}

impl DeliverOptions {
    /// What to do when a tag exists.
    pub(super) fn existing(&self) -> OnExisting {
        self.fuse.on_existing.unwrap_or(OnExisting::Merge)
    }
}

/// `true`, `public` or `private`; `false`: do not create any.
fn visibility(value: &str) -> Result<Option<Visibility>, Error> {
    match value {
        "true" | "" => Ok(Some(Visibility::Public)),
        "false" => Ok(None),
        word => word.parse().map(Some),
    }
}
