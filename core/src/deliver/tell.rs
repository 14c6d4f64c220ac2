//! The report of a run that pushed.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::ledger::Ledger;
use super::spool::Spool;
use super::tag::{Merged, Outgoing, Settled};
use super::target::Base;
use crate::error::Result;
use crate::fuse::blobs::{BlobSet, layers};
use crate::fuse::open::Everything;
use crate::fuse::plan::{Left, Plan};
use crate::fuse::{MediaTypes, tell, warn};
use crate::package::Damaged;
use crate::report::{self, Action, Destination, ErrorReport, Report, Warning};
use crate::store::Expected;

/// Where a run pushes to.
pub(super) fn destination(base: &Base) -> Destination {
    Destination {
        kind: "registry",
        location: base.to_string(),
    }
}

/// What of the sources is damaged, and was left out.
pub(super) fn damaged(report: &mut Report, damaged: &[Damaged]) {
    for damaged in damaged {
        let Damaged { place, error, .. } = damaged;
        tracing::warn!("`{place}` is left out: {error}");
        report.damaged.push(report::DamagedSource {
            location: place.clone(),
            error: ErrorReport::from(error),
        });
    }
    report
        .damaged
        .sort_by(|one, other| one.location.cmp(&other.location));
}

/// What became of every image.
pub(super) fn images(
    report: &mut Report,
    done: Vec<(Outgoing, Merged)>,
    left: Vec<Left>,
    opened: &Everything,
) -> Result<()> {
    let mut targets: BTreeMap<String, (String, Option<Settled>)> = BTreeMap::new();
    let mut set = BlobSet::default();
    let mut plan = Plan {
        left,
        ..Plan::default()
    };
    for (image, merged) in done {
        let target = image.target.to_string();
        if !merged.dropped.is_empty() {
            let gone: Vec<String> = merged.dropped.iter().map(ToString::to_string).collect();
            report.warnings.push(Warning {
                reference: Some(image.selected.reference.to_string()),
                code: "platform-replaced",
                message: format!(
                    "{target} no longer has {}: the whole tag was replaced",
                    gone.join(", ")
                ),
            });
        }
        if let Some(types) = merged.converted {
            let (refused, taken) = match types {
                MediaTypes::Docker => ("OCI's", "Docker's"),
                _ => ("Docker's", "OCI's"),
            };
            report.warnings.push(Warning {
                reference: Some(image.selected.reference.to_string()),
                code: "media-types",
                message: format!(
                    "{target} has {taken} media types, since the registry does not take {refused}: \
                     digests are others than those of the source"
                ),
            });
        }
        for (platform, had, claimed) in &merged.overruled {
            report.warnings.push(Warning {
                reference: Some(image.selected.reference.to_string()),
                code: "claim",
                message: format!(
                    "{target} led to {had} for {platform}, and leads to {claimed} again, as the \
                     claim on it says: somebody wrote the tag without `--claim-tags`, or is about to \
                     write it; push {platform} with it, or begin anew with `--clean-claims`"
                ),
            });
        }
        let own = image.selected.variants.iter().map(|v| &v.image);
        for node in own {
            set.add(Expected::of(&node.manifest.descriptor), true);
            set.add(Expected::of(&node.manifest.view.config), true);
            for layer in layers(node, false) {
                set.add(layer, true);
            }
        }
        if merged.image.root.media_type.is_index() {
            set.add(Expected::of(&merged.image.root), true);
        }
        let reference = image.selected.reference.to_string();
        targets.insert(reference, (target, merged.settled));
        plan.images.push(merged.image);
    }
    let plans = [plan];
    report
        .warnings
        .extend(warn::warnings(&plans, warn::Place::Registry));
    tell::images(report, &plans, false);
    let charts = tell::source_charts(report, &plans, opened);
    report.warnings.extend(charts);
    report.warnings.sort();
    tell::totals(report, &set);
    for image in &mut report.images {
        let Some((target, settled)) = targets.get(&image.reference) else {
            continue;
        };
        image.target = Some(target.clone());
        if *settled == Some(Settled::Skipped) {
            image.action = Action::Skipped;
            // What the tag leads to, and went on leading to.
            image.digest = image.previous_digest.take();
        }
    }
    tell::finish(report)
}

/// What went over the network, or would.
pub(super) fn traffic(report: &mut Report, ledger: &Ledger, spool: Option<&Spool>) {
    report.blobs.uploaded = ledger.uploaded.load(Ordering::Relaxed);
    report.blobs.mounted = ledger.mounted.load(Ordering::Relaxed);
    report.blobs.reused = ledger.present();
    report.bytes.uploaded = ledger.bytes.load(Ordering::Relaxed);
    report.bytes.read += ledger.read.load(Ordering::Relaxed);
    report.bytes.peak_spool = spool.map_or(0, Spool::peak);
}
