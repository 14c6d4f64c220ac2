//! What is inside a source, read without unpacking it.

use std::collections::BTreeMap;

use crate::archive::{Archive, Keep, Name};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::variant::{Flattened, Variant, flatten};
use crate::graph;
use crate::location::Location;
use crate::oci::{Descriptor, Digest, Reference};
use crate::progress::{Phase, Progress, Sink, Stop, drive};
use crate::report::{
    InspectedImage, InspectedLayer, InspectedPlatform, InspectedSource, Inspection,
    Variant as Shown, Warning,
};

/// Says what is inside `source`; only the image `reference`, if one is named (as it is spelled
/// there, or normalised).
///
/// Nothing but documents is verified: see [`verify`](crate::validate::verify) for the rest.
pub fn inspect(
    source: &Location,
    reference: Option<&str>,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Inspection> {
    let mut source = source.clone();
    if let Some(reference) = reference {
        source.reference = Some(reference.to_owned());
    }
    let progress = Progress::new(stop.clone());
    drive(&progress, sink, || {
        let streamed = crate::archive::is_stream(&source)?;
        let total = if streamed {
            crate::archive::size_on_disk(&source)
        } else {
            0
        };
        progress.enter(Phase::Read, total, 0)?;
        let mut archive = Archive::open(&source, &Keep::Documents, &progress)?;
        match archive.damaged.pop() {
            Some((_, error)) => Err(error),
            None => look(&archive),
        }
    })
}

/// What one name leads to.
#[derive(Default)]
struct Named {
    names: Vec<String>,
    roots: Vec<Descriptor>,
    flattened: Flattened,
}

fn look(archive: &Archive) -> Result<Inspection> {
    let mut inspection = Inspection::new(InspectedSource {
        kind: archive.flavour.name(),
        location: archive.location.spelled.clone(),
        compression: archive.compression.name(),
        size: archive.size,
    });
    // Sorted by reference; what is not named stands at the end, each image by itself.
    let mut images: BTreeMap<(bool, String, usize), Named> = BTreeMap::new();
    for (at, root) in archive.roots.iter().enumerate() {
        let key = match reference(&root.name) {
            Some(reference) => (false, reference.to_string(), 0),
            None => (true, String::new(), at),
        };
        let node = graph::load(archive, &root.descriptor)?;
        let named = images.entry(key).or_default();
        named.names.extend(root.name.spelled().map(str::to_owned));
        named.roots.push(root.descriptor.clone());
        named.flattened.extend(
            flatten(&node, &root.descriptor, 0, None)
                .map_err(|error| error.path(archive.location.path()))?,
        );
    }
    let mut sizes: BTreeMap<Digest, u64> = BTreeMap::new();
    for ((_, reference, _), mut named) in images {
        named.flattened.bind();
        named.names.sort();
        named.names.dedup();
        let reference = (!reference.is_empty()).then_some(reference);
        partial(&mut inspection, reference.as_deref(), &named);
        let image = image(archive, reference, named, &mut |descriptor| {
            inspection.blobs.referenced += 1;
            inspection.bytes.deduplicated += descriptor.size;
            sizes.insert(descriptor.digest, descriptor.size);
        });
        inspection.images.push(image);
    }
    inspection.blobs.unique = sizes.len() as u64;
    inspection.bytes.unique = sizes.values().sum();
    // So far the sum of everything that is referred to.
    inspection.bytes.deduplicated -= inspection.bytes.unique;
    if inspection.images.is_empty() {
        return Err(
            Error::new(ErrorKind::NothingSelected, "it holds no image at all")
                .path(archive.location.path()),
        );
    }
    Ok(inspection)
}

fn reference(name: &Name) -> Option<Reference> {
    match name {
        Name::Full(name) => name.parse().ok(),
        Name::Tag(_) | Name::None => None,
    }
}

fn partial(inspection: &mut Inspection, reference: Option<&str>, named: &Named) {
    let absent = named.flattened.absent.len();
    if absent > 0 {
        inspection.warnings.push(Warning {
            reference: reference.map(str::to_owned),
            code: "partial-archive",
            message: format!("its index names {absent} manifests that the archive does not hold"),
        });
    }
}

fn image(
    archive: &Archive,
    reference: Option<String>,
    named: Named,
    count: &mut dyn FnMut(&Descriptor),
) -> InspectedImage {
    let Named {
        names,
        roots,
        flattened,
    } = named;
    for index in &flattened.indexes {
        count(&index.descriptor);
    }
    let mut variants = flattened.variants;
    variants.sort_by(|a, b| {
        (&a.platform, a.descriptor.digest).cmp(&(&b.platform, b.descriptor.digest))
    });
    let platforms = variants
        .iter()
        .map(|variant| platform(archive, variant, count))
        .collect();
    let only = match roots.as_slice() {
        [root] => Some(root),
        _ => None,
    };
    InspectedImage {
        reference,
        names,
        digest: only.map(|root| root.digest),
        media_type: only.map(|root| root.media_type.clone()),
        platforms,
        absent: flattened.absent.iter().map(|child| child.digest).collect(),
    }
}

fn platform(
    archive: &Archive,
    variant: &Variant,
    count: &mut dyn FnMut(&Descriptor),
) -> InspectedPlatform {
    let manifest = &variant.image.manifest;
    let diff_ids = variant
        .image
        .config
        .as_ref()
        .map(|config| &config.view.diff_ids);
    count(&manifest.descriptor);
    count(&manifest.view.config);
    let layers = manifest.view.layers.iter().enumerate().map(|(at, layer)| {
        count(layer);
        InspectedLayer {
            digest: layer.digest,
            media_type: layer.media_type.clone(),
            size: layer.size,
            diff_id: diff_ids.and_then(|diff_ids| diff_ids.get(at)).copied(),
        }
    });
    InspectedPlatform {
        platform: Shown::platform_name(variant.platform.as_ref()),
        digest: manifest.descriptor.digest,
        original: !archive.made(&manifest.descriptor.digest),
        config: manifest.view.config.digest,
        size: variant.image.size(),
        layers: layers.collect(),
        attestations: variant
            .attachments
            .iter()
            .map(|a| a.descriptor.digest)
            .collect(),
    }
}
