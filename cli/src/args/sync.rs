//! What `sync` takes.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Args;
use fusion_core::Result;
use fusion_core::deliver::DeliverOptions;

use super::charts::DeliveryArgs;
use super::{Common, locate_all};

const EXAMPLES: &str = "\
Examples:
  Images and charts of the bundles that charts-syncer's configuration names, to where it says:
    fusion sync -c load-image.yaml
  What would be sent and published:
    fusion sync -c load-image.yaml --dry-run
  Bundles of both architectures, in the place of those that it names:
    fusion sync -c load-image.yaml --source amd64/ --source arm64/
  An upgrade: saved values name the images where they are now
    helm get values kairship -n kairship-system -o yaml > bak.yaml
    fusion sync -c load-image.yaml --values bak.yaml
  One chart; all charts, without their images:
    fusion sync -c load-image.yaml --chart 'kairship@0.21.*'
    fusion sync -c load-image.yaml --skip-images --on-existing-chart replace";

/// What `sync` takes.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "fusion sync [OPTIONS] -c <FILE>"
)]
pub(crate) struct SyncArgs {
    /// charts-syncer's configuration: from which bundles to which registry and chart repository
    #[arg(short, long, value_name = "FILE", help_heading = "Charts")]
    pub(crate) config: PathBuf,

    /// Bundles, packages and folders of them, in the place of those that the configuration names;
    /// repeatable
    #[arg(long = "source", value_name = "PATH", help_heading = "Charts")]
    pub(crate) sources: Vec<OsString>,

    /// charts-syncer's: bundles bring their dependencies.
    #[arg(long, hide = true)]
    skip_dependencies: bool,

    /// charts-syncer's: all images are listed anyway.
    #[arg(long, hide = true)]
    print_images: bool,

    /// charts-syncer's: bundles have no dates.
    #[arg(long, hide = true, value_name = "DATE")]
    from_date: Option<String>,

    #[command(flatten)]
    delivery: DeliveryArgs,
}

impl SyncArgs {
    /// Whether this is about the plan only.
    pub(crate) const fn dry_run(&self) -> bool {
        self.delivery.dry_run()
    }

    /// What every working verb takes.
    pub(crate) const fn common(&self) -> &Common {
        &self.delivery.common
    }

    /// The files that are named.
    pub(crate) fn named(&self) -> Vec<&OsStr> {
        let paths = self.delivery.values().chain([&self.config]);
        let sources = self.sources.iter().map(AsRef::as_ref);
        sources.chain(paths.map(AsRef::as_ref)).collect()
    }

    /// The choices, as the engine takes them.
    pub(crate) fn options(&self) -> Result<DeliverOptions> {
        let mut options = self.delivery.options(&self.sources)?;
        options.charts.sources = locate_all(&self.sources)?;
        Ok(options)
    }

    /// What was said that changes nothing, and why.
    pub(crate) fn without_effect(&self) -> Vec<String> {
        let date = self.from_date.as_ref().map(
            |_| "`--from-date` is without effect: bundles have no dates; choose with `--chart`",
        );
        date.into_iter().map(str::to_owned).collect()
    }

    /// What the options say by themselves.
    #[cfg(test)]
    pub(super) fn chosen(&self) -> DeliverOptions {
        self.delivery.chosen()
    }
}
