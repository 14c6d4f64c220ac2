//! What is inside a source, read without unpacking it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::archive::Name;
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::variant::{Flattened, Origin, Variant, flatten};
use crate::fuse::warn;
use crate::graph::Loader;
use crate::location::Location;
use crate::oci::{Descriptor, Digest, Platform, Reference};
use crate::package::{self, Keep, Source};
use crate::progress::{Phase, Progress, Sink, Stop, drive};
use crate::registry::Connect;
use crate::report::{
    InspectedChart, InspectedImage, InspectedLayer, InspectedPlatform, InspectedSource, Inspection,
    Variant as Shown, Warning,
};

/// Says what is inside `source`; only the image `reference`, if one is named (as it is spelled
/// there, or normalised).
///
/// Nothing but documents is verified: see [`verify`](crate::validate::verify) for the rest.
pub fn inspect(
    source: &Location,
    reference: Option<&str>,
    connect: &Connect,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Inspection> {
    let mut source = source.clone();
    if let Some(reference) = reference {
        if source.in_registry().is_some() {
            let message = format!("`{}` names one image already", source.spelled);
            let error = Error::new(ErrorKind::Usage, message);
            return Err(error.hint(format!("leave out `{reference}`")));
        }
        source.reference = Some(reference.to_owned());
    }
    let progress = Progress::new(stop.clone());
    let client = connect.client(source.registry(), progress.stop())?;
    let mut inspection = drive(&progress, sink, || {
        let streamed = package::is_stream(&source)?;
        let total = if streamed {
            package::size_on_disk(&source)
        } else {
            0
        };
        progress.enter(Phase::Read, total, 0)?;
        let mut source = Source::open(&source, &Keep::Documents, Some(&client), &progress)?;
        source.sound()?;
        let damaged = source
            .archives
            .iter_mut()
            .find_map(|archive| archive.damaged.pop());
        match damaged {
            Some((_, error)) => Err(error),
            None => look(&source),
        }
    })?;
    inspection.warnings.extend(warn::notices(&client));
    inspection.warnings.sort();
    Ok(inspection)
}

/// What one name leads to.
#[derive(Default)]
struct Named {
    names: Vec<String>,
    roots: Vec<Descriptor>,
    flattened: Flattened,
}

fn look(source: &Source) -> Result<Inspection> {
    let mut inspection = Inspection::new(InspectedSource {
        kind: source.kind.name(),
        location: source.location.spelled.clone(),
        compression: source.compression.name(),
        size: source.size,
    });
    // Sorted by reference; what is not named stands at the end, each image by itself.
    let mut images: BTreeMap<(bool, String, (usize, usize)), Named> = BTreeMap::new();
    for (number, archive) in source.archives.iter().enumerate() {
        let origin = Arc::new(Origin::of(archive, None, false));
        let mut documents = Loader::new(archive);
        for (at, root) in archive.roots.iter().enumerate() {
            let key = match reference(&root.name) {
                Some(reference) => (false, reference.to_string(), (0, 0)),
                None => (true, String::new(), (number, at)),
            };
            let node = documents.load(&root.descriptor)?;
            let named = images.entry(key).or_default();
            named.names.extend(root.name.spelled().map(str::to_owned));
            // Bundles of a package often hold the same image.
            if named.roots.contains(&root.descriptor) {
                continue;
            }
            named.roots.push(root.descriptor.clone());
            named.flattened.extend(
                flatten(&node, &root.descriptor, &origin)
                    .map_err(|error| error.path(archive.location.path()))?,
            );
        }
    }
    inspection.charts = charts(source)?;
    let mut sizes: BTreeMap<Digest, u64> = BTreeMap::new();
    for ((_, reference, _), mut named) in images {
        named.flattened.bind();
        named.names.sort();
        named.names.dedup();
        let reference = (!reference.is_empty()).then_some(reference);
        partial(&mut inspection, reference.as_deref(), &named);
        let image = image(reference, named, &mut |descriptor| {
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
                .path(source.location.path()),
        );
    }
    Ok(inspection)
}

/// The charts of `source`, each with what all its images run on.
fn charts(source: &Source) -> Result<Vec<InspectedChart>> {
    let mut charts = Vec::new();
    for (place, bundle) in source.bundles() {
        let at = bundle
            .images
            .as_ref()
            .and_then(|images| images.level.only_images());
        let mut images: BTreeMap<String, BTreeSet<Platform>> = BTreeMap::new();
        if let Some(archive) = at.and_then(|at| source.archives.get(at)) {
            let origin = Arc::new(Origin::of(archive, None, false));
            let mut documents = Loader::new(archive);
            for root in &archive.roots {
                let name = match reference(&root.name) {
                    Some(reference) => reference.to_string(),
                    None => root.descriptor.digest.to_string(),
                };
                let node = documents.load(&root.descriptor)?;
                let flattened = flatten(&node, &root.descriptor, &origin)?;
                let platforms = flattened.variants.into_iter().filter_map(|v| v.platform);
                images.entry(name).or_default().extend(platforms);
            }
        }
        let mut sets = images.values().filter(|set| !set.is_empty()).cloned();
        let first = sets.next().unwrap_or_default();
        let common = sets.fold(first, |common, set| {
            common.intersection(&set).cloned().collect()
        });
        charts.push(InspectedChart {
            name: bundle.chart.name.clone(),
            version: bundle.chart.version.clone(),
            location: place,
            images: images.into_keys().collect(),
            platforms: common.iter().map(ToString::to_string).collect(),
        });
    }
    charts.sort_by(|one, other| {
        (&one.name, &one.version, &one.location).cmp(&(
            &other.name,
            &other.version,
            &other.location,
        ))
    });
    Ok(charts)
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
        .map(|variant| platform(variant, count))
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

fn platform(variant: &Variant, count: &mut dyn FnMut(&Descriptor)) -> InspectedPlatform {
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
        original: !variant.is_made(),
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
