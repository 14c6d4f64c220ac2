//! Manifests that have to change, because their layers were compressed anew or other media types
//! were asked for. Everything else in them stays.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::select::Selected;
use super::variant::{Attachment, Variant};
use super::{FuseOptions, MediaTypes};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::ImageNode;
use crate::oci::{Descriptor, Digest, Document, MediaType, Raw, annotation, write};
use crate::store::Memory;

/// Layers that were compressed anew: the digest of what was, and what is now.
pub(crate) type Layers = HashMap<Digest, Descriptor>;

/// Rewrites the manifests of an image if `options` or `layers` ask for it; new bytes go to `made`.
pub(crate) fn rewrite(
    image: &mut Selected,
    layers: &Layers,
    options: &FuseOptions,
    made: &mut Memory,
) -> Result<()> {
    for variant in &mut image.variants {
        rewrite_variant(variant, layers, options, made)?;
    }
    let bound = (image.variants.iter_mut()).flat_map(|variant| &mut variant.attachments);
    for attachment in bound.chain(&mut image.loose) {
        rewrite_attachment(attachment, options, made)?;
    }
    Ok(())
}

fn rewrite_variant(
    variant: &mut Variant,
    layers: &Layers,
    options: &FuseOptions,
    made: &mut Memory,
) -> Result<()> {
    let manifest = &variant.image.manifest;
    if !manifest.view.is_image() || variant.platform.is_none() {
        return Ok(());
    }
    let before = manifest.descriptor.digest;
    let mut value: Value = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    let blame = |error: Error| error.digest(before);

    let media_type = convert(&manifest.descriptor.media_type, options).map_err(blame)?;
    let mut changed = media_type != manifest.descriptor.media_type;
    let config = convert(&manifest.view.config.media_type, options).map_err(blame)?;
    changed |= config != manifest.view.config.media_type;
    value["config"]["mediaType"] = Value::String(config.as_str().to_owned());
    for (at, layer) in manifest.view.layers.iter().enumerate() {
        let new = layers.get(&layer.digest).unwrap_or(layer);
        let media_type = convert(&new.media_type, options).map_err(blame)?;
        changed |= new.digest != layer.digest || media_type != layer.media_type;
        let entry = &mut value["layers"][at];
        entry["mediaType"] = Value::String(media_type.as_str().to_owned());
        entry["digest"] = Value::String(new.digest.to_string());
        entry["size"] = Value::from(new.size);
    }
    if !changed {
        return Ok(());
    }
    replace(
        Arc::make_mut(&mut variant.image),
        &mut variant.descriptor,
        value,
        media_type,
        made,
    )?;
    let now = variant.descriptor.digest.to_string();
    for attachment in &mut variant.attachments {
        let annotations = &mut attachment.descriptor.annotations;
        annotations.insert(annotation::DOCKER_REFERENCE_DIGEST.to_owned(), now.clone());
    }
    Ok(())
}

/// Attestations too: a registry that takes one family of types only refuses them in the other.
/// What they consist of is no layer, and has the same type in both.
fn rewrite_attachment(
    attachment: &mut Attachment,
    options: &FuseOptions,
    made: &mut Memory,
) -> Result<()> {
    let convert = |media_type: &MediaType| match options.media_types {
        MediaTypes::Keep | MediaTypes::Auto => media_type.clone(),
        MediaTypes::Oci => media_type.to_oci(),
        MediaTypes::Docker => media_type.to_docker().unwrap_or_else(|| media_type.clone()),
    };
    let manifest = &attachment.image.manifest;
    let media_type = convert(&manifest.descriptor.media_type);
    if media_type == manifest.descriptor.media_type {
        return Ok(());
    }
    let mut value: Value = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    let config = convert(&manifest.view.config.media_type);
    value["config"]["mediaType"] = Value::String(config.as_str().to_owned());
    for (at, layer) in manifest.view.layers.iter().enumerate() {
        let media_type = convert(&layer.media_type);
        value["layers"][at]["mediaType"] = Value::String(media_type.as_str().to_owned());
    }
    let Attachment {
        image, descriptor, ..
    } = attachment;
    replace(Arc::make_mut(image), descriptor, value, media_type, made)
}

/// Has `image`, which `descriptor` points to, be what `manifest` says.
fn replace(
    image: &mut ImageNode,
    descriptor: &mut Descriptor,
    mut manifest: Value,
    media_type: MediaType,
    made: &mut Memory,
) -> Result<()> {
    manifest["mediaType"] = Value::String(media_type.as_str().to_owned());
    let bytes = ordered(&manifest);
    let Document::Manifest(view) = Document::parse(&bytes, &media_type)? else {
        return Err(Error::new(
            ErrorKind::Internal,
            "a manifest became an index",
        ));
    };
    let own = Descriptor::of(media_type, &bytes);
    made.insert(bytes.clone());
    descriptor.media_type = own.media_type.clone();
    descriptor.digest = own.digest;
    descriptor.size = own.size;
    image.manifest = Raw {
        bytes,
        descriptor: own,
        view: *view,
    };
    if let Some(config) = &mut image.config {
        config.descriptor = image.manifest.view.config.clone();
    }
    Ok(())
}

/// The media type that `options` ask for instead of `media_type`.
fn convert(media_type: &MediaType, options: &FuseOptions) -> Result<MediaType> {
    match options.media_types {
        MediaTypes::Keep | MediaTypes::Auto => Ok(media_type.clone()),
        MediaTypes::Oci => Ok(media_type.to_oci()),
        MediaTypes::Docker => media_type.to_docker().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("Docker has no media type for `{media_type}`"),
            )
            .hint("add `--compression gzip`, or use `--media-types oci`")
        }),
    }
}

/// The bytes of a manifest, its fields in the order in which fusion writes them, unknown ones
/// after them by name.
fn ordered(manifest: &Value) -> Vec<u8> {
    const FIRST: [&str; 5] = [
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
    ];
    let empty = serde_json::Map::new();
    let fields = manifest.as_object().unwrap_or(&empty);
    let mut rest: Vec<&String> = fields
        .keys()
        .filter(|key| !FIRST.contains(&key.as_str()))
        .collect();
    rest.sort();
    let keys = FIRST
        .into_iter()
        .chain(rest.into_iter().map(String::as_str));
    let mut bytes = vec![b'{'];
    for (key, value) in keys.filter_map(|key| Some((key, fields.get(key)?))) {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        bytes.extend(write::json(&key));
        bytes.push(b':');
        bytes.extend(write::json(value));
    }
    bytes.push(b'}');
    bytes
}
