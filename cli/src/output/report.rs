//! `fusion.report/v1` for people.

use fusion_core::report::{Action, ErrorReport, Image, Report, Status};
use fusion_core::{Error, ErrorKind};

use super::text::{bytes, clean, columns, count, seconds, short};
use super::{Document, charts, warning_lines};
use crate::color::Paint;
use crate::errors;

/// The exit status of a run that kept going and finished with failures.
const PARTIAL: u8 = 7;

impl Document for Report {
    fn fail(&mut self, error: &Error) {
        self.status = match error.kind() {
            ErrorKind::Cancelled => Status::Cancelled,
            _ => Status::Failed,
        };
        self.error.get_or_insert_with(|| ErrorReport::from(error));
    }

    fn failed(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Cancelled)
    }

    fn status(&self) -> u8 {
        if self.status == Status::Partial {
            PARTIAL
        } else {
            0
        }
    }

    fn json(&self) -> String {
        self.to_json()
    }

    fn human(&self, paint: Paint, verbose: u8) -> String {
        let detailed = self.dry_run || verbose > 0;
        let mut shown = if detailed {
            self.images
                .iter()
                .map(|image| in_full(image, self.dry_run, paint))
                .collect()
        } else {
            table(&self.images, self.dry_run)
        };
        if !self.images.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&charts::human(self, paint));
        shown.push_str(&totals(self, paint));
        shown
    }

    fn warnings(&self, paint: Paint) -> String {
        warning_lines(&self.warnings, paint)
    }

    fn failures(&self, paint: Paint) -> String {
        if self.status != Status::Partial {
            return String::new();
        }
        let mut lines = String::new();
        for image in &self.images {
            if let Some(error) = &image.error {
                lines.push_str(&errors::render_part(&image.reference, error, paint));
            }
        }
        for chart in &self.charts {
            if let Some(error) = &chart.error {
                let subject = format!("{} {}", chart.name, chart.version);
                lines.push_str(&errors::render_part(&subject, error, paint));
            }
        }
        for damaged in &self.damaged {
            let subject = format!("{} was left out", damaged.location);
            lines.push_str(&errors::render_part(&subject, &damaged.error, paint));
        }
        lines
    }
}

/// One line an image.
fn table(images: &[Image], dry_run: bool) -> String {
    let rows: Vec<_> = images
        .iter()
        .map(|image| {
            let platforms: Vec<_> = image.platforms.iter().map(|p| clean(&p.platform)).collect();
            [
                verb(image.action, dry_run).to_owned(),
                clean(name(image)).into_owned(),
                platforms.join(", "),
                image.digest.as_ref().map(short).unwrap_or_default(),
            ]
        })
        .collect();
    columns("", &rows)
}

/// An image and a line for each of its platforms.
fn in_full(image: &Image, dry_run: bool, paint: Paint) -> String {
    let digest = image.digest.as_ref().map(short).unwrap_or_default();
    let head = format!(
        "{}  {}  {}",
        verb(image.action, dry_run),
        paint.strong(&clean(name(image))),
        digest
    );
    let rows: Vec<_> = image
        .platforms
        .iter()
        .map(|variant| {
            [
                clean(&variant.platform).into_owned(),
                bytes(variant.size),
                clean(&variant.source).into_owned(),
                variant.digest.as_ref().map(short).unwrap_or_default(),
            ]
        })
        .collect();
    format!("{}\n{}", head.trim_end(), columns("  ", &rows))
}

/// What the image is called where it went.
fn name(image: &Image) -> &str {
    image.target.as_deref().unwrap_or(&image.reference)
}

/// What happened, or would happen.
pub(super) const fn verb(action: Action, dry_run: bool) -> &'static str {
    match (action, dry_run) {
        (Action::Created, false) => "created",
        (Action::Created, true) => "would create",
        (Action::Merged, false) => "merged",
        (Action::Merged, true) => "would merge",
        (Action::Replaced, false) => "replaced",
        (Action::Replaced, true) => "would replace",
        (Action::Skipped, false) => "skipped",
        (Action::Skipped, true) => "would skip",
        (Action::Unchanged, _) => "unchanged",
        (Action::Failed, false) => "failed",
        (Action::Failed, true) => "would fail",
    }
}

/// The lines below the images.
fn totals(report: &Report, paint: Paint) -> String {
    let (blobs, sizes) = match in_registry(report) {
        true => sent(report),
        false => written(report),
    };
    format!(
        "{}\n  blobs  {blobs}\n  bytes  {sizes}\n  time   {}\n",
        paint.strong(&head(report)),
        seconds(report.elapsed_seconds),
    )
}

fn in_registry(report: &Report) -> bool {
    (report.destination.as_ref()).is_some_and(|destination| destination.kind == "registry")
}

/// What was done to how many images, and where they are.
fn head(report: &Report) -> String {
    let among = |wanted: fn(Action) -> bool| {
        let images = report.images.iter();
        images.filter(|image| wanted(image.action)).count() as u64
    };
    let images = among(|action| !matches!(action, Action::Failed | Action::Skipped));
    let (done, noun, place) = match (report.command, report.dry_run) {
        ("push" | "sync" | "import-addon", false) => ("pushed", "image", "to"),
        ("push" | "sync" | "import-addon", true) => ("would push", "image", "to"),
        ("index create", false) => ("made", "index", "as"),
        ("index create", true) => ("would make", "index", "as"),
        (_, false) => ("fused", "image", "into"),
        (_, true) => ("would fuse", "image", "into"),
    };
    let mut head = format!("{done} {}", count(images, noun));
    if let Some(destination) = &report.destination {
        let location = clean(&destination.location);
        head.push_str(&format!(" {place} `{location}` ({})", destination.kind));
    }
    let failed = among(|action| action == Action::Failed);
    if failed > 0 {
        head.push_str(&format!(", {failed} failed"));
    }
    head
}

/// Blobs and bytes of a run into files.
fn written(report: &Report) -> (String, String) {
    let (blobs, sizes) = (&report.blobs, &report.bytes);
    let (to_write, to_read) = match report.dry_run {
        true => ("to write", "to read"),
        false => ("written", "read"),
    };
    (
        format!(
            "{} unique of {}, {} {to_write}, {} reused",
            blobs.unique, blobs.referenced, blobs.written, blobs.reused,
        ),
        format!(
            "{} {to_read}, {} unique, {} deduplicated, {} {to_write}",
            bytes(sizes.read),
            bytes(sizes.unique),
            bytes(sizes.deduplicated),
            bytes(sizes.written),
        ),
    )
}

/// Blobs and bytes of a run into a registry. A plan of one has read what its sources are.
fn sent(report: &Report) -> (String, String) {
    let (blobs, sizes) = (&report.blobs, &report.bytes);
    let (uploaded, mounted, sent) = match report.dry_run {
        true => ("to upload", "to mount", "to send"),
        false => ("uploaded", "mounted", "sent"),
    };
    (
        format!(
            "{} unique of {}, {} {uploaded}, {} {mounted}, {} present",
            blobs.unique, blobs.referenced, blobs.uploaded, blobs.mounted, blobs.reused,
        ),
        format!(
            "{} read, {} unique, {} deduplicated, {} {sent}",
            bytes(sizes.read),
            bytes(sizes.unique),
            bytes(sizes.deduplicated),
            bytes(sizes.uploaded),
        ),
    )
}
