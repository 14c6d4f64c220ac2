//! What happens at the boundary and cannot be provoked from C.

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use fusion_core::{Error, ErrorKind};

use crate::error::{
    fusion_error_errno, fusion_error_free, fusion_error_kind, fusion_error_message,
    fusion_error_offset, fusion_error_path, fusion_error_status,
};
use crate::handle::Handle;
use crate::options::{fusion_options, fusion_options_free, fusion_options_new, fusion_options_set};
use crate::panic::{boundary, fallible};
use crate::report::{fusion_report, fusion_report_free, fusion_report_get};
use crate::status::{FUSION_STATUS_IO, FUSION_STATUS_OK, FUSION_STATUS_PANIC};
use crate::strings::c_string;

fn text(pointer: *const c_char) -> Option<String> {
    (!pointer.is_null()).then(|| {
        // SAFETY: what is tested gives NULL or a string that lives.
        unsafe { CStr::from_ptr(pointer) }
            .to_string_lossy()
            .into_owned()
    })
}

#[test]
fn a_panic_is_a_status_and_an_error() {
    let mut error = null_mut();
    // SAFETY: `error` is room for a pointer, and freed once.
    unsafe {
        let status = fallible(&raw mut error, || panic!("as a bug would"));
        assert_eq!(status, FUSION_STATUS_PANIC);
        assert_eq!(fusion_error_status(error), FUSION_STATUS_PANIC);
        assert_eq!(text(fusion_error_kind(error)).as_deref(), Some("internal"));
        let message = text(fusion_error_message(error)).unwrap_or_default();
        assert!(message.contains("as a bug would"), "{message}");
        fusion_error_free(error);
        assert_eq!(
            fallible(null_mut(), || panic!("unwanted")),
            FUSION_STATUS_PANIC
        );
    }
    assert_eq!(boundary(7, || panic!("in a function that cannot fail")), 7);
}

#[test]
fn success_leaves_the_error_alone() {
    let mut error = std::ptr::dangling_mut();
    let before = error;
    // SAFETY: `error` is room for a pointer.
    let status = unsafe { fallible(&raw mut error, || Ok(())) };
    assert_eq!((status, error), (FUSION_STATUS_OK, before));
}

#[test]
fn paths_are_bytes_and_numbers_are_there() {
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"a\xff.tar"));
    let cause = std::io::Error::from_raw_os_error(5);
    let made = Error::io("cannot read", path, cause).offset(u64::MAX);
    let mut error = null_mut();
    // SAFETY: `error` is room for a pointer, and freed once.
    unsafe {
        let status = fallible(&raw mut error, || Err(made.into()));
        assert_eq!(status, FUSION_STATUS_IO);
        assert_eq!(
            CStr::from_ptr(fusion_error_path(error)).to_bytes(),
            b"a\xff.tar"
        );
        assert_eq!(
            (fusion_error_errno(error), fusion_error_offset(error)),
            (5, -1)
        );
        fusion_error_free(error);
    }
}

#[test]
fn a_nul_inside_does_not_cut_a_string() {
    assert_eq!(c_string("a\0b").to_str(), Ok("a\u{fffd}b"));
}

#[test]
fn values_are_found_by_pointer_and_stay_where_they_are() {
    let document = serde_json::json!({
        "a": [{"digest": "sha256:0"}], "yes": true, "n": 12, "none": null, "x/y": "z", "": 1,
    });
    let report = fusion_report::new(&document, "{}".to_owned())
        .expect("it is JSON")
        .give();
    // SAFETY: `report` is ours, and freed once.
    unsafe {
        let get = |place: &CStr| fusion_report_get(report, place.as_ptr());
        let first = get(c"/a/0/digest");
        for (place, expected) in [
            (c"/a/0/digest", Some("sha256:0")),
            (c"/yes", Some("true")),
            (c"/n", Some("12")),
            (c"/none", None),
            (c"/x~1y", Some("z")),
            (c"/a", Some(r#"[{"digest":"sha256:0"}]"#)),
            (c"/a/1", None),
            (c"/a/00", None),
            (c"a", None),
            (c"/", Some("1")),
        ] {
            assert_eq!(text(get(place)).as_deref(), expected, "{place:?}");
        }
        assert_eq!(get(c"/a/0/digest"), first);
        assert!(text(get(c"")).is_some_and(|whole| whole.starts_with('{')));
        fusion_report_free(report);
    }
}

#[test]
fn a_password_is_not_printed() {
    let options = fusion_options_new();
    let set = |name: &CStr, value: &CStr, error| {
        // SAFETY: `options` is ours, and the strings end in a NUL.
        unsafe { fusion_options_set(options, name.as_ptr(), value.as_ptr(), error) }
    };
    assert_eq!(set(c"password", c"hunter2", null_mut()), FUSION_STATUS_OK);
    let mut error = null_mut();
    let bad = c"hunter2\xff";
    assert_ne!(set(c"password", bad, &raw mut error), FUSION_STATUS_OK);
    // SAFETY: `options` and `error` are ours, and freed once.
    unsafe {
        let message = text(fusion_error_message(error)).unwrap_or_default();
        assert!(!message.contains("hunter2"), "{message}");
        let shown = format!("{:?}", fusion_options::look(options));
        assert!(!shown.contains("hunter2"), "{shown}");
        fusion_error_free(error);
        fusion_options_free(options);
    }
}

#[test]
fn codes_fit_the_families() {
    for kind in ErrorKind::ALL {
        assert!((-99..0).contains(&kind.code()), "{kind}");
    }
}
