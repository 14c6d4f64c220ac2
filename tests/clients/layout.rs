//! What an OCI layout directory says, read plainly: the yardstick for comparing layouts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::process::{Failure, Result};

/// One image of one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayoutImage {
    /// `os/architecture[/variant]` of the config.
    pub(crate) platform: String,
    pub(crate) manifest: String,
    pub(crate) config: String,
    /// Bottom first, of the config.
    pub(crate) diff_ids: Vec<String>,
    /// Bottom first, of the manifest.
    pub(crate) layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) digest: String,
    pub(crate) media_type: String,
}

/// The images of each `org.opencontainers.image.ref.name`, in the order of their index.
pub(crate) fn images(layout: &Path) -> Result<BTreeMap<String, Vec<LayoutImage>>> {
    let mut found: BTreeMap<String, Vec<LayoutImage>> = BTreeMap::new();
    let root = json(&layout.join("index.json"))?;
    for descriptor in array(&root, "/manifests") {
        let name = text(descriptor, "/annotations/org.opencontainers.image.ref.name");
        walk(layout, descriptor, found.entry(name).or_default())?;
    }
    Ok(found)
}

/// The digest that each `ref.name` leads to.
pub(crate) fn roots(layout: &Path) -> Result<BTreeMap<String, String>> {
    let root = json(&layout.join("index.json"))?;
    Ok(array(&root, "/manifests")
        .map(|descriptor| {
            let name = text(descriptor, "/annotations/org.opencontainers.image.ref.name");
            (name, text(descriptor, "/digest"))
        })
        .collect())
}

fn walk(layout: &Path, descriptor: &Value, found: &mut Vec<LayoutImage>) -> Result<()> {
    let digest = text(descriptor, "/digest");
    let document = blob(layout, &digest)?;
    if document.get("manifests").is_some() {
        return array(&document, "/manifests").try_for_each(|child| walk(layout, child, found));
    }
    let config = text(&document, "/config/digest");
    found.push(LayoutImage::new(
        digest,
        config.clone(),
        &document,
        &blob(layout, &config)?,
    ));
    Ok(())
}

impl LayoutImage {
    pub(crate) fn new(digest: String, config: String, manifest: &Value, image: &Value) -> Self {
        Self {
            platform: platform(image),
            manifest: digest,
            config,
            diff_ids: strings(image, "/rootfs/diff_ids"),
            layers: array(manifest, "/layers")
                .map(|layer| Layer {
                    digest: text(layer, "/digest"),
                    media_type: text(layer, "/mediaType"),
                })
                .collect(),
        }
    }
}

/// `os/architecture[/variant]` of a config or of a descriptor's platform.
pub(crate) fn platform(value: &Value) -> String {
    let mut platform = format!("{}/{}", text(value, "/os"), text(value, "/architecture"));
    let variant = text(value, "/variant");
    if !variant.is_empty() {
        platform.push('/');
        platform.push_str(&variant);
    }
    platform
}

/// The string at that JSON pointer (`/` inside a key is not supported), or an empty one.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(crate) fn array<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The strings of the array at that JSON pointer.
pub(crate) fn strings(value: &Value, pointer: &str) -> Vec<String> {
    array(value, pointer)
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn blob(layout: &Path, digest: &str) -> Result<Value> {
    json(&layout.join("blobs").join(digest.replace(':', "/")))
}

fn json(path: &Path) -> Result<Value> {
    let failure = |e: &dyn std::fmt::Display| {
        Failure::found(format!("reading {}", path.display()), e.to_string())
    };
    let bytes = fs::read(path).map_err(|e| failure(&e))?;
    serde_json::from_slice(&bytes).map_err(|e| failure(&e))
}
