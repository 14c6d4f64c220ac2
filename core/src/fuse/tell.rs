//! The report of a run.

use super::assemble::Assembled;
use super::blobs::BlobSet;
use super::destination::{Destination, Target};
use super::input::Input;
use super::plan::{Left, Plan};
use crate::error::Result;
use crate::location::Location;
use crate::oci::Digest;
use crate::report::{self, Action, ErrorReport, Image, Report, Status, Variant};

/// Where the result goes.
pub(super) fn destination(destination: &Destination, output: &Location) -> report::Destination {
    let location = match &destination.target {
        Target::Standard => "-".to_owned(),
        _ => output.path.display().to_string(),
    };
    report::Destination {
        kind: destination.target.format().word(),
        location,
    }
}

/// Every image of `plan`, sorted by reference. `replaces`: the destination as a whole is replaced.
pub(super) fn images(report: &mut Report, plan: &Plan, inputs: &[Input], replaces: bool) {
    let planned = plan
        .images
        .iter()
        .map(|image| planned(image, inputs, replaces));
    let mut images: Vec<Image> = planned.chain(plan.left.iter().map(left)).collect();
    images.sort_by(|one, other| one.reference.cmp(&other.reference));
    report.images = images;
}

fn planned(image: &Assembled, inputs: &[Input], replaces: bool) -> Image {
    let selected = &image.selected;
    let variants = selected.variants.iter().map(|variant| Variant {
        platform: Variant::platform_name(variant.platform.as_ref()),
        digest: Some(variant.descriptor.digest),
        source: inputs[variant.input].label.clone(),
        size: variant.image.size(),
    });
    let previous = selected.previous.as_ref().map(|root| root.digest);
    let had_something =
        previous.is_some() || !selected.retained.is_empty() || !selected.replaced.is_empty();
    let action = match previous {
        Some(previous) if previous == image.root.digest => Action::Unchanged,
        _ if replaces && had_something => Action::Replaced,
        _ if !had_something => Action::Created,
        _ if !selected.replaced.is_empty() => Action::Replaced,
        _ => Action::Merged,
    };
    Image {
        reference: selected.reference.to_string(),
        names: selected.names.iter().cloned().collect(),
        target: None,
        digest: Some(image.root.digest),
        previous_digest: previous.filter(|previous| *previous != image.root.digest),
        media_type: Some(image.root.media_type.clone()),
        action,
        platforms: variants.collect(),
        error: None,
    }
}

fn left(left: &Left) -> Image {
    Image {
        reference: left.reference.clone(),
        names: left.names.iter().cloned().collect(),
        target: None,
        digest: None::<Digest>,
        previous_digest: None,
        media_type: None,
        action: if left.error.is_some() {
            Action::Failed
        } else {
            Action::Skipped
        },
        platforms: Vec::new(),
        error: left.error.as_ref().map(ErrorReport::from),
    }
}

/// How many blobs and bytes the run's images are.
pub(super) fn totals(report: &mut Report, set: &BlobSet) {
    report.blobs.referenced = set.referenced;
    report.blobs.unique = set.unique;
    report.bytes.unique = set.unique_bytes;
    report.bytes.deduplicated = set.referenced_bytes - set.unique_bytes;
}

/// Takes back digests that a plan cannot know.
pub(super) fn forget_digests(report: &mut Report) {
    for image in &mut report.images {
        image.digest = None;
        image.previous_digest = None;
        for variant in &mut image.platforms {
            variant.digest = None;
        }
    }
}

/// Says how the run ended.
pub(super) fn finish(report: &mut Report) -> Result<()> {
    let failed = report
        .images
        .iter()
        .any(|image| image.action == Action::Failed);
    report.status = if failed { Status::Partial } else { Status::Ok };
    Ok(())
}
