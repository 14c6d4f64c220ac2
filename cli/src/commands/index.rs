//! `fusion index create`.

use fusion_core::report::Report;

use crate::args::IndexCreateArgs;
use crate::console::Console;
use crate::session::{Results, Session};

/// Makes an index, and returns the exit status.
pub(crate) fn run(args: &IndexCreateArgs, console: &mut Console<'_>) -> u8 {
    let blank = || Report {
        dry_run: args.dry_run(),
        ..Report::new("index create")
    };
    let named = args.sources.iter().chain([&args.target]);
    let session = Session {
        common: &args.common,
        results: Results::Out,
        named: named.map(AsRef::as_ref).collect(),
    };
    session.run(console, blank, |tools| {
        let sources: Vec<&str> = args.sources.iter().map(String::as_str).collect();
        let options = args.options(args.connect.connect(&[])?);
        let report = fusion_core::deliver::index_create(
            &args.target,
            &sources,
            &options,
            tools.sink,
            &tools.stop,
        )?;
        Ok(report)
    })
}
