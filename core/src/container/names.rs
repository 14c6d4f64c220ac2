//! What names and first bytes of members say of their content.

use crate::limits;
use crate::oci::Digest;

/// The digest that a member's name states for its content.
pub(crate) fn stated_digest(name: &str) -> Option<Digest> {
    let blob = name
        .rfind("blobs/")
        .filter(|at| *at == 0 || name[..*at].ends_with('/'));
    if let Some(digest) = blob.and_then(|at| Digest::from_blob_path(&name[at..])) {
        return Some(digest);
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let hex = last
        .strip_prefix("sha256:")
        .or_else(|| last.strip_suffix(".tar.gz"))
        .or_else(|| last.strip_suffix(".tar.zst"))
        .or_else(|| last.strip_suffix(".json"))?;
    Digest::from_sha256_hex(hex)
}

/// Whether a file of this name is read for what it says, though it is no JSON.
pub(super) fn is_text_that_counts(name: &str) -> bool {
    let endings = [".yaml", ".yml", ".list", "sum", "sums", ".txt"];
    endings.iter().any(|ending| name.ends_with(ending)) || is_of_chart(name)
}

/// Whether a member of this name is a file of a bundle's chart; archives among them are subcharts.
pub(super) fn is_of_chart(name: &str) -> bool {
    name.starts_with("original-chart/") || name.contains("/original-chart/")
}

/// Whether a member of this name and size may be the `images.tar` of a bundle that has no images:
/// nothing in it shows what it is but its listing.
pub(super) fn may_list_nothing(name: &str, size: u64) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    last == "images.tar" && size <= limits::MAX_NO_IMAGES
}

/// Whether content may be a JSON document.
pub(super) fn is_document(first: &[u8]) -> bool {
    let text = first.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(text, Some(b'{' | b'[')) || first.trim_ascii() == b"null"
}
