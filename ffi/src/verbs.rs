//! What the library can do. Each verb is the engine's, with the same report and the same errors.

use std::ffi::c_char;

use fusion_core::deliver::{fuse, index_create, push};
use fusion_core::fuse::Failure as Failed;
use fusion_core::inspect::inspect;
use fusion_core::location::{Location, Transport};
use fusion_core::report::{Inspection, Report, Verification};
use fusion_core::validate::verify;

use crate::call::{Tools, verb};
use crate::error::{Failure, fusion_error};
use crate::options::fusion_options;
use crate::pipe::Quiet;
use crate::report::fusion_report;
use crate::status::fusion_status;
use crate::strings::{locations, path, text, texts};

/// Fuses the images of all sources into one destination: pairs them by reference, keeps one
/// manifest per platform, and writes one index per reference. The destination appears whole or not
/// at all.
///
/// Thread safety: any number of threads may do this at once. Two runs into one destination do not
/// mix: one of them gets FUSION_STATUS_BUSY.
///
/// If the output is "-" and nobody reads it any more, or it is closed, that is FUSION_STATUS_IO;
/// meanwhile the thread does not get SIGPIPE.
///
/// @param sources paths, any bytes: image archives (.tar, .tar.gz, .tar.zst), OCI layouts, chart
///   bundles and packages of them, in the order that decides between them; skopeo's prefixes are
///   understood (docker-archive:, oci-archive:, oci:, docker:// for an image in a registry), and
///   bundle: and package:; "-" is standard input. Used during the call only
/// @param count how many sources there are
/// @param output a path, any bytes; a directory if it ends in "/", "-" is standard output,
///   docker://HOST/PREFIX is a registry, and then this is fusion_push. May be NULL only if the
///   option "dry-run" is set. Used during the call only
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return FUSION_STATUS_OK, also if the option "keep-going" is set and images failed (the
///   report's "/status" is then "partial"); else any other status
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_fuse(
    sources: *const *const c_char,
    count: usize,
    output: *const c_char,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        // SAFETY: as the header says.
        unsafe { run(sources, count, output, tools, false) }
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}

/// Tells what fusion_fuse would do, and writes nothing.
///
/// Thread safety: any number of threads may do this at once.
///
/// @param sources as for fusion_fuse
/// @param count how many sources there are
/// @param output as for fusion_fuse; NULL for a plan without a destination
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return as fusion_fuse
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_plan(
    sources: *const *const c_char,
    count: usize,
    output: *const c_char,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        // SAFETY: as the header says.
        unsafe { run(sources, count, output, tools, true) }
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}

unsafe fn run(
    sources: *const *const c_char,
    count: usize,
    output: *const c_char,
    tools: Tools<'_>,
    plan: bool,
) -> Result<fusion_report, Failure> {
    let mut options = tools.options.deliver();
    options.fuse.dry_run |= plan;
    let dry_run = options.fuse.dry_run;
    let named = || {
        // SAFETY: as the header says.
        let (sources, output) = unsafe {
            let sources = locations(sources, count, "sources")?;
            match output.is_null() && dry_run {
                true => (sources, None),
                false => (sources, Some(path(output, "output")?)),
            }
        };
        let output = output.map(Location::parse);
        Ok::<_, Failure>((sources, output.transpose()?))
    };
    let (sources, output) = named().map_err(|failure| unbegun("fuse", dry_run, failure))?;
    let standard = |location: &Location| location.transport == Transport::Standard;
    let _quiet = output.as_ref().is_some_and(standard).then(Quiet::begin);
    told(fuse(
        &sources,
        output.as_ref(),
        &options,
        tools.sink,
        tools.stop,
    ))
}

/// Fuses the images of all sources, and pushes them to a registry: blobs first, then manifests and
/// indexes, tags last. What a tag has already for other platforms stays, unless the option
/// "on-existing" says otherwise: "merge" (the default), "replace", "skip" or "error".
///
/// A tag never leads to something incomplete, whenever the run ends. What was sent is found by the
/// next run, which sends what is missing.
///
/// Thread safety: any number of threads may do this at once, and any number of other programs.
/// Writers that merge into one tag at the same time read it again after they wrote; that they lose
/// nothing of each other's is sure if all of them set the option "claim-tags".
///
/// @param sources paths, as for fusion_fuse
/// @param count how many sources there are
/// @param to where to: HOST[:PORT][/PREFIX], UTF-8, not NULL; the option "names" says what images
///   are called below it. Used during the call only
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return FUSION_STATUS_OK, also if the option "keep-going" is set and images failed or
///   sources are damaged (the report's "/status" is then "partial"); else any other status
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_push(
    sources: *const *const c_char,
    count: usize,
    to: *const c_char,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        let options = tools.options.deliver();
        // SAFETY: as the header says.
        let named = unsafe { locations(sources, count, "sources") }.and_then(|sources| {
            // SAFETY: as the header says.
            let to = unsafe { text(to, "to") }?;
            Ok((sources, to))
        });
        let dry_run = options.fuse.dry_run;
        let (sources, to) = named.map_err(|failure| unbegun("push", dry_run, failure))?;
        told(push(&sources, to, &options, tools.sink, tools.stop))
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}

/// Makes one index out of images that are there, in registries and layouts: what `docker manifest
/// create`, `annotate` and `push` do in three steps. What a registry has is not pulled, children
/// are brought into the target's repository.
///
/// The option "append" keeps what the target leads to already, "remove" takes platforms off it;
/// without them the target is what the sources are.
///
/// Thread safety: as for fusion_push.
///
/// @param target the tag to write: HOST/REPOSITORY:TAG, or oci:DIR:REFERENCE for one in a layout;
///   UTF-8, not NULL. Used during the call only
/// @param sources images or indexes, named like the target, also by digest
///   (HOST/REPOSITORY@DIGEST); each with =PLATFORM at its end if its configuration says the wrong
///   one. UTF-8. Used during the call only
/// @param count how many sources there are; 0 only if the option "remove" is set
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return FUSION_STATUS_OK or any other status
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_index_create(
    target: *const c_char,
    sources: *const *const c_char,
    count: usize,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        let options = tools.options.deliver();
        // SAFETY: as the header says.
        let named = unsafe { text(target, "target") }.and_then(|target| {
            // SAFETY: as the header says.
            let sources = unsafe { texts(sources, count, "sources") }?;
            Ok((target, sources))
        });
        let dry_run = options.fuse.dry_run;
        let (target, sources) =
            named.map_err(|failure| unbegun("index create", dry_run, failure))?;
        told(index_create(
            target, &sources, &options, tools.sink, tools.stop,
        ))
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}

/// The failure of a verb that did not begin, with a report that says so.
pub(crate) fn unbegun(command: &'static str, dry_run: bool, failure: Failure) -> Failure {
    let mut report = Report::new(command);
    report.dry_run = dry_run;
    report.fail(failure.error());
    failure.report(report.to_json())
}

/// The outcome of a verb that writes, for C.
pub(crate) fn told(outcome: Result<Report, Failed>) -> Result<fusion_report, Failure> {
    match outcome {
        Ok(report) => fusion_report::new(&report, report.to_json()),
        Err(Failed { error, report }) => Err(Failure::from(error).report(report.to_json())),
    }
}

/// Tells what is inside a source, without unpacking it. Only documents are verified: fusion_verify
/// does the rest. The option "reference" chooses one image.
///
/// Thread safety: any number of threads may do this at once.
///
/// @param source a path, as for fusion_fuse; not NULL
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return FUSION_STATUS_OK or any other status
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_inspect(
    source: *const c_char,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        // SAFETY: as the header says.
        let source = unsafe { path(source, "source") };
        let named = match &source {
            Ok(source) => source.to_string_lossy().into_owned(),
            Err(_) => String::new(),
        };
        let reference = tools.options.reference.as_deref();
        let outcome = source.and_then(|source| {
            let source = Location::parse(source)?;
            let connect = tools.options.deliver().fuse.connect;
            Ok(inspect(
                &source, reference, &connect, tools.sink, tools.stop,
            )?)
        });
        match outcome {
            Ok(inspection) => fusion_report::new(&inspection, inspection.to_json()),
            Err(failure) => {
                let inspection = Inspection::failed(&named, failure.error());
                Err(failure.report(inspection.to_json()))
            }
        }
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}

/// Checks every digest and diff ID of the sources, and lists every finding.
///
/// A finding is no failure of the call: whether the sources are sound is the report's "/status",
/// "ok" or "failed".
///
/// Thread safety: any number of threads may do this at once.
///
/// @param sources paths, as for fusion_fuse
/// @param count how many sources there are
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return FUSION_STATUS_OK if everything could be checked; else any other status
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_verify(
    sources: *const *const c_char,
    count: usize,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        // SAFETY: as the header says.
        let sources = unsafe { locations(sources, count, "sources") };
        let names = match &sources {
            Ok(sources) => sources
                .iter()
                .map(|source| source.spelled.clone())
                .collect(),
            Err(_) => Vec::new(),
        };
        let options = tools.options.deliver().fuse;
        let (jobs, connect) = (options.jobs, &options.connect);
        let outcome = sources
            .and_then(|sources| Ok(verify(&sources, jobs, connect, tools.sink, tools.stop)?));
        match outcome {
            Ok(verification) => fusion_report::new(&verification, verification.to_json()),
            Err(failure) => {
                let mut verification = Verification::new(names);
                verification.fail(failure.error());
                Err(failure.report(verification.to_json()))
            }
        }
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}
