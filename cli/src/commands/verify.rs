//! `fusion verify`.

use fusion_core::report::Verification;

use crate::args::{VerifyArgs, locate_all};
use crate::console::Console;
use crate::session::{Results, Session};

/// Verifies, and returns the exit status.
pub(crate) fn run(args: &VerifyArgs, console: &mut Console<'_>) -> u8 {
    let blank = || {
        let named = args.sources.iter().map(|source| source.to_string_lossy());
        Verification::new(named.map(|name| name.into_owned()).collect())
    };
    let session = Session {
        common: &args.common,
        results: Results::Out,
        named: args.sources.iter().map(AsRef::as_ref).collect(),
    };
    session.run(console, blank, |tools| {
        let sources = locate_all(&args.sources)?;
        let jobs = args.common.jobs;
        let connect = args.connect.connect(&args.sources)?;
        let verification =
            fusion_core::validate::verify(&sources, jobs, &connect, tools.sink, &tools.stop)?;
        Ok(verification)
    })
}
