//! What a call did.

use std::collections::HashMap;
use std::ffi::{CString, c_char};
use std::ptr::null;
use std::sync::{Mutex, PoisonError};

use fusion_core::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value;

use crate::error::Failure;
use crate::handle::Handle;
use crate::panic::boundary;
use crate::strings::{c_string, text};

/// What a call did or found, as a JSON document: fusion.report/v1 of fusion_fuse, fusion_plan,
/// fusion_push and fusion_index_create, fusion.inspect/v1 of fusion_inspect, fusion.verify/v1 of
/// fusion_verify.
///
/// Thread safety: what it says never changes; any number of threads may read it at once.
///
/// Lifetime: it depends on nothing else. Strings taken from it live until it is freed.
///
/// @since 0.1
#[derive(Debug)]
pub struct fusion_report {
    json: CString,
    document: Value,
    /// What was asked for so far. A string stays where it is when the map grows.
    asked: Mutex<HashMap<String, CString>>,
}

impl Handle for fusion_report {}

impl fusion_report {
    /// The report of a call: the document, and how the engine prints it.
    pub(crate) fn new(document: &impl Serialize, json: String) -> Result<Self, Failure> {
        let document = serde_json::to_value(document)
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        Ok(Self {
            json: c_string(json),
            document,
            asked: Mutex::default(),
        })
    }

    /// What stands at `place`, a JSON pointer.
    fn at(&self, place: &str) -> *const c_char {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get(place) {
            return known.as_ptr();
        }
        let found = match self.document.pointer(place) {
            None | Some(Value::Null) => return null(),
            Some(Value::String(text)) => c_string(text.as_str()),
            Some(other) => c_string(other.to_string()),
        };
        asked.entry(place.to_owned()).or_insert(found).as_ptr()
    }

    /// What stands at `field` of image `index`.
    fn of_image(&self, index: usize, field: &str) -> *const c_char {
        self.at(&format!("/images/{index}/{field}"))
    }

    fn images(&self) -> usize {
        self.document["images"].as_array().map_or(0, Vec::len)
    }
}

/// The whole document as indented JSON, the same that the command line prints with --json.
///
/// @param report the report; NULL gives NULL
/// @return UTF-8 that lives as long as the report
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_report_json(report: *const fusion_report) -> *const c_char {
    boundary(null(), || {
        // SAFETY: as the header says.
        unsafe { fusion_report::look(report) }.map_or(null(), |report| report.json.as_ptr())
    })
}

/// One value of the document: "/images/0/digest", "/images/0/platforms/1/platform", "/status".
///
/// A string is given as it is (a NUL inside as U+FFFD), anything else as JSON: "true", "12".
///
/// @param report the report; NULL gives NULL
/// @param json_pointer where the value stands, as in RFC 6901; NULL gives NULL
/// @return UTF-8 that lives as long as the report; NULL if there is nothing, or null
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_report_get(
    report: *mut fusion_report,
    json_pointer: *const c_char,
) -> *const c_char {
    boundary(null(), || {
        // SAFETY: as the header says.
        let (report, place) = unsafe {
            (
                fusion_report::look(report),
                text(json_pointer, "json_pointer"),
            )
        };
        match (report, place) {
            (Some(report), Ok(place)) => report.at(place),
            _ => null(),
        }
    })
}

/// How many images the document lists. fusion_verify lists none.
///
/// @param report the report; NULL gives 0
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_report_image_count(report: *const fusion_report) -> usize {
    boundary(0, || {
        // SAFETY: as the header says.
        unsafe { fusion_report::look(report) }.map_or(0, fusion_report::images)
    })
}

/// The normalised reference of an image: "docker.io/library/nginx:1.25".
///
/// @param report the report; NULL gives NULL
/// @param index which image, from 0 on
/// @return UTF-8 that lives as long as the report; NULL if there is no such image, or it has no
///   name
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_report_image_reference(
    report: *const fusion_report,
    index: usize,
) -> *const c_char {
    boundary(null(), || {
        // SAFETY: as the header says.
        unsafe { fusion_report::look(report) }
            .map_or(null(), |report| report.of_image(index, "reference"))
    })
}

/// The digest that the reference of an image leads to: "sha256:...".
///
/// @param report the report; NULL gives NULL
/// @param index which image, from 0 on
/// @return UTF-8 that lives as long as the report; NULL if there is no such image, or its digest
///   is not known (a plan that compresses, an image that failed)
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_report_image_digest(
    report: *const fusion_report,
    index: usize,
) -> *const c_char {
    boundary(null(), || {
        // SAFETY: as the header says.
        unsafe { fusion_report::look(report) }
            .map_or(null(), |report| report.of_image(index, "digest"))
    })
}

/// Frees the report and the strings taken from it.
///
/// @param report the report; nothing happens if it is NULL
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_report_free(report: *mut fusion_report) {
    // SAFETY: as the header says.
    boundary((), || unsafe { fusion_report::free(report) });
}
