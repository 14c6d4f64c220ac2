//! `fusion push`.

use fusion_core::report::Report;

use crate::args::{PushArgs, locate_all};
use crate::console::Console;
use crate::session::{Results, Session};

/// Pushes, and returns the exit status.
pub(crate) fn run(args: &PushArgs, console: &mut Console<'_>) -> u8 {
    let blank = || Report {
        dry_run: args.dry_run(),
        ..Report::new("push")
    };
    let session = Session {
        common: &args.common,
        results: Results::Out,
        named: args.sources.iter().map(AsRef::as_ref).collect(),
    };
    session.run(console, blank, |tools| {
        let sources = locate_all(&args.sources)?;
        let options = args.options(args.connect.connect(&args.sources)?);
        let report =
            fusion_core::deliver::push(&sources, &args.to, &options, tools.sink, &tools.stop)?;
        Ok(report)
    })
}
