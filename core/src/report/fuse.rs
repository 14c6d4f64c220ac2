//! `fusion.report/v1`: what a verb that writes did, or would do.

use serde::Serialize;

use super::VERSION;
use crate::error::Error;
use crate::oci::{Digest, MediaType, Platform};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything was done.
    Ok,
    /// `--keep-going`: some images failed, or sources are damaged; the others are done.
    Partial,
    /// Nothing was published.
    Failed,
    /// Stopped on request; nothing was published.
    Cancelled,
}

/// What happened to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The destination did not have it.
    Created,
    /// Platforms were added to what the destination had.
    Merged,
    /// A platform, or the whole, that the destination had was replaced.
    Replaced,
    /// The destination had it already.
    Unchanged,
    /// A choice left nothing of it.
    Skipped,
    /// It failed, and the run kept going.
    Failed,
}

/// The whole report. Lengths are in bytes, times in seconds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `fusion.report/v1`.
    pub schema: &'static str,
    /// The version of fusion.
    pub version: &'static str,
    /// The verb: `fuse`.
    pub command: &'static str,
    /// Whether this is a plan: nothing was written.
    pub dry_run: bool,
    /// How the run ended.
    pub status: Status,
    /// Why it failed.
    pub error: Option<ErrorReport>,
    /// Where the result is.
    pub destination: Option<Destination>,
    /// Every image of the run.
    pub images: Vec<Image>,
    /// Every chart of the run.
    pub charts: Vec<Chart>,
    /// What of the sources is damaged and was left out (`--keep-going`); only there if something is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamagedSource>,
    /// Saved values that were brought along; only there if some were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<CarriedValues>,
    /// Blobs, counted.
    pub blobs: Blobs,
    /// Bytes, counted.
    pub bytes: Bytes,
    /// What somebody should know.
    pub warnings: Vec<Warning>,
    /// How long it took, in seconds.
    pub elapsed_seconds: f64,
}

impl Report {
    /// An empty report of `command`.
    #[must_use]
    pub fn new(command: &'static str) -> Self {
        Self {
            schema: "fusion.report/v1",
            version: VERSION,
            command,
            dry_run: false,
            status: Status::Ok,
            error: None,
            destination: None,
            images: Vec::new(),
            charts: Vec::new(),
            damaged: Vec::new(),
            values: Vec::new(),
            blobs: Blobs::default(),
            bytes: Bytes::default(),
            warnings: Vec::new(),
            elapsed_seconds: 0.0,
        }
    }

    /// Says that the run failed with `error`.
    pub fn fail(&mut self, error: &Error) {
        let stopped = error.kind() == crate::ErrorKind::Cancelled;
        self.status = if stopped {
            Status::Cancelled
        } else {
            Status::Failed
        };
        self.error = Some(ErrorReport::from(error));
    }

    /// The report as indented JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        super::to_json(self)
    }
}

/// An error as reports carry it. Absent parts are `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The stable name of the kind: `digest-mismatch`.
    pub kind: &'static str,
    /// One line: where and why.
    pub message: String,
    /// The file or directory.
    pub path: Option<String>,
    /// The archive member.
    pub member: Option<String>,
    /// The digest.
    pub digest: Option<String>,
    /// The byte of the file.
    pub offset: Option<u64>,
    /// What to do next.
    pub hint: Option<String>,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().name(),
            message: error.to_string(),
            path: error.get_path().map(|path| path.display().to_string()),
            member: error.get_member().map(str::to_owned),
            digest: error.get_digest().map(str::to_owned),
            offset: error.get_offset(),
            hint: error.get_hint().map(str::to_owned),
        }
    }
}

/// Where a result is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// `oci`, `oci-archive`, ….
    pub kind: &'static str,
    /// A path, or `-`.
    pub location: String,
}

/// One image of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Image {
    /// The normalised reference.
    pub reference: String,
    /// How the sources spell it, sorted.
    pub names: Vec<String>,
    /// The reference in a registry, where it was sent to one.
    pub target: Option<String>,
    /// What the reference leads to; `null` if that is not known yet (a plan that compresses) or
    /// the image failed.
    pub digest: Option<Digest>,
    /// What the destination had before, if that was something else.
    pub previous_digest: Option<Digest>,
    /// What the digest is of.
    pub media_type: Option<MediaType>,
    /// What happened to it.
    pub action: Action,
    /// Its variants, by platform.
    pub platforms: Vec<Variant>,
    /// Why it failed.
    pub error: Option<ErrorReport>,
}

/// A chart of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// Its name, as `Chart.yaml` has it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What happened to it.
    pub action: Action,
    /// Where its bundle stands in the destination; in a source, named first, if the destination has
    /// no place for it.
    pub location: String,
    /// What all of its images run on.
    pub platforms: Vec<String>,
    /// Why it failed.
    pub error: Option<ErrorReport>,
}

/// A source, or a file in one, that is damaged and was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedSource {
    /// Where it is: a source as it was named, and where in it.
    pub location: String,
    /// What is wrong with it.
    pub error: ErrorReport,
}

/// A file of saved values that was written anew for a chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarriedValues {
    /// The file.
    pub path: String,
    /// The name of the chart.
    pub chart: String,
    /// What changed in it.
    pub changes: Vec<ChangedValue>,
    /// What names an image that the chart does not, and stays.
    pub kept: Vec<KeptValue>,
}

/// A saved value that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptValue {
    /// Its path in the file.
    pub key: String,
    /// What it is.
    pub value: String,
    /// Why it stays.
    pub why: String,
}

/// A value that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedValue {
    /// Its path in the file: `image.registry`.
    pub key: String,
    /// What it was; `null` if it was not there.
    pub old: Option<String>,
    /// What it is now.
    pub new: String,
}

/// One platform's variant of an image.
#[derive(Debug, Clone, Serialize)]
pub struct Variant {
    /// `linux/arm64`; `unknown` for an artifact that is no image.
    pub platform: String,
    /// The digest of its manifest; `null` in a plan that compresses.
    pub digest: Option<Digest>,
    /// Where it came from: a source as it was named, or the destination.
    pub source: String,
    /// Its manifest, configuration and layers together, in bytes.
    pub size: u64,
}

impl Variant {
    /// How a platform is shown, also where there is none.
    #[must_use]
    pub fn platform_name(platform: Option<&Platform>) -> String {
        platform.map_or_else(|| "unknown".to_owned(), ToString::to_string)
    }
}

/// Blobs of a run, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Blobs {
    /// How often images of the run refer to a blob.
    pub referenced: u64,
    /// How many distinct blobs that is.
    pub unique: u64,
    /// Written to the destination.
    pub written: u64,
    /// Found at the destination.
    pub reused: u64,
    /// Sent to a registry.
    pub uploaded: u64,
    /// Mounted from another repository of the registry.
    pub mounted: u64,
}

/// Bytes of a run, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// Read from the sources, as they lie on disk.
    pub read: u64,
    /// Of the distinct blobs.
    pub unique: u64,
    /// Saved by keeping each blob once.
    pub deduplicated: u64,
    /// Written to the destination.
    pub written: u64,
    /// Sent to a registry.
    pub uploaded: u64,
    /// The most that was spooled at once outside the destination.
    pub peak_spool: u64,
}

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// The normalised reference concerned.
    pub reference: Option<String>,
    /// The stable name: `missing-platform`.
    pub code: &'static str,
    /// One line.
    pub message: String,
}
