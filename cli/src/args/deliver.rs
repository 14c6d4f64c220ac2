//! What pushing to a registry takes besides the choices of `fuse`.

use clap::Args;
use fusion_core::deliver::{DeliverOptions, Names, Visibility};

use super::values::word;

/// What `--work-dir` is to those who push.
pub(super) const WORK_DIR: &str = "Spool what is compressed in the sources here";

/// What images are called in a registry.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct NameArgs {
    /// Call images PREFIX + path without registry, PREFIX + last component, or PREFIX + registry + path
    #[arg(
        long,
        value_name = "HOW",
        default_value_t = Names::Path,
        value_parser = word::<Names>(Names::WORDS)
    )]
    names: Names,
}

/// What happens in a registry besides the images themselves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct TagArgs {
    /// Create Harbor projects that are missing, public or private
    #[arg(
        long,
        value_name = "VISIBILITY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = Visibility::Public.word(),
        value_parser = word::<Visibility>(Visibility::WORDS)
    )]
    create_projects: Option<Visibility>,

    /// Claim platforms beside each tag, so that writers at the same time that all do so lose nothing
    #[arg(long)]
    claim_tags: bool,

    /// Remove the claims on the tags of this run
    #[arg(long)]
    clean_claims: bool,
}

impl NameArgs {
    pub(super) const fn set(&self, options: &mut DeliverOptions) {
        options.names = Some(self.names);
    }
}

impl TagArgs {
    pub(super) const fn set(&self, options: &mut DeliverOptions) {
        options.create_projects = self.create_projects;
        options.claim_tags = self.claim_tags;
        options.clean_claims = self.clean_claims;
    }
}
