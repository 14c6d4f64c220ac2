//! The command line's grammar.

mod addon;
mod charts;
mod choices;
mod common;
mod connect;
mod deliver;
mod fuse;
mod index;
mod peek;
mod push;
mod sync;
mod usage;
mod values;

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use addon::ImportAddonArgs;
pub(crate) use common::{Common, ProgressMode};
pub(crate) use connect::ConnectArgs;
pub(crate) use fuse::FuseArgs;
pub(crate) use index::{IndexCreateArgs, IndexVerb};
pub(crate) use peek::Peek;
pub(crate) use push::PushArgs;
pub(crate) use sync::SyncArgs;
pub(crate) use usage::usage_error;
pub(crate) use values::{locate, locate_all};

/// The exit statuses, as help and manual page list them.
pub(crate) const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    internal error
  2    usage
  3    conflict: inputs disagree, a required platform is missing, the destination exists
  4    invalid or corrupt input, `verify` found errors
  5    file system (missing, permission, I/O)
  6    registry or chart repository
  7    `--keep-going` finished with failures
  8    not enough space
  130  interrupted";

const EXAMPLES: &str = "\
Examples:
  fusion fuse images-amd64.tar images-arm64.tar -o images.tar
  fusion push images-amd64.tar images-arm64.tar --to harbor.local/addons
  fusion sync -c load-image.yaml
  fusion import-addon -c clusterConfig.yaml --addon-path addon-arm64.tar.gz
  fusion inspect images.tar
  fusion verify images.tar";

const INSPECT_EXAMPLES: &str = "\
Examples:
  fusion inspect images.tar
  fusion inspect images.tar docker.io/library/nginx:1.25
  fusion inspect addon-offline-full-package-v0.12.0-amd64.tar.gz
  fusion inspect docker://harbor.local/t/app:1.5
  fusion inspect --json oci:layout | jq -r '.images[].reference'";

const VERIFY_EXAMPLES: &str = "\
Examples:
  fusion verify images.tar
  fusion verify images-amd64.tar images-arm64.tar --json";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  fusion completions bash > /etc/bash_completion.d/fusion
  fusion completions zsh > \"${fpath[1]}/_fusion\"
  fusion completions fish > ~/.config/fish/completions/fusion.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  fusion man > /usr/local/share/man/man1/fusion.1
  fusion man | man -l -";

/// Fuses per-architecture container image archives into multi-architecture ones.
#[derive(Debug, Parser)]
#[command(
    name = "fusion",
    bin_name = "fusion",
    version,
    max_term_width = 100,
    after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS}"),
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Fuse the images of all sources into one archive, layout, bundle or package
    Fuse(Box<FuseArgs>),
    /// Fuse, and push images and indexes to a registry, merging with what its tags have
    Push(Box<PushArgs>),
    /// Push what charts-syncer's configuration names: images, then the charts that need them
    Sync(Box<SyncArgs>),
    /// Import addon packages into the registry and chart repository of the installer's configuration
    ImportAddon(Box<ImportAddonArgs>),
    /// Work with multi-architecture indexes
    #[command(subcommand)]
    Index(IndexVerb),
    /// Show what is inside a source, without unpacking it
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// Check every digest and diff ID, and list every finding
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = MAN_EXAMPLES)]
    Man,
}

/// What `inspect` takes.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Archive, layout, bundle, package, or docker://HOST/REPOSITORY:TAG; `-` for standard input
    pub(crate) source: OsString,

    /// Show this image only
    pub(crate) reference: Option<String>,

    /// How to get into registries.
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    /// What every working verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What `verify` takes.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Archives, layouts, bundles, packages, or docker://HOST/REPOSITORY:TAG; `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<OsString>,

    /// How to get into registries.
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    /// What every working verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

#[cfg(test)]
mod tests;
