//! The table: every bad bundle and package of the fixtures, and what becomes of it.

use fusion_core::ErrorKind::{
    self, DigestMismatch as Mismatch, InvalidArchive as Invalid, LimitExceeded as Limit,
};

/// What an error has to name besides file and member: the byte, counted in the tar around it,
pub(super) const OFFSET: u8 = 1;
/// the digest,
pub(super) const DIGEST: u8 = 2;
/// or what to do next.
pub(super) const HINT: u8 = 4;

/// What a verb makes of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It ends with status 0.
    Passes,
    /// It ends with the error of the row.
    Fails,
}
use Verdict::{Fails, Passes};

/// A bad input, and what becomes of it.
pub(super) struct Row {
    pub(super) case: &'static str,
    /// What is wrong; nothing if it is merely unusual.
    pub(super) kind: Option<ErrorKind>,
    /// The member that it names, with the path through the nesting; a `*` at the end stands for
    /// more.
    pub(super) member: &'static str,
    /// What else it names.
    pub(super) names: u8,
    pub(super) fuse: Verdict,
    pub(super) verify: Verdict,
    pub(super) inspect: Verdict,
}

/// Damage that every verb finds.
const fn damaged(case: &'static str, kind: ErrorKind, member: &'static str, names: u8) -> Row {
    Row {
        case,
        kind: Some(kind),
        member,
        names,
        fuse: Fails,
        verify: Fails,
        inspect: Fails,
    }
}

/// Damage in a layer, which `inspect` does not read.
const fn damaged_layer(case: &'static str, member: &'static str) -> Row {
    Row {
        inspect: Passes,
        ..damaged(case, Mismatch, member, OFFSET | DIGEST | HINT)
    }
}

/// Unusual, and taken as it is.
const fn sound(case: &'static str) -> Row {
    Row {
        case,
        kind: None,
        member: "",
        names: 0,
        fuse: Passes,
        verify: Passes,
        inspect: Passes,
    }
}

const BUNDLE: &str = "package/web_1.5.0.bundle.tar";
const IMAGES: &str = "package/web_1.5.0.bundle.tar › images.tar";
const IN_IMAGES: &str = "package/web_1.5.0.bundle.tar › images.tar › *";

/// Every bad bundle and package of the fixtures.
pub(super) const ROWS: &[Row] = &[
    damaged("package-truncated-gzip", Invalid, BUNDLE, OFFSET | HINT),
    damaged("package-truncated-gzip-trailer", Invalid, "", HINT),
    damaged("package-truncated-gzip-member", Invalid, "", HINT),
    damaged("package-gzip-checksum", Invalid, "", HINT),
    damaged("package-gzip-trailing-garbage", Invalid, "", HINT),
    damaged("package-truncated-zstd", Invalid, "", HINT),
    damaged("package-zstd-damaged", Invalid, "", HINT),
    damaged("package-truncated-tar", Invalid, BUNDLE, OFFSET | HINT),
    damaged("package-truncated-bundle", Invalid, IMAGES, OFFSET | HINT),
    damaged(
        "package-truncated-images",
        Invalid,
        IN_IMAGES,
        OFFSET | HINT,
    ),
    damaged_layer("package-flipped-layer", IN_IMAGES),
    damaged("package-missing-layer", Invalid, IN_IMAGES, HINT),
    damaged("package-two-images-tar", Invalid, IMAGES, OFFSET | HINT),
    damaged(
        "bundle-two-images-tar",
        Invalid,
        "images.tar",
        OFFSET | HINT,
    ),
    damaged(
        "package-without-chart-yaml",
        Invalid,
        "package/web_1.5.0.bundle.tar › original-chart/Chart.yaml",
        HINT,
    ),
    damaged(
        "bundle-without-chart-yaml",
        Invalid,
        "original-chart/Chart.yaml",
        HINT,
    ),
    // charts-syncer renders hints; fusion passes them on, byte for byte.
    sound("bundle-missing-image"),
    sound("bundle-hints-not-yaml"),
    damaged("bundle-images-link-to-itself", Invalid, "images.tar", HINT),
    damaged(
        "package-same-name-other-content",
        Invalid,
        "package/notes.txt",
        OFFSET | HINT,
    ),
    damaged(
        "package-same-name-other-bundle",
        Invalid,
        BUNDLE,
        OFFSET | HINT,
    ),
    sound("package-same-name-same-content"),
    damaged(
        "package-leads-out",
        Invalid,
        "../../outside.bundle.tar",
        HINT,
    ),
    damaged(
        "package-leads-out-within",
        Invalid,
        "package/../../outside.txt",
        HINT,
    ),
    damaged("package-absolute", Invalid, "/outside", HINT),
    damaged(
        "package-symlink-out",
        Invalid,
        "package/more/web_1.5.0.bundle.tar",
        HINT,
    ),
    damaged("package-without-images", Invalid, "", HINT),
    damaged("package-zeros", Limit, "package/zeros.bin", OFFSET | HINT),
    damaged("bundle-zeros-hints", Limit, "hints.yaml", OFFSET | HINT),
    damaged(
        "package-ten-deep-bomb",
        Limit,
        "package-10-0.tar.gz › *",
        HINT,
    ),
    damaged(
        "package-thirty-deep",
        Limit,
        "package.tar.gz › package.tar.gz › *",
        HINT,
    ),
    damaged(
        "package-thirty-deep-tar",
        Limit,
        "package.tar › package.tar › *",
        HINT,
    ),
];
