//! The verbs over charts, which a configuration tells what to do.

use std::ffi::c_char;
use std::path::PathBuf;

use fusion_core::deliver::{import_addon, sync};

use crate::call::{Tools, verb};
use crate::error::{Failure, fusion_error};
use crate::options::fusion_options;
use crate::report::fusion_report;
use crate::status::fusion_status;
use crate::strings::{locations, path};
use crate::verbs::{told, unbegun};

/// Does what a configuration of charts-syncer asks for: the images of chart bundles go into its
/// registry, as fusion_push puts them there, then the charts, whose values name them where they are
/// now, into its chart repository. A chart appears only after all its images.
///
/// What the configuration says stands where no option says otherwise. Of its own are "source",
/// bundles and packages in the place of those that the configuration names, "chart",
/// "latest-version-only", "skip-images", "on-existing-chart" and "values".
///
/// Thread safety: as for fusion_push.
///
/// @param config the path of the configuration (load-image.yaml), any bytes; not NULL. Used during
///   the call only
/// @param options what was chosen; NULL for nothing
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL. Charts are
///   at "/charts/0/action", saved values that were brought along at "/values/0/changes/0/key"
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return FUSION_STATUS_OK, also if the option "keep-going" is set and images or charts failed
///   or sources are damaged (the report's "/status" is then "partial"); else any other status
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_sync(
    config: *const c_char,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        let options = tools.options.deliver();
        // SAFETY: as the header says.
        let named = unsafe { path(config, "config") }.map(PathBuf::from);
        let dry_run = options.fuse.dry_run;
        let config = named.map_err(|failure| unbegun("sync", dry_run, failure))?;
        told(sync(&config, &options, tools.sink, tools.stop))
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}

/// Imports addon packages into the registry and the chart repository that the installer's
/// configuration names, as fusion_sync does. What images are called there is found out by looking,
/// unless the option "names" says so.
///
/// Thread safety: as for fusion_push.
///
/// @param config the path of the configuration (clusterConfig.yaml), any bytes; not NULL. Used
///   during the call only
/// @param sources packages, named as for fusion_fuse; may be NULL if there are none. Used during
///   the call only
/// @param count how many packages there are; 0 for the one that the configuration names
/// @param options what was chosen; NULL for nothing. "source" is for fusion_sync
/// @param report where the report goes, to be freed with fusion_report_free; may be NULL
/// @param error where an error goes, to be freed with fusion_error_free; may be NULL
/// @return as fusion_sync
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_import_addon(
    config: *const c_char,
    sources: *const *const c_char,
    count: usize,
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
) -> fusion_status {
    let body = |tools: Tools<'_>| {
        let options = tools.options.deliver();
        let named = || {
            // SAFETY: as the header says.
            let config = unsafe { path(config, "config") }.map(PathBuf::from)?;
            // SAFETY: as the header says.
            let packages = unsafe { locations(sources, count, "sources") }?;
            Ok::<_, Failure>((config, packages))
        };
        let dry_run = options.fuse.dry_run;
        let (config, packages) =
            named().map_err(|failure| unbegun("import-addon", dry_run, failure))?;
        told(import_addon(
            &config, &packages, &options, tools.sink, tools.stop,
        ))
    };
    // SAFETY: as the header says.
    unsafe { verb(options, report, error, body) }
}
