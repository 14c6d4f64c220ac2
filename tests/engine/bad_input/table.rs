//! The table: every hostile case of the fixtures, and what becomes of it.

use fusion_core::ErrorKind::{
    self, Conflict, DigestMismatch as Mismatch, InvalidArchive as Invalid, LimitExceeded as Limit,
    NothingSelected, Unsupported,
};

/// What an error has to name besides the file: nothing more,
pub(super) const FILE: u8 = 0;
/// the member,
pub(super) const MEMBER: u8 = 1;
/// the byte of the file,
pub(super) const OFFSET: u8 = 2;
/// the digest,
pub(super) const DIGEST: u8 = 4;
/// or what to do next.
pub(super) const HINT: u8 = 8;

/// What a verb makes of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It ends with status 0.
    Passes,
    /// It ends with the error of the row.
    Fails,
}
use Verdict::{Fails, Passes};

/// A hostile case, and what becomes of it.
pub(super) struct Row {
    pub(super) case: &'static str,
    /// What is wrong; nothing if the case is merely unusual.
    pub(super) kind: Option<ErrorKind>,
    /// What the error names.
    pub(super) names: u8,
    /// With `fuse`, and with `fuse --verify full`.
    pub(super) fuse: Verdict,
    pub(super) verify: Verdict,
    pub(super) inspect: Verdict,
}

/// Damage that every verb finds.
const fn damaged(case: &'static str, kind: ErrorKind, names: u8) -> Row {
    Row {
        case,
        kind: Some(kind),
        names,
        fuse: Fails,
        verify: Fails,
        inspect: Fails,
    }
}

/// Damage in a layer, which `inspect` does not read.
const fn damaged_layer(case: &'static str, kind: ErrorKind, names: u8) -> Row {
    Row {
        inspect: Passes,
        ..damaged(case, kind, names)
    }
}

/// A lie that shows only in what a layer inflates to: `fuse` finds it with `--verify full`.
const fn lying_layer(case: &'static str, kind: ErrorKind) -> Row {
    Row {
        fuse: Passes,
        ..damaged_layer(case, kind, MEMBER | OFFSET | HINT)
    }
}

/// Content that is sound, and that `fuse` cannot take without more being said.
const fn undecided(case: &'static str, kind: ErrorKind, names: u8) -> Row {
    Row {
        verify: Passes,
        inspect: Passes,
        ..damaged(case, kind, names)
    }
}

/// Unusual, and legal.
const fn sound(case: &'static str) -> Row {
    Row {
        case,
        kind: None,
        names: FILE,
        fuse: Passes,
        verify: Passes,
        inspect: Passes,
    }
}

/// An archive in which nothing is wrong, because nothing is in it.
const fn empty(case: &'static str) -> Row {
    Row {
        verify: Passes,
        ..damaged(case, NothingSelected, FILE)
    }
}

/// Every digest is right, and nobody can say what the image runs on.
const fn unplaced(case: &'static str) -> Row {
    Row {
        verify: Passes,
        ..damaged(case, Invalid, DIGEST | HINT)
    }
}

const ALL: u8 = MEMBER | OFFSET | DIGEST | HINT;

/// Every hostile case of the fixtures.
pub(super) const ROWS: &[Row] = &[
    damaged("truncated-in-member", Invalid, MEMBER | OFFSET | HINT),
    damaged("truncated-in-header", Invalid, OFFSET | HINT),
    damaged("truncated-between-members", Invalid, HINT),
    damaged_layer("flipped-layer-ggcr", Mismatch, ALL),
    damaged_layer("flipped-layer-legacy", Mismatch, ALL),
    damaged_layer("flipped-layer-oci", Mismatch, ALL),
    damaged("flipped-config-legacy", Mismatch, ALL),
    damaged("flipped-config-ggcr", Mismatch, ALL),
    damaged("flipped-config-oci", Mismatch, ALL),
    damaged("flipped-manifest-ggcr", Invalid, MEMBER | HINT),
    damaged("flipped-manifest-oci", Mismatch, ALL),
    damaged("missing-layer-ggcr", Invalid, MEMBER | HINT),
    damaged("missing-layer-oci", Invalid, ALL),
    damaged("missing-config-ggcr", Invalid, MEMBER | HINT),
    damaged("missing-config-oci", Invalid, ALL),
    damaged("missing-manifest-oci", Invalid, DIGEST | HINT),
    damaged("missing-layer-layout", Invalid, DIGEST | HINT),
    damaged("wrong-size-layer", Invalid, ALL),
    damaged("wrong-size-config", Invalid, ALL),
    damaged("wrong-size-manifest", Invalid, ALL),
    damaged("short-blob-layout", Invalid, DIGEST | HINT),
    damaged("lying-config-json", Mismatch, ALL),
    damaged("lying-config-ggcr", Mismatch, ALL),
    damaged_layer("lying-layer-ggcr", Mismatch, ALL),
    damaged_layer("lying-blob-oci", Mismatch, ALL),
    damaged_layer("lying-diff-id-legacy", Mismatch, ALL),
    lying_layer("lying-diff-id-oci", Mismatch),
    lying_layer("disputed-diff-id", Mismatch),
    damaged("digest-traversal", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-short", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-upper-case", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-other-algorithm", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-empty", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-digest-traversal", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-digest-traversal-layout", Invalid, HINT),
    damaged("header-checksum", Invalid, OFFSET | HINT),
    damaged("size-10-gb", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-overflow", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-near-overflow", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-negative", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-not-octal", Invalid, MEMBER | OFFSET | HINT),
    damaged("pax-size-overflow", Invalid, OFFSET | HINT),
    damaged("pax-malformed", Invalid, OFFSET | HINT),
    damaged("pax-not-text", Invalid, OFFSET | HINT),
    damaged("pax-sparse-member", Unsupported, MEMBER | OFFSET | HINT),
    sound("pax-global"),
    damaged("long-name-huge", Limit, OFFSET),
    damaged("sparse-member", Unsupported, MEMBER | OFFSET | HINT),
    // A device has no data, so what follows is no header.
    damaged("device-member", Invalid, OFFSET | HINT),
    damaged("duplicate-member", Invalid, MEMBER | OFFSET | HINT),
    damaged("duplicate-layer", Invalid, MEMBER | OFFSET | HINT),
    sound("many-members"),
    damaged("parent-name", Invalid, MEMBER | HINT),
    damaged("hidden-parent-name", Invalid, MEMBER | HINT),
    damaged("absolute-name", Invalid, MEMBER | HINT),
    damaged("manifest-names-parent", Invalid, MEMBER | HINT),
    damaged("manifest-names-absolute", Invalid, MEMBER | HINT),
    sound("unused-parent-name"),
    damaged("symlink-loop", Invalid, MEMBER | HINT),
    damaged("symlink-to-itself", Invalid, MEMBER | HINT),
    damaged("symlink-to-nothing", Invalid, MEMBER | HINT),
    damaged("symlink-out", Invalid, MEMBER | HINT),
    damaged("symlink-absolute", Invalid, MEMBER | HINT),
    damaged("hardlink-to-nothing", Invalid, MEMBER | HINT),
    damaged("hardlink-to-itself", Invalid, MEMBER | HINT),
    damaged("layout-symlink-out", Invalid, DIGEST | HINT),
    damaged("gzip-bomb", Limit, MEMBER | OFFSET | HINT),
    damaged("gzip-bomb-manifest", Limit, MEMBER | OFFSET | HINT),
    damaged("zstd-bomb", Limit, MEMBER | OFFSET | HINT),
    damaged("zstd-bomb-index", Limit, MEMBER | OFFSET | HINT),
    lying_layer("layer-bomb", Mismatch),
    damaged("truncated-gzip", Invalid, HINT),
    damaged("truncated-gzip-trailer", Invalid, HINT),
    damaged("gzip-checksum", Invalid, HINT),
    damaged("gzip-trailing-garbage", Invalid, HINT),
    damaged("truncated-zstd", Invalid, HINT),
    damaged("zstd-damaged", Invalid, HINT),
    damaged("gzip-of-text", Invalid, HINT),
    damaged("gzip-of-nothing", Invalid, HINT),
    lying_layer("truncated-layer-gzip", Invalid),
    damaged("manifest-json-object", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-json-wrong-types", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-json-null-layers", Invalid, MEMBER | HINT),
    damaged("manifest-json-not-json", Invalid, MEMBER | OFFSET | HINT),
    empty("manifest-json-empty-array"),
    undecided("manifest-json-bad-reference", Invalid, HINT),
    damaged("deep-json", Invalid, MEMBER | OFFSET | HINT),
    damaged("index-json-array", Invalid, MEMBER | OFFSET | HINT),
    damaged("index-json-wrong-types", Invalid, MEMBER | OFFSET | HINT),
    damaged("index-json-negative-size", Invalid, MEMBER | OFFSET | HINT),
    empty("index-json-no-manifests"),
    damaged("deep-indexes", Limit, MEMBER | OFFSET | HINT),
    damaged("wide-indexes", Limit, MEMBER | OFFSET | HINT),
    sound("many-names"),
    damaged(
        "manifest-no-json",
        Mismatch,
        MEMBER | OFFSET | DIGEST | HINT,
    ),
    damaged(
        "layout-with-damaged-listing",
        Invalid,
        MEMBER | OFFSET | HINT,
    ),
    damaged("foreign-layer-size", Invalid, MEMBER | OFFSET | HINT),
    damaged("schema1", Unsupported, MEMBER | OFFSET | HINT),
    damaged(
        "unknown-media-type",
        Unsupported,
        MEMBER | OFFSET | DIGEST | HINT,
    ),
    damaged("media-type-disagrees", Invalid, MEMBER | OFFSET | HINT),
    damaged("huge-manifest", Limit, MEMBER | OFFSET | DIGEST),
    sound("huge-manifest-json"),
    damaged("layer-count-docker", Invalid, MEMBER | HINT),
    damaged("layer-count-oci", Invalid, MEMBER | OFFSET | HINT),
    unplaced("config-without-architecture-docker"),
    unplaced("config-without-architecture-oci"),
    damaged("config-not-an-object", Invalid, MEMBER | OFFSET | HINT),
    undecided("same-reference-twice-docker", Conflict, HINT),
    undecided("same-reference-twice-oci", Conflict, HINT),
    undecided("same-reference-twice-flat", Conflict, HINT),
    undecided("unnamed-docker", Invalid, HINT),
    undecided("unnamed-oci", Invalid, HINT),
    damaged("layout-version", Unsupported, MEMBER | OFFSET | HINT),
    damaged("empty-file", Invalid, HINT),
    damaged("empty-tar", Invalid, HINT),
    damaged("text-file", Invalid, HINT),
    damaged("short-file", Invalid, HINT),
    damaged("empty-directory", Invalid, HINT),
    damaged("directory-without-layout", Invalid, HINT),
    damaged("layout-without-index", Invalid, HINT),
    damaged("tar-without-manifest", Invalid, HINT),
    damaged("ancient-docker", Unsupported, HINT),
];
