//! `fusion.inspect/v1`: what is inside a source.

use serde::Serialize;

use super::{Blobs, Bytes, ErrorReport, VERSION, Warning};
use crate::error::Error;
use crate::oci::{Digest, MediaType};

/// What is inside a source. Lengths are in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// `fusion.inspect/v1`.
    pub schema: &'static str,
    /// The version of fusion.
    pub version: &'static str,
    /// Why the source could not be inspected; `null` if it was.
    pub error: Option<ErrorReport>,
    /// The source.
    pub source: InspectedSource,
    /// Its images.
    pub images: Vec<InspectedImage>,
    /// The charts that lie in it as bundles.
    pub charts: Vec<InspectedChart>,
    /// Its blobs, as far as its images refer to them; `written` and the like are 0.
    pub blobs: Blobs,
    /// Their bytes.
    pub bytes: Bytes,
    /// What somebody should know.
    pub warnings: Vec<Warning>,
}

impl Inspection {
    /// An inspection of `source` that has found nothing yet.
    #[must_use]
    pub fn new(source: InspectedSource) -> Self {
        Self {
            schema: "fusion.inspect/v1",
            version: VERSION,
            error: None,
            source,
            images: Vec::new(),
            charts: Vec::new(),
            blobs: Blobs::default(),
            bytes: Bytes::default(),
            warnings: Vec::new(),
        }
    }

    /// The inspection of a source, named `location`, that failed with `error`.
    #[must_use]
    pub fn failed(location: &str, error: &Error) -> Self {
        Self {
            error: Some(ErrorReport::from(error)),
            ..Self::new(InspectedSource {
                kind: "unknown",
                location: location.to_owned(),
                compression: "unknown",
                size: 0,
            })
        }
    }

    /// The inspection as indented JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        super::to_json(self)
    }
}

/// What a source is.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedSource {
    /// `docker-archive`, `oci-archive`, `oci`, `bundle` or `package`; `unknown` if it could not be inspected.
    pub kind: &'static str,
    /// Its path as it was given.
    pub location: String,
    /// How the whole file is compressed: `none`, `gzip` or `zstd`; `unknown` if it could not
    /// be inspected.
    pub compression: &'static str,
    /// Its length on disk; 0 for a directory or standard input.
    pub size: u64,
}

/// An image of a source.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedImage {
    /// The normalised reference; `null` if the archive does not name the image.
    pub reference: Option<String>,
    /// How the archive spells it.
    pub names: Vec<String>,
    /// The digest that the archive states for it: of the index or manifest. `null` where several
    /// manifests stand side by side under one name.
    pub digest: Option<Digest>,
    /// What the digest is of.
    pub media_type: Option<MediaType>,
    /// Its variants, by platform.
    pub platforms: Vec<InspectedPlatform>,
    /// Children that its index names and the archive does not hold.
    pub absent: Vec<Digest>,
}

/// A chart that lies in the source as a bundle.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedChart {
    /// Its name, as `Chart.yaml` has it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where its bundle lies in the source; empty if that is the source.
    pub location: String,
    /// The references of its images, sorted.
    pub images: Vec<String>,
    /// What all of its images run on.
    pub platforms: Vec<String>,
}

/// One platform's variant of an image.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedPlatform {
    /// `linux/arm64`; `unknown` for an artifact that is no image.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Whether the archive carries this manifest, as against fusion having made it.
    pub original: bool,
    /// The digest of its configuration: the image ID.
    pub config: Digest,
    /// Manifest, configuration and layers together.
    pub size: u64,
    /// Its layers, the lowest first.
    pub layers: Vec<InspectedLayer>,
    /// Attestations that describe it.
    pub attestations: Vec<Digest>,
}

/// A layer.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedLayer {
    /// The digest of the blob.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Its length.
    pub size: u64,
    /// The digest of the uncompressed layer, as the configuration states it.
    pub diff_id: Option<Digest>,
}
