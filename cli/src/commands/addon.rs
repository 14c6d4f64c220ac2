//! `fusion import-addon`.

use fusion_core::report::Report;

use super::mention;
use crate::args::{ImportAddonArgs, locate_all};
use crate::console::Console;
use crate::session::{Results, Session};

/// Imports packages, and returns the exit status.
pub(crate) fn run(args: &ImportAddonArgs, console: &mut Console<'_>) -> u8 {
    let blank = || Report {
        dry_run: args.dry_run(),
        ..Report::new("import-addon")
    };
    let session = Session {
        common: args.common(),
        results: Results::Out,
        named: args.named(),
    };
    session.run(console, blank, |tools| {
        let packages = locate_all(&args.packages)?;
        let options = args.options()?;
        let outcome = fusion_core::deliver::import_addon(
            &args.config,
            &packages,
            &options,
            tools.sink,
            &tools.stop,
        );
        Ok(mention(outcome, args.without_effect())?)
    })
}
