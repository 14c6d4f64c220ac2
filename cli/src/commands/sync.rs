//! `fusion sync`.

use fusion_core::report::Report;

use super::mention;
use crate::args::SyncArgs;
use crate::console::Console;
use crate::session::{Results, Session};

/// Does what a configuration of charts-syncer asks for, and returns the exit status.
pub(crate) fn run(args: &SyncArgs, console: &mut Console<'_>) -> u8 {
    let blank = || Report {
        dry_run: args.dry_run(),
        ..Report::new("sync")
    };
    let session = Session {
        common: args.common(),
        results: Results::Out,
        named: args.named(),
    };
    session.run(console, blank, |tools| {
        let options = args.options()?;
        let outcome = fusion_core::deliver::sync(&args.config, &options, tools.sink, &tools.stop);
        Ok(mention(outcome, args.without_effect())?)
    })
}
