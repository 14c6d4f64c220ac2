//! How results look.

mod charts;
mod inspection;
mod report;
pub(crate) mod text;
mod verification;

use fusion_core::Error;
use fusion_core::report::{InspectedSource, Warning};

use crate::color::Paint;
use text::clean;

/// A result: the JSON document behind `--json` and its human form.
pub(crate) trait Document {
    /// Records why the run failed.
    fn fail(&mut self, error: &Error);

    /// Whether the run failed, so that there is nothing to show.
    fn failed(&self) -> bool;

    /// The exit status of a run that came to its end.
    fn status(&self) -> u8;

    /// The JSON document, with a final newline.
    fn json(&self) -> String;

    /// The human form, for standard output.
    fn human(&self, paint: Paint, verbose: u8) -> String;

    /// What somebody should know, for standard error.
    fn warnings(&self, paint: Paint) -> String;

    /// Failures of parts of a run that went on, for standard error.
    fn failures(&self, _paint: Paint) -> String {
        String::new()
    }
}

/// A source that nothing is known about yet.
pub(crate) fn blank_source(location: &str) -> InspectedSource {
    InspectedSource {
        kind: "unknown",
        location: location.to_owned(),
        compression: "unknown",
        size: 0,
    }
}

/// One line a warning: `warning[code]: message`.
fn warning_lines(warnings: &[Warning], paint: Paint) -> String {
    let mut lines = String::new();
    for warning in warnings {
        let label = paint.warning(&format!("warning[{}]:", warning.code));
        lines.push_str(&format!("{label} {}\n", clean(&warning.message)));
    }
    lines
}
