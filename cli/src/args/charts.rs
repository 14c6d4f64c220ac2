//! What `sync` and `import-addon` share: the choices of `push`, and those about charts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use fusion_core::Result;
use fusion_core::deliver::{DeliverOptions, Names, OnChart};
use fusion_core::fuse::OnExisting;

use super::choices::{ChoiceArgs, FileArgs, Hidden, ImageArgs, PairingArgs, Sets, WorkArgs};
use super::deliver::{TagArgs, WORK_DIR};
use super::values::{saved_values, word};
use super::{Common, ConnectArgs};

/// Which charts, and what becomes of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Charts")]
pub(super) struct ChartArgs {
    /// Only charts whose name, or NAME@VERSION, matches; repeatable
    #[arg(long = "chart", value_name = "GLOB")]
    charts: Vec<String>,

    /// Of each chart only the latest version
    #[arg(long)]
    latest_version_only: bool,

    /// Leave the images alone: charts only
    #[arg(long)]
    skip_images: bool,

    /// What to do with a version of a chart that the repository has and that is another: leave it
    /// (but bring digests that its values pin up to date), put ours in its place, or fail
    #[arg(
        long,
        value_name = "POLICY",
        default_value_t = OnChart::Keep,
        value_parser = word::<OnChart>(OnChart::WORDS)
    )]
    on_existing_chart: OnChart,

    /// Saved values of a release (`helm get values`) whose images are to be named where they are
    /// now: FILE is written anew; say of which CHART if the run has several; repeatable
    #[arg(long = "values", value_name = "[CHART=]FILE", value_parser = saved_values())]
    values: Vec<(Option<String>, PathBuf)>,
}

/// The choices of `push`, where a configuration says what is pushed and where to.
#[derive(Debug, Args)]
// What charts-syncer calls them.
#[command(
    mut_arg("work_dir", |arg| arg.alias("workdir").help(WORK_DIR)),
    mut_arg("keep_going", |arg| {
        arg.help("Go on when an image or a chart fails or a source is damaged, and end with status 7")
    }),
    mut_arg("create_projects", |arg| arg.alias("auto-create-repository")),
    // There it is a switch.
    mut_arg("verify", |arg| arg.num_args(0..=1).default_missing_value("full"))
)]
pub(super) struct DeliveryArgs {
    #[command(flatten)]
    charts: ChartArgs,

    /// Call images PREFIX + path without registry, PREFIX + last component, or PREFIX + registry +
    /// path [default: what the configuration says, or what the registry shows]
    #[arg(
        long,
        value_name = "HOW",
        value_parser = word::<Names>(Names::WORDS),
        help_heading = "Registry"
    )]
    names: Option<Names>,

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
    tags: TagArgs,

    /// How to get into registries and chart repositories.
    #[command(flatten)]
    connect: ConnectArgs,

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
    pub(super) common: Common,
}

impl DeliveryArgs {
    /// Whether this is about the plan only.
    pub(super) const fn dry_run(&self) -> bool {
        self.work.dry_run()
    }

    /// The files that are read, and written anew.
    pub(super) fn values(&self) -> impl Iterator<Item = &PathBuf> {
        self.charts.values.iter().map(|(_, path)| path)
    }

    /// The choices, as the engine takes them, with what standard input and the environment say.
    /// `sources` are those of the same command line.
    pub(super) fn options(&self, sources: &[OsString]) -> Result<DeliverOptions> {
        let mut options = self.chosen();
        options.fuse.connect = self.connect.connect(sources)?;
        Ok(options)
    }

    /// What the options say by themselves.
    pub(super) fn chosen(&self) -> DeliverOptions {
        let mut options = DeliverOptions::default();
        let fuse = &mut options.fuse;
        fuse.on_existing = Some(self.on_existing);
        fuse.jobs = self.common.jobs;
        fuse.connect.access = self.connect.access();
        let parts: [&dyn Sets; 5] = [
            &self.images,
            &self.files.0,
            &self.choice,
            &self.pairing,
            &self.work,
        ];
        parts.iter().for_each(|part| part.set(fuse));
        self.tags.set(&mut options);
        options.names = self.names;
        let (charts, given) = (&mut options.charts, &self.charts);
        charts.charts.clone_from(&given.charts);
        charts.latest_only = given.latest_version_only;
        charts.skip_images = given.skip_images;
        charts.on_existing = given.on_existing_chart;
        charts.values.clone_from(&given.values);
        options
    }
}
