//! Descriptors (image specification, *descriptor.md*).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Digest, MediaType, Platform, annotation};

/// What points at content: its type, digest and size, and what is said about it.
///
/// Fields are in the order in which fusion writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// What the content goes by.
    pub digest: Digest,
    /// How many bytes the content has.
    pub size: u64,
    /// Where foreign content may be fetched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// What is said about the content.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What the content runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What kind of artifact the content is, if it is not an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The content itself, in base64, where it is carried along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What else an index said of it, which nobody here knows.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Descriptor {
    /// A descriptor that says only what content is.
    #[must_use]
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            platform: None,
            artifact_type: None,
            data: None,
            others: BTreeMap::new(),
        }
    }

    /// The descriptor of `bytes`.
    #[must_use]
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// The digest of the manifest that this one attests, if it is an attestation.
    #[must_use]
    pub fn attests(&self) -> Option<Digest> {
        if !self
            .annotations
            .contains_key(annotation::DOCKER_REFERENCE_TYPE)
        {
            return None;
        }
        self.annotations
            .get(annotation::DOCKER_REFERENCE_DIGEST)?
            .parse()
            .ok()
    }

    /// Whether this is a child that is no image: an attestation, or of an unknown platform.
    #[must_use]
    pub fn is_attachment(&self) -> bool {
        self.annotations
            .contains_key(annotation::DOCKER_REFERENCE_TYPE)
            || self.platform.as_ref().is_some_and(Platform::is_unknown)
    }

    /// Whether the content may be absent: it lives at the descriptor's URLs.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        !self.urls.is_empty() || self.media_type.is_foreign_layer()
    }
}
