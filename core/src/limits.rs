//! Caps on what hostile input may ask for. Real archives stay far below every one of them.

/// The most bytes a manifest, index or image configuration may have. Registries refuse manifests
/// past 4 MiB.
pub const MAX_JSON: u64 = 8 << 20;

/// The most bytes `index.json`, `manifest.json` or `repositories` may have: they list every image
/// of an archive.
pub const MAX_LISTING: u64 = 64 << 20;

/// The most members a tar archive may have.
pub const MAX_MEMBERS: usize = 4_000_000;

/// The most bytes a member name, or the target of a link, may have.
pub const MAX_NAME: u64 = 1 << 16;

/// The most bytes of PAX records that one member may carry.
pub const MAX_PAX: u64 = 1 << 20;

/// How many links may lead from one name to a file.
pub const MAX_LINKS: usize = 40;

/// The most bytes that an `images.tar` which lists no image may have, where it is not read in place.
pub const MAX_NO_IMAGES: u64 = 64 << 10;

/// How deep archives may nest: a package, a bundle, its images, and room for what wraps them.
pub const MAX_NESTING: usize = 8;

/// How deep indexes may nest.
pub const MAX_INDEX_DEPTH: usize = 8;

/// How many documents an index may lead to, each counted as often as there are ways to it. Real ones
/// have a few dozen.
pub const MAX_INDEX_DOCUMENTS: usize = 10_000;

/// The most bytes of small documents that reading an archive as a stream keeps in memory.
pub const MAX_KEPT: u64 = 48 << 20;

/// Compressed input may expand freely up to this many bytes …
pub const FREE_EXPANSION: u64 = 256 << 20;

/// … and past that to this many times what was read, before it is called a bomb. Package layers
/// stay below 20.
pub const MAX_EXPANSION: u64 = 250;

/// The window that a zstd stream may ask for, as a power of two: what `zstd -d` allows.
pub const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// The most bytes that are read of what a registry says when it refuses.
pub const MAX_REFUSAL: u64 = 64 << 10;

/// The most bytes of a token, of a credential helper's answer, of a page of tags.
pub const MAX_ANSWER: u64 = 4 << 20;

/// The most tags that a repository may list.
pub const MAX_TAGS: usize = 1_000_000;

/// The most values that a YAML document may have; an alias counts as one.
pub const MAX_YAML_NODES: usize = 500_000;

/// The most mappings that a YAML document may merge (`<<`) into others.
pub const MAX_YAML_MERGES: usize = 1_000;

/// How deep the values of a YAML document may nest.
pub const MAX_YAML_DEPTH: usize = 100;

/// The most bytes that the files of a chart may have together.
pub const MAX_CHART: u64 = 64 << 20;

/// The most files that a chart may have.
pub const MAX_CHART_FILES: usize = 20_000;
