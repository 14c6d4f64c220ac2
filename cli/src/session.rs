//! What every verb that works on archives goes through: log, signals, progress, work, output.

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fusion_core::progress::{Sink, Stop};
use fusion_core::{Error, ErrorKind, Result, fuse};

use crate::args::Common;
use crate::color::Paint;
use crate::console::Console;
use crate::output::Document;
use crate::signals::Watch;
use crate::{errors, log, progress, report_file};

/// What the work of a verb is given.
pub(crate) struct Tools<'a> {
    /// Shows progress.
    pub(crate) sink: Option<&'a mut dyn Sink>,
    /// Is raised by Ctrl-C.
    pub(crate) stop: Stop,
}

/// Work that failed: why, and the document as far as it came.
pub(crate) struct Failure<D> {
    error: Error,
    document: Option<Box<D>>,
}

impl<D> From<Error> for Failure<D> {
    fn from(error: Error) -> Self {
        Self {
            error,
            document: None,
        }
    }
}

impl From<fuse::Failure> for Failure<fusion_core::report::Report> {
    fn from(failure: fuse::Failure) -> Self {
        Self {
            error: failure.error,
            document: Some(failure.report),
        }
    }
}

/// What a verb was asked to do, apart from its own options.
#[derive(Debug, Clone)]
pub(crate) struct Session<'a> {
    /// The options of every working verb.
    pub(crate) common: &'a Common,
    /// Where the human form of the result goes.
    pub(crate) results: Results,
    /// The sources and the destination, as they were named.
    pub(crate) named: Vec<&'a OsStr>,
}

/// Where the human form of a result goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Results {
    /// To standard output.
    Out,
    /// To standard error, because standard output carries the archive.
    Err,
}

impl Session<'_> {
    /// Does `work` with everything around it and returns the exit status. `blank` is the document
    /// of work that did not even begin.
    pub(crate) fn run<D: Document>(
        &self,
        console: &mut Console<'_>,
        blank: impl FnOnce() -> D,
        work: impl FnOnce(Tools<'_>) -> Result<D, Failure<D>>,
    ) -> u8 {
        let stop = Stop::new();
        // The watch listens until everything is said.
        let (_watch, outcome) = match self.prepare(&stop) {
            Ok(watch) => (Some(watch), attempt(self.common, stop, console, work)),
            Err(error) => (None, Err(error.into())),
        };
        let (document, error) = match outcome {
            Ok(document) => (document, None),
            Err(failure) => {
                let mut document = failure.document.map_or_else(blank, |document| *document);
                document.fail(&failure.error);
                (document, Some(failure.error))
            }
        };
        self.emit(console, &document, error)
    }

    /// Everything that can fail before the work begins.
    fn prepare(&self, stop: &Stop) -> Result<Watch> {
        if let Some(path) = &self.common.report {
            report_file::check(path, &self.named)?;
        }
        if let Some(path) = &self.common.log_file {
            report_file::distinct("--log-file", path, &self.named)?;
        }
        log::install(self.common.log_file.as_deref(), self.common.verbose)?;
        Watch::start(stop)
            .map_err(|error| Error::io("cannot listen for", Path::new("signals"), error))
    }

    /// Shows the outcome and returns the exit status.
    fn emit<D: Document>(
        &self,
        console: &mut Console<'_>,
        document: &D,
        error: Option<Error>,
    ) -> u8 {
        let common = self.common;
        let mut errors: Vec<Error> = error.into_iter().collect();
        if let Some(path) = &common.report
            // A mistake in the path itself was said already.
            && report_file::check(path, &self.named).is_ok()
        {
            errors.extend(report_file::write(path, &document.json()).err());
        }
        let failed = document.failed();
        let paint = |terminal| Paint::new(common.color, terminal);
        let printed = if common.json {
            console.print(&document.json())
        } else if failed {
            Ok(())
        } else if self.results == Results::Err {
            if !common.quiet {
                let paint = paint(console.err_terminal);
                console.tell(&document.human(paint, common.verbose));
            }
            Ok(())
        } else {
            let paint = paint(console.out_terminal);
            console.print(&document.human(paint, common.verbose))
        };
        errors.extend(printed.err());

        let paint = paint(console.err_terminal);
        if !common.quiet {
            console.tell(&document.warnings(paint));
        }
        console.tell(&document.failures(paint));
        for error in &errors {
            tracing::debug!(kind = error.kind().name(), "failed: {error}");
            console.tell(&errors::render(error, paint));
        }
        errors
            .first()
            .map_or_else(|| document.status(), |error| error.kind().exit_status())
    }
}

/// Does the work; a panic becomes an internal error.
fn attempt<D>(
    common: &Common,
    stop: Stop,
    console: &mut Console<'_>,
    work: impl FnOnce(Tools<'_>) -> Result<D, Failure<D>>,
) -> Result<D, Failure<D>> {
    let mut display = progress::display(common, console, &stop);
    catch_unwind(AssertUnwindSafe(|| {
        let sink = display
            .as_mut()
            .map(|display| &mut **display as &mut dyn Sink);
        work(Tools { sink, stop })
    }))
    .unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Internal, "fusion itself failed")
            .hint("this is a bug: please report it, with the output of `-vv`")
            .into())
    })
}
