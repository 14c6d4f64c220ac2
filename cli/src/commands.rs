//! The verbs.

pub(crate) mod addon;
pub(crate) mod completions;
pub(crate) mod fuse;
pub(crate) mod index;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod push;
pub(crate) mod sync;
pub(crate) mod verify;

use fusion_core::fuse::Failure;
use fusion_core::report::{Report, Warning};

use crate::color::{Paint, When};
use crate::console::Console;
use crate::errors;

/// Prints a text that is the whole result, and returns the exit status.
pub(crate) fn print(text: &str, console: &mut Console<'_>) -> u8 {
    match console.print(text) {
        Ok(()) => 0,
        Err(error) => {
            let paint = Paint::new(When::Auto, console.err_terminal);
            console.tell(&errors::render(&error, paint));
            error.kind().exit_status()
        }
    }
}

/// `outcome`, with a warning for each option that was `without_effect`.
fn mention(
    mut outcome: Result<Report, Failure>,
    without_effect: Vec<String>,
) -> Result<Report, Failure> {
    let report = match &mut outcome {
        Ok(report) => report,
        Err(failure) => &mut *failure.report,
    };
    let warning = |message| Warning {
        reference: None,
        code: "without-effect",
        message,
    };
    report
        .warnings
        .extend(without_effect.into_iter().map(warning));
    report.warnings.sort();
    outcome
}
