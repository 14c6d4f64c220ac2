//! What `import-addon` takes.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Args;
use fusion_core::Result;
use fusion_core::deliver::DeliverOptions;

use super::Common;
use super::charts::DeliveryArgs;

const EXAMPLES: &str = "\
Examples:
  The package that the installer's configuration names (`addonPackage.path`):
    fusion import-addon -c clusterConfig.yaml
  Packages of both architectures at once, into the registry and chart repository that it names:
    fusion import-addon -c clusterConfig.yaml \\
      --addon-path=addon-offline-full-package-v0.12.0-amd64.tar.gz \\
      --addon-path=addon-offline-full-package-v0.12.0-arm64.tar.gz
  One architecture more, where the other was imported before:
    fusion import-addon -c clusterConfig.yaml \\
      --addon-path=addon-offline-full-package-v0.12.0-arm64.tar.gz
  Some of its charts, and what that would send:
    fusion import-addon -c clusterConfig.yaml --chart 'nginx' --chart 'redis*' --dry-run";

/// What `import-addon` takes.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "fusion import-addon [OPTIONS] -c <FILE> [--addon-path <PACKAGE>]...",
    // There `-j` chooses steps.
    mut_arg("jobs", |arg| arg.short(None))
)]
pub(crate) struct ImportAddonArgs {
    /// The installer's configuration: which registry and chart repository
    #[arg(short, long, value_name = "FILE", help_heading = "Charts")]
    pub(crate) config: PathBuf,

    /// Packages, in the place of the one that the configuration names; repeatable
    #[arg(
        long = "addon-path",
        alias = "source",
        value_name = "PACKAGE",
        help_heading = "Charts"
    )]
    pub(crate) packages: Vec<OsString>,

    /// The installer's: nothing of it is read.
    #[arg(short, long, hide = true, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// The installer's: `-v` shows more.
    #[arg(short, long, hide = true)]
    debug: bool,

    /// The installer's: steps, of which there are none here.
    #[arg(short = 'j', hide = true, value_name = "STEPS")]
    steps: Option<String>,

    #[command(flatten)]
    delivery: DeliveryArgs,
}

impl ImportAddonArgs {
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
        let packages = self.packages.iter().map(AsRef::as_ref);
        packages.chain(paths.map(AsRef::as_ref)).collect()
    }

    /// The choices, as the engine takes them.
    pub(crate) fn options(&self) -> Result<DeliverOptions> {
        self.delivery.options(&self.packages)
    }

    /// What was said that changes nothing, and why.
    pub(crate) fn without_effect(&self) -> Vec<String> {
        let told = [
            (self.manifest.is_some())
                .then_some("`-m` is without effect: the packages say what is imported"),
            (self.debug).then_some("`-d` is without effect: `-v` and `--log-file` show more"),
            (self.steps.is_some()).then_some(
                "`-j` is without effect: it chooses steps of the installer, and this is one; \
                 `--jobs` is for threads",
            ),
        ];
        told.into_iter().flatten().map(str::to_owned).collect()
    }

    /// What the options say by themselves.
    #[cfg(test)]
    pub(super) fn chosen(&self) -> DeliverOptions {
        self.delivery.chosen()
    }
}
