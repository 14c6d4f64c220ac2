//! The choices of a call.

use std::ffi::{c_char, c_void};

use fusion_core::deliver::DeliverOptions;
use fusion_core::progress::Stop;
use fusion_core::settings::Settings;
use tracing::level_filters::LevelFilter;

use crate::error::{Failure, fusion_error};
use crate::handle::Handle;
use crate::log::{self, fusion_log_fn};
use crate::panic::{boundary, fallible};
use crate::progress::{self, fusion_progress_fn};
use crate::status::fusion_status;
use crate::stop::fusion_stop;
use crate::strings::{secret, text};

/// The choices of a call: the options of the command line by their names, and callbacks.
///
/// One handle serves any verb and any number of calls; a verb looks only at what concerns it. NULL
/// in its place means that nothing was chosen.
///
/// Thread safety: to be changed by one thread at a time. As long as nobody changes it, any number
/// of threads may make calls with it at once; each then calls the same callbacks.
///
/// Lifetime: a call copies it first of all. It may be changed or freed as soon as the call has
/// begun, also from a callback.
///
/// @since 0.1
#[derive(Debug, Clone, Default)]
pub struct fusion_options {
    pub(crate) chosen: DeliverOptions,
    pub(crate) reference: Option<String>,
    pub(crate) progress: Option<progress::Callback>,
    pub(crate) log: Option<log::Callback>,
    pub(crate) stop: Option<Stop>,
}

impl Handle for fusion_options {}

impl fusion_options {
    /// The choices of a call, with what the environment says as it begins.
    pub(crate) fn deliver(&self) -> DeliverOptions {
        let mut chosen = self.chosen.clone();
        chosen.fuse.connect.settings = Settings::from_env();
        chosen
    }
}

/// The one option that is not about fusing.
const REFERENCE: &str = "reference";

/// The one option whose value nobody may see.
const PASSWORD: &str = "password";

/// Makes options that have nothing chosen.
///
/// @return options to be freed with fusion_options_free; NULL only after an internal failure
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn fusion_options_new() -> *mut fusion_options {
    boundary(std::ptr::null_mut(), || fusion_options::default().give())
}

/// Sets an option. One that is repeatable then has just this value.
///
/// Names are those of the command line without dashes. What is chosen and how it is done:
/// "annotation", "clean", "compression", "docker-platform", "dry-run", "durability", "exclude",
/// "format", "image", "jobs", "keep-going", "media-types", "name", "on-conflict", "on-existing",
/// "on-file-conflict", "platform", "rename", "require-platform", "source-platform",
/// "strip-arch-suffix", "verify", "work-dir". How to get into registries: "insecure", "password",
/// "plain-http", "retries", "tls-ca", "username". What happens there: "claim-tags",
/// "clean-claims", "create-projects", "names". Of fusion_sync and fusion_import_addon: "chart",
/// "latest-version-only", "on-existing-chart", "skip-images", "source", "values". Of
/// fusion_index_create: "append", "remove". Besides, "reference" has fusion_inspect look at one
/// image only. A switch takes "true" or "false". The value is checked at once.
///
/// A password is never given back: neither errors nor logs nor reports show it.
///
/// Options that are no choice but a matter of the terminal (--json, --progress, --log-file, ...)
/// have functions here in their place.
///
/// @param options the options; not NULL
/// @param name UTF-8, not NULL; copied
/// @param value UTF-8, not NULL; copied
/// @param error where an error goes; may be NULL
/// @return FUSION_STATUS_OK; FUSION_STATUS_USAGE, with the options as they were, for an unknown
///   name, or a value that makes no sense; FUSION_STATUS_NULL_ARGUMENT
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_options_set(
    options: *mut fusion_options,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut fusion_error,
) -> fusion_status {
    // SAFETY: as the header says.
    unsafe { apply(options, name, value, error, false) }
}

/// Adds a value to a repeatable option: "annotation", "chart", "exclude", "image", "platform",
/// "remove", "rename", "require-platform", "source", "source-platform", "values".
///
/// @param options the options; not NULL
/// @param name UTF-8, not NULL; copied
/// @param value UTF-8, not NULL; copied
/// @param error where an error goes; may be NULL
/// @return as fusion_options_set; FUSION_STATUS_USAGE also for an option that has one value
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_options_add(
    options: *mut fusion_options,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut fusion_error,
) -> fusion_status {
    // SAFETY: as the header says.
    unsafe { apply(options, name, value, error, true) }
}

unsafe fn apply(
    options: *mut fusion_options,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut fusion_error,
    add: bool,
) -> fusion_status {
    let body = || {
        // SAFETY: as the header says.
        let (options, name, value) = unsafe {
            let options =
                fusion_options::change(options).ok_or_else(|| Failure::null("options"))?;
            let name = text(name, "name")?;
            let value = match name {
                PASSWORD => secret(value, "value")?,
                _ => text(value, "value")?,
            };
            (options, name, value)
        };
        let mut changed = options.chosen.clone();
        match (name, add) {
            (REFERENCE, false) => options.reference = Some(value.to_owned()),
            (_, false) => changed.set(name, value)?,
            (_, true) => changed.add(name, value)?,
        }
        options.chosen = changed;
        Ok(())
    };
    // SAFETY: as the header says.
    unsafe { fallible(error, body) }
}

/// Has a callback told how far runs are.
///
/// @param options the options; nothing happens if they are NULL
/// @param progress the callback; NULL for none
/// @param user_data what it is called with; never looked at, may be NULL
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_options_set_progress(
    options: *mut fusion_options,
    progress: fusion_progress_fn,
    user_data: *mut c_void,
) {
    boundary((), || {
        // SAFETY: as the header says.
        if let Some(options) = unsafe { fusion_options::change(options) } {
            options.progress = progress.map(|function| progress::Callback {
                function,
                user_data,
            });
        }
    });
}

/// Has a callback given what runs log.
///
/// @param options the options; nothing happens if they are NULL
/// @param log the callback; NULL for none
/// @param user_data what it is called with; never looked at, may be NULL
/// @param level how much: FUSION_LOG_OFF to FUSION_LOG_TRACE; what lies beyond counts as the
///   nearest
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_options_set_log(
    options: *mut fusion_options,
    log: fusion_log_fn,
    user_data: *mut c_void,
    level: i32,
) {
    boundary((), || {
        let level = log::level(level);
        // SAFETY: as the header says.
        if let Some(options) = unsafe { fusion_options::change(options) } {
            options.log = log
                .filter(|_| level != LevelFilter::OFF)
                .map(|function| log::Callback {
                    function,
                    user_data,
                    level,
                });
        }
    });
}

/// Lets a flag stop runs.
///
/// @param options the options; nothing happens if they are NULL
/// @param stop the flag, which they share from now on and which stays the caller's to free; NULL
///   for none
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_options_set_stop(
    options: *mut fusion_options,
    stop: *mut fusion_stop,
) {
    boundary((), || {
        // SAFETY: as the header says.
        let (options, stop) = unsafe { (fusion_options::change(options), fusion_stop::look(stop)) };
        if let Some(options) = options {
            options.stop = stop.map(|stop| stop.flag.clone());
        }
    });
}

/// Frees the options.
///
/// @param options the options; nothing happens if they are NULL
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_options_free(options: *mut fusion_options) {
    // SAFETY: as the header says.
    boundary((), || unsafe { fusion_options::free(options) });
}
