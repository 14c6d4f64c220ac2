//! The nouns of the OCI specifications: digest, descriptor, platform, reference, manifest, index,
//! image configuration, media type.
//!
//! Documents are parsed with `oci-spec` and never written back through it: it drops unknown
//! fields and `os.version`, and orders annotations by hash. [`Raw`] keeps the exact bytes beside
//! the parsed view, and [`write`](mod@write) is the one serialiser of what fusion makes itself.

mod config;
mod descriptor;
mod digest;
mod document;
mod media_type;
mod platform;
mod reference;
pub mod write;

pub use config::Config;
pub use descriptor::Descriptor;
pub use digest::{Digest, Hasher};
pub use document::{Document, Index, Manifest, Raw};
pub use media_type::{Compression, MediaType};
pub use platform::Platform;
pub use reference::Reference;

/// Annotation keys that name or bind images.
pub mod annotation {
    /// The tag or name of a descriptor in `index.json` (image specification, *annotations.md*).
    pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
    /// The full reference, as containerd and Docker write it.
    pub const IMAGE_NAME: &str = "io.containerd.image.name";
    /// What a child that is no image is: `attestation-manifest`.
    pub const DOCKER_REFERENCE_TYPE: &str = "vnd.docker.reference.type";
    /// The digest of the manifest that an attestation describes.
    pub const DOCKER_REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
}
