//! `fusion inspect`.

use fusion_core::report::Inspection;

use crate::args::{InspectArgs, locate};
use crate::console::Console;
use crate::output::blank_source;
use crate::session::{Results, Session};

/// Inspects, and returns the exit status.
pub(crate) fn run(args: &InspectArgs, console: &mut Console<'_>) -> u8 {
    let blank = || Inspection::new(blank_source(&args.source.to_string_lossy()));
    let session = Session {
        common: &args.common,
        results: Results::Out,
        named: vec![&args.source],
    };
    session.run(console, blank, |tools| {
        let source = locate(&args.source)?;
        let reference = args.reference.as_deref();
        let connect = args.connect.connect(std::slice::from_ref(&args.source))?;
        let inspection =
            fusion_core::inspect::inspect(&source, reference, &connect, tools.sink, &tools.stop)?;
        Ok(inspection)
    })
}
