//! The report of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::Format;
use super::assemble::Assembled;
use super::blobs::BlobSet;
use super::destination::{Destination, Target};
use super::open::Everything;
use super::plan::{Left, Plan};
use super::tree::Tree;
use crate::container::NESTED;
use crate::error::Result;
use crate::location::Location;
use crate::oci::{Digest, Platform};
use crate::package::Chart;
use crate::report::{self, Action, ErrorReport, Image, Report, Status, Variant, Warning};

/// Where the result goes.
pub(super) fn destination(destination: &Destination, output: &Location) -> report::Destination {
    let location = match &destination.target {
        Target::Standard => "-".to_owned(),
        _ => output.path.display().to_string(),
    };
    let usual = match destination.target.is_layout() {
        true => Format::Oci,
        false => Format::OciArchive,
    };
    report::Destination {
        kind: destination.format.unwrap_or(usual).word(),
        location,
    }
}

/// Every image of `plans`, sorted by reference; one that several archives of a package hold, once.
/// `replaces`: the destination as a whole is replaced.
pub(crate) fn images(report: &mut Report, plans: &[Plan], replaces: bool) {
    let found = plans.iter().flat_map(|plan| &plan.images);
    let found = found.map(|image| planned(image, replaces));
    let lost = plans.iter().flat_map(|plan| &plan.left).map(left);
    let mut images: Vec<Image> = found.chain(lost).collect();
    images.sort_by(|one, other| {
        (&one.reference, one.digest, one.action as u8).cmp(&(
            &other.reference,
            other.digest,
            other.action as u8,
        ))
    });
    images.dedup_by(|later, first| {
        later.reference == first.reference
            && later.digest == first.digest
            && later.action == first.action
    });
    report.images = images;
}

/// Every chart of the sources, for a result that holds images alone.
pub(crate) fn source_charts(
    report: &mut Report,
    plans: &[Plan],
    opened: &Everything,
) -> Vec<Warning> {
    charts(report, None, plans, opened)
}

/// Every chart of the tree, or if the result is none those of the sources, and which of them lack
/// a platform that others have.
pub(super) fn charts(
    report: &mut Report,
    tree: Option<&Tree>,
    plans: &[Plan],
    opened: &Everything,
) -> Vec<Warning> {
    let placed = tree.iter().flat_map(|tree| &tree.charts);
    let mut charts: Vec<report::Chart> = placed
        .map(|placed| {
            let plan = placed.slot.and_then(|slot| plans.get(slot));
            let images: Vec<&Assembled> = plan.iter().flat_map(|plan| &plan.images).collect();
            chart(
                &placed.chart,
                placed.place.clone(),
                &images,
                Action::Created,
            )
        })
        .collect();
    if tree.is_none() {
        charts = of_sources(plans, opened);
    }
    charts.sort_by(|one, other| {
        (&one.name, &one.version, &one.location).cmp(&(
            &other.name,
            &other.version,
            &other.location,
        ))
    });
    let all: BTreeSet<&String> = charts.iter().flat_map(|chart| &chart.platforms).collect();
    let lacking = charts.iter().filter(|chart| !chart.platforms.is_empty());
    let warnings = lacking.filter_map(|chart| {
        let lacks = all.iter().filter(|name| !chart.platforms.contains(name));
        let lacks: Vec<&str> = lacks.map(|name| name.as_str()).collect();
        (!lacks.is_empty()).then(|| Warning {
            reference: None,
            code: "missing-platform",
            message: format!(
                "the chart {} {} has no images for {}: keep it off such nodes",
                chart.name,
                chart.version,
                lacks.join(", ")
            ),
        })
    });
    let warnings = warnings.collect();
    report.charts = charts;
    warnings
}

/// The charts of the sources, each once, where the first source with it has it.
fn of_sources(plans: &[Plan], opened: &Everything) -> Vec<report::Chart> {
    let mut found: BTreeMap<Chart, (String, BTreeSet<&str>)> = BTreeMap::new();
    for source in &opened.sources {
        for (place, bundle) in source.source.bundles() {
            let spelled = &source.source.location.spelled;
            let place = match place.is_empty() {
                true => spelled.clone(),
                false => format!("{spelled}{NESTED}{place}"),
            };
            let names = &mut (found.entry(bundle.chart.clone()))
                .or_insert_with(|| (place, BTreeSet::new()))
                .1;
            let images = bundle.images.as_ref();
            let at = images.and_then(|images| images.level.only_images());
            let input = at.and_then(|at| opened.inputs.get(source.first + at));
            let listed = input.iter().flat_map(|input| &input.listed);
            names.extend(listed.filter_map(|listed| listed.name.spelled()));
        }
    }
    let charts = found.into_iter().map(|(of, (place, names))| {
        let images = plans.iter().flat_map(|plan| &plan.images);
        let named = |image: &&Assembled| {
            let mut spelled = image.selected.names.iter();
            spelled.any(|name| names.contains(name.as_str()))
        };
        let images: Vec<&Assembled> = images.filter(named).collect();
        let action = match names.is_empty() || !images.is_empty() {
            true => Action::Created,
            false => Action::Skipped,
        };
        chart(&of, place, &images, action)
    });
    charts.collect()
}

fn chart(chart: &Chart, location: String, images: &[&Assembled], action: Action) -> report::Chart {
    report::Chart {
        name: chart.name.clone(),
        version: chart.version.clone(),
        action,
        location,
        platforms: common_platforms(images)
            .iter()
            .map(ToString::to_string)
            .collect(),
        error: None,
    }
}

/// What all of `images` run on.
fn common_platforms(images: &[&Assembled]) -> BTreeSet<Platform> {
    let of = |image: &&Assembled| -> BTreeSet<Platform> {
        let variants = image.selected.variants.iter();
        variants
            .filter_map(|variant| variant.platform.clone())
            .collect()
    };
    let mut sets = images.iter().map(of).filter(|set| !set.is_empty());
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |common, set| {
        common.intersection(&set).cloned().collect()
    })
}

fn planned(image: &Assembled, replaces: bool) -> Image {
    let selected = &image.selected;
    let variants = selected.variants.iter().map(|variant| Variant {
        platform: Variant::platform_name(variant.platform.as_ref()),
        digest: Some(variant.descriptor.digest),
        source: variant.origin.label.clone(),
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
pub(crate) fn totals(report: &mut Report, set: &BlobSet) {
    report.blobs.referenced = set.referenced;
    report.blobs.unique = set.unique;
    report.bytes.unique = set.unique_bytes;
    report.bytes.deduplicated = set.referenced_bytes - set.unique_bytes;
}

/// Takes back digests that a plan cannot know.
pub(crate) fn forget_digests(report: &mut Report) {
    for image in &mut report.images {
        image.digest = None;
        image.previous_digest = None;
        for variant in &mut image.platforms {
            variant.digest = None;
        }
    }
}

/// Says how the run ended.
pub(crate) fn finish(report: &mut Report) -> Result<()> {
    let failed = report
        .images
        .iter()
        .any(|image| image.action == Action::Failed);
    let failed = failed || !report.damaged.is_empty();
    report.status = if failed { Status::Partial } else { Status::Ok };
    Ok(())
}
