//! The one serialiser of documents that fusion makes itself: compact JSON, fields in a fixed
//! order, annotations sorted. The same document always gives the same bytes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Descriptor, MediaType};

/// The bytes of an index over `manifests`, in the order given.
#[must_use]
pub fn index(
    media_type: &MediaType,
    manifests: &[Descriptor],
    annotations: &BTreeMap<String, String>,
) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Index<'a> {
        schema_version: u8,
        media_type: &'a MediaType,
        manifests: &'a [Descriptor],
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        annotations: &'a BTreeMap<String, String>,
    }
    json(&Index {
        schema_version: 2,
        media_type,
        manifests,
        annotations,
    })
}

/// The bytes of an image manifest.
#[must_use]
pub fn manifest(media_type: &MediaType, config: &Descriptor, layers: &[Descriptor]) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Manifest<'a> {
        schema_version: u8,
        media_type: &'a MediaType,
        config: &'a Descriptor,
        layers: &'a [Descriptor],
    }
    json(&Manifest {
        schema_version: 2,
        media_type,
        config,
        layers,
    })
}

/// The bytes of any value of ours.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    // Our documents have string keys and no maps that could fail.
    serde_json::to_vec(value).unwrap_or_default()
}
