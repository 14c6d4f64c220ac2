//! The choices that `fuse` and `push` share.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use fusion_core::fuse::{
    Compress, Durability, FuseOptions, MediaTypes, OnConflict, OnFileConflict, Verify,
};
use fusion_core::oci::Platform;

use super::values::{annotation, rename, source_platform, word};

/// What the images of the result are like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub(super) struct ImageArgs {
    /// How layers are compressed: keep, none, gzip[:1-9] or zstd[:1-22]
    #[arg(long, value_name = "HOW", default_value_t = Compress::Keep)]
    compression: Compress,

    #[command(flatten)]
    new: NewArgs,
}

/// What new documents are like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub(super) struct NewArgs {
    /// Media types of new and converted documents; `auto`: the others where a registry refuses some
    #[arg(
        long,
        value_name = "TYPES",
        default_value_t = MediaTypes::Keep,
        value_parser = word::<MediaTypes>(MediaTypes::WORDS)
    )]
    media_types: MediaTypes,

    /// Annotate new indexes; repeatable
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
}

/// What concerns files and folders.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub(super) struct FileArgs {
    /// Whose images `docker load` gets [default: linux/amd64 if present, else the first]
    #[arg(long, value_name = "PLATFORM")]
    docker_platform: Option<Platform>,

    /// What to do if packages have different files in one place; `beside` keeps all
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnFileConflict::Beside,
        value_parser = word::<OnFileConflict>(OnFileConflict::WORDS),
        help_heading = "Pairing"
    )]
    on_file_conflict: OnFileConflict,

    /// Have the data on disk before it is published, or be faster
    #[arg(
        long,
        value_name = "WHAT",
        default_value_t = Durability::Full,
        value_parser = word::<Durability>(Durability::WORDS),
        help_heading = "Working"
    )]
    durability: Durability,
}

/// What is taken from the sources.
#[derive(Debug, Args)]
#[command(next_help_heading = "Choosing")]
pub(super) struct ChoiceArgs {
    /// Keep only images whose reference matches; repeatable
    #[arg(long = "image", value_name = "GLOB")]
    images: Vec<String>,

    /// Leave out images whose reference matches; repeatable
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,

    /// Keep only these platforms; repeatable, or with commas
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    platforms: Vec<Platform>,

    /// Fail where an image lacks one of these; repeatable, or with commas
    #[arg(
        long = "require-platform",
        value_name = "PLATFORM",
        value_delimiter = ','
    )]
    require_platforms: Vec<Platform>,
}

/// Which images belong together.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pairing")]
pub(super) struct PairingArgs {
    #[command(flatten)]
    conflict: ConflictArgs,

    /// The platform of every image of one source, whatever it says itself; repeatable
    #[arg(
        long = "source-platform",
        value_name = "PATH=PLATFORM",
        value_parser = source_platform()
    )]
    source_platforms: Vec<(PathBuf, Platform)>,

    /// The reference of images that have none
    #[arg(long, value_name = "REFERENCE")]
    name: Option<String>,

    /// Take architecture suffixes off names: `app:1.5-arm64` is `app:1.5`
    #[arg(long)]
    strip_arch_suffix: bool,

    /// Replace a prefix of normalised references; repeatable
    #[arg(long, value_name = "FROM=TO", value_parser = rename)]
    rename: Vec<(String, String)>,
}

/// What to do if sources disagree.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pairing")]
pub(super) struct ConflictArgs {
    /// What to do if sources disagree on the image of one reference and platform, or on a chart
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnConflict::Error,
        value_parser = word::<OnConflict>(OnConflict::WORDS)
    )]
    on_conflict: OnConflict,
}

/// How the work is done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Working")]
pub(super) struct WorkArgs {
    #[command(flatten)]
    plan: PlanArgs,

    /// Verify the digest of every blob, or also every diff ID and what DEST has
    #[arg(
        long,
        value_name = "WHAT",
        default_value_t = Verify::Blobs,
        value_parser = word::<Verify>(Verify::WORDS)
    )]
    verify: Verify,

    /// Spool what cannot be spooled at DEST here
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,

    /// Go on when an image fails, and end with status 7
    #[arg(long)]
    keep_going: bool,

    /// First remove what abandoned runs into DEST left
    #[arg(long)]
    clean: bool,
}

/// Whether anything is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Working")]
pub(super) struct PlanArgs {
    /// Show the plan, with bytes, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl WorkArgs {
    pub(super) const fn dry_run(&self) -> bool {
        self.plan.dry_run
    }
}

/// A part of the command line that sets some of the engine's options.
pub(super) trait Sets {
    fn set(&self, options: &mut FuseOptions);
}

impl Sets for ImageArgs {
    fn set(&self, options: &mut FuseOptions) {
        options.compression = self.compression;
        self.new.set(options);
    }
}

impl Sets for NewArgs {
    fn set(&self, options: &mut FuseOptions) {
        options.media_types = self.media_types;
        options.annotations = self.annotations.iter().cloned().collect();
    }
}

impl Sets for FileArgs {
    fn set(&self, options: &mut FuseOptions) {
        options.docker_platform.clone_from(&self.docker_platform);
        options.on_file_conflict = self.on_file_conflict;
        options.durability = self.durability;
    }
}

impl Sets for ChoiceArgs {
    fn set(&self, options: &mut FuseOptions) {
        options.images.clone_from(&self.images);
        options.exclude.clone_from(&self.exclude);
        options.platforms.clone_from(&self.platforms);
        options
            .require_platforms
            .clone_from(&self.require_platforms);
    }
}

impl Sets for PairingArgs {
    fn set(&self, options: &mut FuseOptions) {
        self.conflict.set(options);
        options.source_platforms.clone_from(&self.source_platforms);
        options.name.clone_from(&self.name);
        options.strip_arch_suffix = self.strip_arch_suffix;
        options.rename.clone_from(&self.rename);
    }
}

impl Sets for ConflictArgs {
    fn set(&self, options: &mut FuseOptions) {
        options.on_conflict = self.on_conflict;
    }
}

impl Sets for WorkArgs {
    fn set(&self, options: &mut FuseOptions) {
        self.plan.set(options);
        options.verify = self.verify;
        options.work_dir.clone_from(&self.work_dir);
        options.keep_going = self.keep_going;
        options.clean = self.clean;
    }
}

impl Sets for PlanArgs {
    fn set(&self, options: &mut FuseOptions) {
        options.dry_run = self.dry_run;
    }
}

/// Options that a verb takes and help does not show: they change nothing there, but a command line
/// of another verb shall serve.
#[derive(Debug)]
pub(super) struct Hidden<T>(pub(super) T);

impl<T: FromArgMatches> FromArgMatches for Hidden<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Hidden<T> {
    fn augment_args(command: Command) -> Command {
        let own = T::augment_args(Command::new("hidden"));
        let args: Vec<Arg> = own.get_arguments().cloned().collect();
        command.args(args.into_iter().map(|arg| arg.hide(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
