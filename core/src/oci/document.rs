//! Manifests and indexes: parsed views that never lose the bytes they were parsed from.
//!
//! Image specification, *manifest.md* and *image-index.md*; Docker's schema 2 and manifest list
//! have the same shape.

use std::collections::BTreeMap;

use oci_spec::image as spec;
use serde_json::Value;

use super::{Descriptor, MediaType, Platform};
use crate::error::{Error, ErrorKind, Result};

/// A document as it is: its exact bytes, the descriptor they go by, and what they say.
#[derive(Debug, Clone)]
pub struct Raw<T> {
    /// The exact bytes.
    pub bytes: Vec<u8>,
    /// What the bytes go by.
    pub descriptor: Descriptor,
    /// What the bytes say.
    pub view: T,
}

/// An image manifest, or that of another artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one refers to.
    pub subject: Option<Descriptor>,
    /// What kind of artifact this is, if it is not an image.
    pub artifact_type: Option<String>,
    /// What is said about it.
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Whether this is a container image, as against a chart, a signature, ….
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.config.media_type.is_image_config()
    }
}

/// An image index or manifest list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The children, in order.
    pub manifests: Vec<Descriptor>,
    /// What is said about it.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest or an index, whichever the bytes are.
#[derive(Debug, Clone)]
pub enum Document {
    /// A manifest.
    Manifest(Box<Manifest>),
    /// An index.
    Index(Index),
}

impl Document {
    /// Reads a manifest or an index. `stated` is the media type that led here; what the document
    /// says of itself must agree with it.
    pub fn parse(bytes: &[u8], stated: &MediaType) -> Result<Self> {
        let value = json(bytes)?;
        if stated.is_schema1() || value.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "Docker schema 1 manifests are not supported",
            )
            .hint("save the image again with a Docker or skopeo of this decade"));
        }
        let own = value.get("mediaType").and_then(Value::as_str);
        if let Some(own) = own
            && own != stated.as_str()
        {
            return Err(invalid(format!(
                "its descriptor says `{stated}`, the document `{own}`"
            )));
        }
        // A document must not be readable as both (image specification, "mediaType" and
        // CVE-2021-41190).
        let has = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
        if has("manifests") && (has("config") || has("layers")) {
            return Err(invalid(
                "the document claims to be both a manifest and an index",
            ));
        }
        if stated.is_index() {
            Index::from_value(value).map(Self::Index)
        } else {
            Manifest::from_value(value).map(|manifest| Self::Manifest(Box::new(manifest)))
        }
    }
}

impl Index {
    /// Reads an index whatever media type it states, such as `index.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_value(json(bytes)?)
    }

    fn from_value(mut value: Value) -> Result<Self> {
        null_to_list(&mut value, "manifests");
        let lost = lost(&value);
        let index: spec::ImageIndex = serde_json::from_value(value)
            .map_err(|error| invalid(format!("image index: {error}")).source_error(error))?;
        let mut manifests = index
            .manifests()
            .iter()
            .map(descriptor)
            .collect::<Result<Vec<Descriptor>>>()?;
        for (manifest, lost) in manifests.iter_mut().zip(lost) {
            let platform = manifest.platform.take();
            manifest.platform = platform.map(|platform| {
                platform.with_os_version(lost.os_version.as_deref(), &lost.os_features)
            });
            manifest.others = lost.others;
        }
        Ok(Self {
            manifests,
            annotations: sorted(index.annotations().as_ref()),
        })
    }
}

impl Manifest {
    fn from_value(mut value: Value) -> Result<Self> {
        null_to_list(&mut value, "layers");
        let manifest: spec::ImageManifest = serde_json::from_value(value)
            .map_err(|error| invalid(format!("image manifest: {error}")).source_error(error))?;
        Ok(Self {
            config: descriptor(manifest.config())?,
            layers: manifest
                .layers()
                .iter()
                .map(descriptor)
                .collect::<Result<_>>()?,
            subject: manifest.subject().as_ref().map(descriptor).transpose()?,
            artifact_type: manifest.artifact_type().as_ref().map(ToString::to_string),
            annotations: sorted(manifest.annotations().as_ref()),
        })
    }
}

fn json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| {
        invalid(format!("not the JSON document it should be: {error}")).source_error(error)
    })
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArchive, message)
}

/// Go writes an empty list as `null`.
fn null_to_list(value: &mut Value, key: &str) {
    if let Some(list) = value.get_mut(key)
        && list.is_null()
    {
        *list = Value::Array(Vec::new());
    }
}

/// What oci-spec 0.10 does not read of a child.
struct Lost {
    os_version: Option<String>,
    os_features: Vec<String>,
    /// Fields that no specification has yet.
    others: BTreeMap<String, Value>,
}

/// The fields that descriptors have (image specification, *descriptor.md*).
const KNOWN: [&str; 8] = [
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "platform",
    "artifactType",
    "data",
];

/// What would be lost of each child.
fn lost(index: &Value) -> Vec<Lost> {
    let children = index.get("manifests").and_then(Value::as_array);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    children
        .into_iter()
        .flatten()
        .map(|child| {
            let platform = child.get("platform");
            let features = platform
                .and_then(|p| p.get("os.features"))
                .and_then(Value::as_array);
            let fields = child.as_object().into_iter().flatten();
            Lost {
                os_version: platform.and_then(|p| p.get("os.version")).and_then(text),
                os_features: features.into_iter().flatten().filter_map(text).collect(),
                others: fields
                    .filter(|(key, _)| !KNOWN.contains(&key.as_str()))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            }
        })
        .collect()
}

fn descriptor(from: &spec::Descriptor) -> Result<Descriptor> {
    let platform = from.platform().as_ref().map(|platform| {
        Platform::new(
            &platform.os().to_string(),
            &platform.architecture().to_string(),
            platform.variant().as_deref(),
        )
    });
    Ok(Descriptor {
        media_type: MediaType::new(from.media_type().to_string()),
        digest: from.digest().to_string().parse()?,
        size: from.size(),
        urls: from.urls().clone().unwrap_or_default(),
        annotations: sorted(from.annotations().as_ref()),
        platform,
        artifact_type: from.artifact_type().as_ref().map(ToString::to_string),
        data: from.data().clone(),
        others: BTreeMap::new(),
    })
}

fn sorted(
    annotations: Option<&std::collections::HashMap<String, String>>,
) -> BTreeMap<String, String> {
    annotations
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_keeps_the_version_of_windows() {
        let digest = super::super::Digest::of(b"");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{digest}","size":1,
                "platform":{{"os":"windows","architecture":"amd64","os.version":"10.0.1"}}}}]}}"#,
            MediaType::OCI_MANIFEST
        );
        let index = Index::parse(text.as_bytes()).expect("an index");
        let platform = index.manifests[0].platform.as_ref().expect("stated");
        assert_eq!(platform.to_string(), "windows(10.0.1)/amd64");
    }

    #[test]
    fn what_nobody_knows_of_a_child_is_written_again() {
        let digest = super::super::Digest::of(b"");
        let child = format!(
            r#"{{"mediaType":"{}","digest":"{digest}","size":1,"data":"","a.future":[1,{{"b":null}}],"other":2}}"#,
            MediaType::OCI_MANIFEST
        );
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{child}]}}"#);
        let index = Index::parse(text.as_bytes()).expect("an index");
        let written = super::super::write::json(&index.manifests[0]);
        assert_eq!(String::from_utf8_lossy(&written), child);
    }

    #[test]
    fn schema_1_is_refused_by_name() {
        let error = Document::parse(br#"{"schemaVersion":1}"#, &MediaType::DOCKER_MANIFEST)
            .expect_err("schema 1");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_document_that_is_both_is_refused() {
        let text = br#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
        assert!(Document::parse(text, &MediaType::OCI_INDEX).is_err());
    }
}
