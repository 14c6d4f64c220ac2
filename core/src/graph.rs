//! Content as a graph of descriptors: what points to what, and walking it.

mod load;

pub use load::{Child, ImageNode, IndexNode, Loader, Node, load};

use crate::oci::{Descriptor, Document};

/// What a document points to, in order: the only place that knows.
///
/// `subject` is left out: it points the other way, to what the document is about.
#[must_use]
pub fn successors(document: &Document) -> Vec<&Descriptor> {
    match document {
        Document::Manifest(manifest) => std::iter::once(&manifest.config)
            .chain(&manifest.layers)
            .collect(),
        Document::Index(index) => index.manifests.iter().collect(),
    }
}
