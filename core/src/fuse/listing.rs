//! What stands at the top of a layout or archive: `oci-layout`, `index.json`, `manifest.json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::FuseOptions;
use super::plan::{Carried, Plan};
use super::variant::{Variant, flatten};
use crate::error::Result;
use crate::oci::{Descriptor, Digest, MediaType, Platform, Reference, annotation, write};

/// The content of `oci-layout` (image specification, *image-layout.md*).
pub(super) const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The bytes of `index.json`: every reference of the run under its full name, which containerd
/// takes from one annotation and others from the other, and what is carried along as it was. What
/// the destination's own said of the whole stays.
pub(super) fn index_json(plan: &Plan) -> Vec<u8> {
    let named = plan.images.iter().map(|image| {
        let name = image.selected.reference.to_string();
        let mut root = image.root.clone();
        root.annotations
            .insert(annotation::IMAGE_NAME.to_owned(), name.clone());
        root.annotations
            .insert(annotation::REF_NAME.to_owned(), name.clone());
        (Some(name), root)
    });
    let carried = plan.carried.iter().map(|carried| {
        let name = carried.name.spelled().map(str::to_owned);
        (name, carried.root.clone())
    });
    let mut roots: Vec<(Option<String>, Descriptor)> = named.chain(carried).collect();
    // Names first; what has none stands at the end.
    roots.sort_by(|(a, one), (b, other)| {
        (a.is_none(), a, one.digest).cmp(&(b.is_none(), b, other.digest))
    });
    let roots: Vec<Descriptor> = roots.into_iter().map(|(_, root)| root).collect();
    write::index(&MediaType::OCI_INDEX, &roots, &plan.annotations)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    layer_sources: BTreeMap<Digest, Descriptor>,
}

/// The bytes of `manifest.json`, from which Docker's graph driver daemons load: one platform per
/// reference, because whichever came last would own the tag.
pub(super) fn manifest_json(plan: &Plan, options: &FuseOptions) -> Result<Vec<u8>> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    // Where they come from does not matter here.
    let nowhere = Arc::default();
    for image in &plan.images {
        let reference = &image.selected.reference;
        add(&mut entries, reference, &image.selected.variants, options);
    }
    for Carried {
        root,
        reference,
        node,
        ..
    } in &plan.carried
    {
        if let Some(reference) = reference
            && !entries.contains_key(&reference.to_string())
        {
            let flattened = flatten(node, root, &nowhere)?;
            add(&mut entries, reference, &flattened.variants, options);
        }
    }
    Ok(write::json(&entries.into_values().collect::<Vec<_>>()))
}

fn add(
    entries: &mut BTreeMap<String, Entry>,
    reference: &Reference,
    variants: &[Variant],
    options: &FuseOptions,
) {
    if let Some(variant) = preferred(variants, options.docker_platform.as_ref()) {
        entries.insert(reference.to_string(), entry(reference, variant));
    }
}

/// The platform asked for if the image has it, else `linux/amd64`, else the first.
fn preferred<'a>(variants: &'a [Variant], asked: Option<&Platform>) -> Option<&'a Variant> {
    let images = || {
        variants
            .iter()
            .filter(|variant| variant.image.config.is_some() && variant.platform.is_some())
    };
    let of = |wanted: &Platform| {
        images().find(|variant| variant.platform.as_ref().is_some_and(|p| wanted.selects(p)))
    };
    let usual = Platform::new("linux", "amd64", None);
    asked
        .and_then(of)
        .or_else(|| of(&usual))
        .or_else(|| images().next())
}

fn entry(reference: &Reference, variant: &Variant) -> Entry {
    let manifest = &variant.image.manifest.view;
    let diff_ids = variant
        .image
        .config
        .iter()
        .flat_map(|config| &config.view.diff_ids);
    // Docker knows foreign layers by diff ID.
    let foreign = manifest
        .layers
        .iter()
        .zip(diff_ids)
        .filter(|(layer, _)| layer.is_foreign());
    let layer_sources = foreign
        .map(|(layer, diff_id)| (*diff_id, layer.clone()))
        .collect();
    let tag = reference.tag().map(|tag| {
        vec![format!(
            "{}/{}:{tag}",
            reference.registry(),
            reference.repository()
        )]
    });
    Entry {
        config: manifest.config.digest.blob_path(),
        repo_tags: tag,
        layers: manifest
            .layers
            .iter()
            .map(|layer| layer.digest.blob_path())
            .collect(),
        layer_sources,
    }
}
