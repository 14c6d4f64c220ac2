//! `fusion fuse`.

use fusion_core::report::Report;
use fusion_core::{Error, ErrorKind, Result};

use crate::args::{FuseArgs, locate, locate_all};
use crate::console::Console;
use crate::session::{Results, Session};

/// Fuses, and returns the exit status.
pub(crate) fn run(args: &FuseArgs, console: &mut Console<'_>) -> u8 {
    let standard = args.output.as_ref().is_some_and(|output| output == "-");
    let piped = standard && !args.dry_run();
    let results = if piped { Results::Err } else { Results::Out };
    let terminal = console.out_terminal;
    let blank = || Report {
        dry_run: args.dry_run(),
        ..Report::new("fuse")
    };
    let session = Session {
        common: &args.common,
        results,
        named: (args.sources.iter().chain(&args.output).map(AsRef::as_ref)).collect(),
    };
    session.run(console, blank, |tools| {
        let sources = locate_all(&args.sources)?;
        let output = args.output.as_ref().map(locate).transpose()?;
        if piped {
            check_pipe(args.common.json, terminal)?;
        }
        let options = args.options(args.connect.connect(&args.sources)?);
        let report = fusion_core::deliver::fuse(
            &sources,
            output.as_ref(),
            &options,
            tools.sink,
            &tools.stop,
        )?;
        Ok(report)
    })
}

/// Refuses an archive on a standard output that is taken or that people look at.
fn check_pipe(json: bool, terminal: bool) -> Result<()> {
    if json {
        let message = "`--json` and `-o -` both want standard output";
        return Err(usage(message).hint("use `--report FILE` for the JSON document"));
    }
    if terminal {
        let message = "an archive is not for a terminal";
        return Err(usage(message).hint("redirect standard output, or name a file with `-o`"));
    }
    Ok(())
}

fn usage(message: &str) -> Error {
    Error::new(ErrorKind::Usage, message)
}
