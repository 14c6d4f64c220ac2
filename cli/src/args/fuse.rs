//! What `fuse` takes.

use std::ffi::OsString;

use clap::Args;
use fusion_core::deliver::DeliverOptions;
use fusion_core::fuse::{Format, OnExisting};
use fusion_core::registry::Connect;

use super::choices::{ChoiceArgs, FileArgs, ImageArgs, PairingArgs, Sets, WorkArgs};
use super::deliver::{NameArgs, TagArgs};
use super::values::word;
use super::{Common, ConnectArgs};

const EXAMPLES: &str = "\
Examples:
  One archive that containerd, docker, podman and skopeo load:
    fusion fuse images-amd64.tar images-arm64.tar -o images.tar
  The plan, with bytes, and nothing written:
    fusion fuse images-*.tar --dry-run
  Add an architecture to a layout that is there:
    fusion fuse images-arm64.tar.gz -o layout/ --on-existing merge
  Pair `app:1.5-amd64` with `app:1.5-arm64`, and fail where either is missing:
    fusion fuse a.tar b.tar -o app.tar.zst --strip-arch-suffix \\
      --require-platform linux/amd64,linux/arm64
  Packages of two architectures, with all that is in them, become one:
    fusion fuse addon-amd64.tar.gz addon-arm64.tar.gz -o addon.tar.gz
  Read from one pipe and write to another:
    ssh host docker save app | fusion fuse - app-arm64.tar -o - | ctr image import -
  An image of a registry and one of an archive:
    fusion fuse docker://harbor.local/t/app:1.5 app-arm64.tar -o app.tar";

/// What `fuse` takes.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "fusion fuse [OPTIONS] <SOURCE>... -o <DEST>"
)]
pub(crate) struct FuseArgs {
    /// Archives (.tar, .tar.gz, .tar.zst), layouts, chart bundles, packages, and images of
    /// registries (docker://HOST/REPOSITORY:TAG); `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<OsString>,

    /// Where the result goes; `-` for standard output, docker://HOST/PREFIX to push it
    #[arg(
        short,
        long,
        value_name = "DEST",
        required_unless_present = "dry_run",
        help_heading = "Result"
    )]
    pub(crate) output: Option<OsString>,

    #[command(flatten)]
    result: ResultArgs,

    #[command(flatten)]
    images: ImageArgs,

    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    choice: ChoiceArgs,

    #[command(flatten)]
    pairing: PairingArgs,

    #[command(flatten)]
    work: WorkArgs,

    /// How to get into registries.
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    tags: TagArgs,

    /// What every working verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What the result is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
struct ResultArgs {
    /// What DEST is [default: oci if DEST ends in `/` or is a directory, else what all sources are (bundle, package), else oci-archive]
    #[arg(long, value_name = "FORMAT", value_parser = word::<Format>(Format::WORDS))]
    format: Option<Format>,

    /// What to do if DEST exists, or a tag in it [default: error; merge in registries]
    #[arg(
        long,
        value_name = "POLICY",
        value_parser = word::<OnExisting>(OnExisting::WORDS)
    )]
    on_existing: Option<OnExisting>,
}

impl FuseArgs {
    /// Whether this is about the plan only.
    pub(crate) const fn dry_run(&self) -> bool {
        self.work.dry_run()
    }

    /// The choices, as the engine takes them.
    pub(crate) fn options(&self, connect: Connect) -> DeliverOptions {
        let mut options = DeliverOptions::default();
        let fuse = &mut options.fuse;
        fuse.format = self.result.format;
        fuse.on_existing = self.result.on_existing;
        fuse.jobs = self.common.jobs;
        fuse.connect = connect;
        let parts: [&dyn Sets; 5] = [
            &self.images,
            &self.files,
            &self.choice,
            &self.pairing,
            &self.work,
        ];
        parts.iter().for_each(|part| part.set(fuse));
        self.names.set(&mut options);
        self.tags.set(&mut options);
        options
    }
}
