//! `fusion fuse`.

use fusion_core::location::{Location, Transport};
use fusion_core::report::Report;
use fusion_core::{Error, ErrorKind, Result};

use crate::args::{FuseArgs, locate, locate_all};
use crate::console::Console;
use crate::session::{self, Results};

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
    session::run(&args.common, results, console, blank, |tools| {
        let sources = locate_all(&args.sources)?;
        let output = args.output.as_ref().map(locate).transpose()?;
        if piped && terminal {
            let message = "an archive is not for a terminal";
            return Err(usage(message)
                .hint("redirect standard output, or name a file with `-o`")
                .into());
        }
        check_output(args, output.as_ref())?;
        let report = fusion_core::fuse::fuse(
            &sources,
            output.as_ref(),
            &args.options(),
            tools.sink,
            &tools.stop,
        )?;
        Ok(report)
    })
}

/// Refuses two results in one place.
fn check_output(args: &FuseArgs, output: Option<&Location>) -> Result<()> {
    let Some(output) = output.filter(|_| !args.dry_run()) else {
        return Ok(());
    };
    if args.common.json && output.transport == Transport::Standard {
        let message = "`--json` and `-o -` both want standard output";
        return Err(usage(message).hint("use `--report FILE` for the JSON document"));
    }
    if args.common.report.as_deref() == Some(output.path()) {
        return Err(usage("`--report` and `--output` name the same file"));
    }
    Ok(())
}

fn usage(message: &str) -> Error {
    Error::new(ErrorKind::Usage, message)
}
