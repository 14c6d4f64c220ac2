//! What `push` takes.

use std::ffi::OsString;

use clap::Args;
use fusion_core::deliver::DeliverOptions;
use fusion_core::fuse::OnExisting;
use fusion_core::registry::Connect;

use super::choices::{ChoiceArgs, FileArgs, Hidden, ImageArgs, PairingArgs, Sets, WorkArgs};
use super::deliver::{NameArgs, TagArgs, WORK_DIR};
use super::values::word;
use super::{Common, ConnectArgs};

const EXAMPLES: &str = "\
Examples:
  Two archives, as multi-architecture images:
    fusion push images-amd64.tar.gz images-arm64.tar.gz --to harbor.local/addons
  What would be sent, and what is there already:
    fusion push addon-amd64.tar.gz addon-arm64.tar.gz --to harbor.local/addons --dry-run
  One architecture now, the other later, from another machine: both stay
    fusion push images-arm64.tar --to harbor.local/addons
  With a robot account, into projects that are made where they are missing:
    fusion push images.tar --to harbor.local --username 'robot$ci' --password-stdin \\
      --create-projects < password.txt
  Many build jobs that push to the same tags at once:
    fusion push images-arm64.tar --to harbor.local/addons --claim-tags";

/// What `push` takes.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "fusion push [OPTIONS] <SOURCE>... --to <HOST[:PORT][/PREFIX]>",
    mut_arg("work_dir", |arg| arg.help(WORK_DIR)),
    mut_arg("keep_going", |arg| {
        arg.help("Go on when an image fails or a source is damaged, and end with status 7")
    })
)]
pub(crate) struct PushArgs {
    /// Archives (.tar, .tar.gz, .tar.zst), layouts, chart bundles, packages, and images of
    /// registries (docker://HOST/REPOSITORY:TAG); `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<OsString>,

    /// The registry, and what all names in it begin with
    #[arg(long, value_name = "HOST[:PORT][/PREFIX]", help_heading = "Registry")]
    pub(crate) to: String,

    /// What to do with a tag that exists: add platforms to it, put the result in its place, leave it, or fail
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnExisting::Merge,
        value_parser = word::<OnExisting>(OnExisting::WORDS),
        help_heading = "Registry"
    )]
    on_existing: OnExisting,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    tags: TagArgs,

    /// How to get into registries.
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    #[command(flatten)]
    choice: ChoiceArgs,

    #[command(flatten)]
    pairing: PairingArgs,

    #[command(flatten)]
    images: ImageArgs,

    #[command(flatten)]
    files: Hidden<FileArgs>,

    #[command(flatten)]
    work: WorkArgs,

    /// What every working verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

impl PushArgs {
    /// Whether this is about the plan only.
    pub(crate) const fn dry_run(&self) -> bool {
        self.work.dry_run()
    }

    /// The choices, as the engine takes them.
    pub(crate) fn options(&self, connect: Connect) -> DeliverOptions {
        let mut options = DeliverOptions::default();
        let fuse = &mut options.fuse;
        fuse.on_existing = Some(self.on_existing);
        fuse.jobs = self.common.jobs;
        fuse.connect = connect;
        let parts: [&dyn Sets; 5] = [
            &self.images,
            &self.files.0,
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
