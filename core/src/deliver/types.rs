//! Registries that take one family of media types only.
//!
//! Docker's alone: distribution before 2.7, Huawei SWR. OCI's alone: zot before 2.1.

use crate::error::Error;
use crate::fuse::MediaTypes;
use crate::fuse::assemble::Assembled;
use crate::oci::Descriptor;

/// Whether a registry refused a document for its media type.
pub(super) fn refused(error: &Error) -> bool {
    let status = error.get_status();
    let code = error.get_code().unwrap_or_default();
    let says = error.message().to_ascii_lowercase();
    matches!(status, Some(400 | 415))
        && (status == Some(415)
            || code == "MANIFEST_INVALID"
            || code == "UNSUPPORTED"
            || says.contains("manifest.json")
            || says.contains("media type")
            || says.contains("mediatype"))
}

/// The other family: the one that the document of `image`, which a registry refused with `error`,
/// is not of.
pub(super) fn others(error: &Error, image: &Assembled) -> MediaTypes {
    let about = |descriptor: &&Descriptor| {
        let digest = descriptor.digest.to_string();
        error.get_digest() == Some(&digest)
    };
    let variants = image.selected.variants.iter();
    let children = variants
        .map(|variant| &variant.image)
        .chain(image.attachments().map(|attachment| &attachment.image))
        .map(|node| &node.manifest.descriptor);
    let found = std::iter::once(&image.root).chain(children).find(about);
    match found.is_some_and(|found| found.media_type.is_docker()) {
        true => MediaTypes::Oci,
        false => MediaTypes::Docker,
    }
}

/// `error`, which a registry refused a document of `image` with, saying what to do about it.
pub(super) fn advised(error: Error, image: &Assembled) -> Error {
    let others = others(&error, image);
    // A tag that led to a single image, and was to lead to an index.
    let grows = image.root.media_type.is_index()
        && error.get_digest() == Some(&image.root.digest.to_string())
        && (image.selected.previous.as_ref()).is_some_and(|there| !there.media_type.is_index());
    error.better_hint(match (others, grows) {
        (MediaTypes::Oci, _) => {
            "this registry may not take Docker's types: `--media-types oci` sends OCI's"
        }
        (_, false) => "this registry may not take OCI types: `--media-types docker` sends Docker's",
        (_, true) => {
            "this registry may not take OCI types: `--media-types docker` sends Docker's; or it \
             lets no tag of a single image become one of an index (zot before 2): push all \
             architectures under another tag"
        }
    })
}
