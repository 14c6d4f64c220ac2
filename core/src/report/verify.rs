//! `fusion.verify/v1`: what is wrong with sources.

use serde::Serialize;

use super::{ErrorReport, VERSION};
use crate::error::{Error, ErrorKind};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The content is wrong; `verify` fails.
    Error,
    /// Somebody should know; `verify` passes.
    Warning,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The source, as it was named.
    pub path: String,
    /// The archive member.
    pub member: Option<String>,
    /// The byte of the file.
    pub offset: Option<u64>,
    /// The digest that was expected.
    pub digest: Option<String>,
    /// The stable name: `digest-mismatch`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub message: String,
}

/// What is wrong with sources. Lengths are in bytes, times in seconds.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// `fusion.verify/v1`.
    pub schema: &'static str,
    /// The version of fusion.
    pub version: &'static str,
    /// `ok`; `failed` if a finding is an error, or the run failed; `cancelled`.
    pub status: &'static str,
    /// Why the run failed, as against what it found.
    pub error: Option<ErrorReport>,
    /// The sources, as they were named.
    pub sources: Vec<String>,
    /// How many images were checked.
    pub images: u64,
    /// How many distinct blobs were checked.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Every finding, sorted by place.
    pub findings: Vec<Finding>,
    /// How long it took, in seconds.
    pub elapsed_seconds: f64,
}

impl Verification {
    /// A verification that has found nothing yet.
    #[must_use]
    pub fn new(sources: Vec<String>) -> Self {
        Self {
            schema: "fusion.verify/v1",
            version: VERSION,
            status: "ok",
            error: None,
            sources,
            images: 0,
            blobs: 0,
            bytes: 0,
            findings: Vec::new(),
            elapsed_seconds: 0.0,
        }
    }

    /// Says that the run failed with `error`, as against what it found.
    pub fn fail(&mut self, error: &Error) {
        self.status = match error.kind() {
            ErrorKind::Cancelled => "cancelled",
            _ => "failed",
        };
        self.error = Some(ErrorReport::from(error));
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Error)
    }

    /// The verification as indented JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        super::to_json(self)
    }
}
