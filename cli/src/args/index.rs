//! What `index` takes.

use clap::{Args, Subcommand};
use fusion_core::deliver::DeliverOptions;
use fusion_core::oci::Platform;
use fusion_core::registry::Connect;

use super::choices::{ConflictArgs, NewArgs, PlanArgs, Sets};
use super::deliver::TagArgs;
use super::{Common, ConnectArgs};

const EXAMPLES: &str = "\
Examples:
  What `docker manifest create`, `annotate` and `push` do, without pulling anything:
    fusion index create harbor.local/t/app:1.5 harbor.local/t/app-linux-amd64:1.5 \\
      harbor.local/t/app-linux-arm64:1.5
  An image whose configuration says the wrong platform:
    fusion index create harbor.local/t/app:1.5 harbor.local/t/app-a:1.5 \\
      harbor.local/t/app-b:1.5=linux/arm64/v8
  Add an architecture, take one off:
    fusion index create harbor.local/t/app:1.5 harbor.local/t/app-riscv:1.5 --append
    fusion index create harbor.local/t/app:1.5 --remove linux/arm/v7
  From layout to layout:
    fusion index create oci:out:app:1.5 oci:amd64:app:1.5 oci:arm64:app:1.5";

/// What can be done with indexes.
#[derive(Debug, Subcommand)]
pub(crate) enum IndexVerb {
    /// Make one index out of images that are there, in registries and layouts
    Create(Box<IndexCreateArgs>),
}

/// What `index create` takes.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "fusion index create [OPTIONS] <TARGET> [SOURCE[=PLATFORM]]..."
)]
pub(crate) struct IndexCreateArgs {
    /// The tag to write: HOST/REPOSITORY:TAG, or oci:DIR:REFERENCE
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,

    /// Images or indexes: HOST/REPOSITORY:TAG, HOST/REPOSITORY@DIGEST or oci:DIR:REFERENCE, each
    /// with `=PLATFORM` if its configuration says the wrong one
    #[arg(value_name = "SOURCE[=PLATFORM]")]
    pub(crate) sources: Vec<String>,

    /// Keep what TARGET leads to already; platforms of the sources replace its own
    #[arg(long, help_heading = "Result")]
    append: bool,

    /// Keep what TARGET leads to, without these platforms; repeatable, or with commas
    #[arg(
        long,
        value_name = "PLATFORM",
        value_delimiter = ',',
        help_heading = "Result"
    )]
    remove: Vec<Platform>,

    #[command(flatten)]
    new: NewArgs,

    #[command(flatten)]
    conflict: ConflictArgs,

    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    tags: TagArgs,

    /// How to get into registries.
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    /// What every working verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

impl IndexCreateArgs {
    /// Whether this is about the plan only.
    pub(crate) const fn dry_run(&self) -> bool {
        self.plan.dry_run
    }

    /// The choices, as the engine takes them.
    pub(crate) fn options(&self, connect: Connect) -> DeliverOptions {
        let mut options = DeliverOptions {
            append: self.append,
            remove: self.remove.clone(),
            ..DeliverOptions::default()
        };
        let fuse = &mut options.fuse;
        fuse.jobs = self.common.jobs;
        fuse.connect = connect;
        let parts: [&dyn Sets; 3] = [&self.new, &self.conflict, &self.plan];
        parts.iter().for_each(|part| part.set(fuse));
        self.tags.set(&mut options);
        options
    }
}
