//! `fusion.inspect/v1` for people.

use std::collections::BTreeSet;

use fusion_core::Error;
use fusion_core::report::{
    ErrorReport, InspectedChart, InspectedImage, InspectedPlatform, Inspection,
};

use super::text::{bytes, clean, columns, count, short};
use super::{Document, warning_lines};
use crate::color::Paint;

impl Document for Inspection {
    fn fail(&mut self, error: &Error) {
        self.error.get_or_insert_with(|| ErrorReport::from(error));
    }

    fn failed(&self) -> bool {
        self.error.is_some()
    }

    fn status(&self) -> u8 {
        0
    }

    fn json(&self) -> String {
        self.to_json()
    }

    fn human(&self, paint: Paint, verbose: u8) -> String {
        let mut shown = head(self, paint);
        for image in &self.images {
            shown.push_str(&in_full(image, paint, verbose));
        }
        shown.push_str(&charts(self, paint));
        shown.push_str(&totals(self, paint));
        shown
    }

    fn warnings(&self, paint: Paint) -> String {
        warning_lines(&self.warnings, paint)
    }
}

/// What the source is.
fn head(inspection: &Inspection, paint: Paint) -> String {
    let source = &inspection.source;
    let mut head = format!(
        "{}: {}",
        paint.strong(&clean(&source.location)),
        source.kind
    );
    if source.compression != "none" {
        head.push_str(&format!(", {}", source.compression));
    }
    if source.size > 0 {
        head.push_str(&format!(", {}", bytes(source.size)));
    }
    head.push_str("\n\n");
    head
}

/// An image, its platforms, and with `-v` their layers.
fn in_full(image: &InspectedImage, paint: Paint, verbose: u8) -> String {
    let reference = image.reference.as_deref().unwrap_or("(without a name)");
    let digest = image.digest.as_ref().map(short).unwrap_or_default();
    let line = format!("{}  {digest}", paint.strong(&clean(reference)));
    let mut shown = format!("{}\n", line.trim_end());
    let rows: Vec<_> = image.platforms.iter().map(platform).collect();
    if verbose == 0 {
        shown.push_str(&columns("  ", &rows));
    } else {
        for (line, platform) in columns("  ", &rows).lines().zip(&image.platforms) {
            shown.push_str(&format!("{line}\n"));
            shown.push_str(&layers(platform));
        }
    }
    for absent in &image.absent {
        let line = format!("absent: {}", short(absent));
        shown.push_str(&format!("  {}\n", paint.faint(&line)));
    }
    shown
}

/// The line of a platform.
fn platform(platform: &InspectedPlatform) -> [String; 5] {
    let attestations = platform.attestations.len() as u64;
    [
        clean(&platform.platform).into_owned(),
        bytes(platform.size),
        count(platform.layers.len() as u64, "layer"),
        short(&platform.digest),
        if attestations > 0 {
            count(attestations, "attestation")
        } else {
            String::new()
        },
    ]
}

/// The configuration and the layers of a platform, the lowest first.
fn layers(platform: &InspectedPlatform) -> String {
    let mut rows = vec![[
        short(&platform.config),
        "configuration".to_owned(),
        String::new(),
    ]];
    for layer in &platform.layers {
        rows.push([
            short(&layer.digest),
            clean(layer.media_type.as_str()).into_owned(),
            bytes(layer.size),
        ]);
    }
    columns("    ", &rows)
}

/// The charts, and for those that lack a platform which others have, what keeps them off such
/// nodes.
fn charts(inspection: &Inspection, paint: Paint) -> String {
    let charts = &inspection.charts;
    if charts.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = charts.iter().map(chart).collect();
    let title = paint.strong(&count(charts.len() as u64, "chart"));
    let mut shown = format!("\n{title}\n{}", columns("  ", &rows));
    let all: BTreeSet<&str> = (charts.iter())
        .flat_map(|chart| &chart.platforms)
        .map(String::as_str)
        .collect();
    for chart in charts.iter().filter(|chart| !chart.platforms.is_empty()) {
        let lacks: Vec<&str> = (all.iter().copied())
            .filter(|platform| !chart.platforms.iter().any(|has| has == platform))
            .collect();
        if !lacks.is_empty() {
            shown.push_str(&format!(
                "\n{} {} has no {}; its values keep it off such nodes with\n{}",
                clean(&chart.name),
                clean(&chart.version),
                lacks.join(", "),
                affinity(&chart.platforms)
            ));
        }
    }
    shown
}

/// The line of a chart.
fn chart(chart: &InspectedChart) -> [String; 4] {
    let platforms = match chart.platforms.is_empty() {
        true => "no platform in common".to_owned(),
        false => chart.platforms.join(", "),
    };
    [
        format!("{} {}", clean(&chart.name), clean(&chart.version)),
        count(chart.images.len() as u64, "image"),
        if chart.images.is_empty() {
            String::new()
        } else {
            platforms
        },
        clean(&chart.location).into_owned(),
    ]
}

/// The part of a chart's values that keeps its pods on nodes of these platforms' architectures.
fn affinity(platforms: &[String]) -> String {
    let architectures: BTreeSet<&str> = (platforms.iter())
        .filter_map(|platform| platform.split('/').nth(1))
        .collect();
    let architectures: Vec<&str> = architectures.into_iter().collect();
    format!(
        "    affinity:\n      nodeAffinity:\n        \
         requiredDuringSchedulingIgnoredDuringExecution:\n          nodeSelectorTerms:\n            \
         - matchExpressions:\n                - key: kubernetes.io/arch\n                  \
         operator: In\n                  values: [{}]\n",
        architectures.join(", ")
    )
}

/// What the images share.
fn totals(inspection: &Inspection, paint: Paint) -> String {
    let (blobs, sizes) = (&inspection.blobs, &inspection.bytes);
    let gap = if inspection.images.is_empty() {
        ""
    } else {
        "\n"
    };
    let images = paint.strong(&count(inspection.images.len() as u64, "image"));
    format!(
        "{gap}{images}\n  blobs  {} unique of {}\n  bytes  {} unique, {} shared\n",
        blobs.unique,
        blobs.referenced,
        bytes(sizes.unique),
        bytes(sizes.deduplicated),
    )
}
