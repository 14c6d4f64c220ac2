//! What `fuse` takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use fusion_core::fuse::{
    Compress, Durability, Format, FuseOptions, MediaTypes, OnConflict, OnExisting, OnFileConflict,
    Verify,
};
use fusion_core::oci::Platform;

use super::Common;
use super::values::{annotation, rename, source_platform, word};

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
    ssh host docker save app | fusion fuse - app-arm64.tar -o - | ctr image import -";

/// What `fuse` takes.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "fusion fuse [OPTIONS] <SOURCE>... -o <DEST>"
)]
pub(crate) struct FuseArgs {
    /// Archives (.tar, .tar.gz, .tar.zst), layouts, chart bundles and packages; `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<OsString>,

    /// Where the result goes; `-` for standard output
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
    choice: ChoiceArgs,

    #[command(flatten)]
    pairing: PairingArgs,

    #[command(flatten)]
    how: HowArgs,

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

    /// What to do if DEST exists
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnExisting::Error,
        value_parser = word::<OnExisting>(OnExisting::WORDS)
    )]
    on_existing: OnExisting,

    /// How layers are compressed: keep, none, gzip[:1-9] or zstd[:1-22]
    #[arg(long, value_name = "HOW", default_value_t = Compress::Keep)]
    compression: Compress,

    /// Media types of new and converted documents
    #[arg(
        long,
        value_name = "TYPES",
        default_value_t = MediaTypes::Keep,
        value_parser = word::<MediaTypes>(MediaTypes::WORDS)
    )]
    media_types: MediaTypes,

    /// Whose images `docker load` gets [default: linux/amd64 if present, else the first]
    #[arg(long, value_name = "PLATFORM")]
    docker_platform: Option<Platform>,

    /// Annotate new indexes; repeatable
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
}

/// What is taken from the sources.
#[derive(Debug, Args)]
#[command(next_help_heading = "Choosing")]
struct ChoiceArgs {
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
struct PairingArgs {
    /// What to do if sources disagree on the image of one reference and platform, or on a chart
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnConflict::Error,
        value_parser = word::<OnConflict>(OnConflict::WORDS)
    )]
    on_conflict: OnConflict,

    /// What to do if packages have different files in one place; `beside` keeps all
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnFileConflict::Beside,
        value_parser = word::<OnFileConflict>(OnFileConflict::WORDS)
    )]
    on_file_conflict: OnFileConflict,

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

/// How the work is done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Working")]
struct HowArgs {
    /// Show the plan, with bytes, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Verify the digest of every blob, or also every diff ID and what DEST has
    #[arg(
        long,
        value_name = "WHAT",
        default_value_t = Verify::Blobs,
        value_parser = word::<Verify>(Verify::WORDS)
    )]
    verify: Verify,

    /// Have the data on disk before it is published, or be faster
    #[arg(
        long,
        value_name = "WHAT",
        default_value_t = Durability::Full,
        value_parser = word::<Durability>(Durability::WORDS)
    )]
    durability: Durability,

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

impl FuseArgs {
    /// Whether this is about the plan only.
    pub(crate) const fn dry_run(&self) -> bool {
        self.how.dry_run
    }

    /// The choices, as the engine takes them.
    pub(crate) fn options(&self) -> FuseOptions {
        FuseOptions {
            format: self.result.format,
            platforms: self.choice.platforms.clone(),
            require_platforms: self.choice.require_platforms.clone(),
            images: self.choice.images.clone(),
            exclude: self.choice.exclude.clone(),
            on_conflict: self.pairing.on_conflict,
            on_file_conflict: self.pairing.on_file_conflict,
            on_existing: self.result.on_existing,
            source_platforms: self.pairing.source_platforms.clone(),
            name: self.pairing.name.clone(),
            strip_arch_suffix: self.pairing.strip_arch_suffix,
            rename: self.pairing.rename.clone(),
            compression: self.result.compression,
            media_types: self.result.media_types,
            docker_platform: self.result.docker_platform.clone(),
            verify: self.how.verify,
            annotations: self.result.annotations.iter().cloned().collect(),
            durability: self.how.durability,
            work_dir: self.how.work_dir.clone(),
            jobs: self.common.jobs,
            dry_run: self.how.dry_run,
            keep_going: self.how.keep_going,
            clean: self.how.clean,
        }
    }
}
