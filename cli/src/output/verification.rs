//! `fusion.verify/v1` for people.

use fusion_core::report::{ErrorReport, Finding, Severity, Verification};
use fusion_core::{Error, ErrorKind};

use super::Document;
use super::text::{bytes, clean, count, seconds};
use crate::color::Paint;

impl Document for Verification {
    fn fail(&mut self, error: &Error) {
        self.status = match error.kind() {
            ErrorKind::Cancelled => "cancelled",
            _ => "failed",
        };
        self.error.get_or_insert_with(|| ErrorReport::from(error));
    }

    fn failed(&self) -> bool {
        self.error.is_some()
    }

    fn status(&self) -> u8 {
        if self.passed() {
            0
        } else {
            ErrorKind::InvalidArchive.exit_status()
        }
    }

    fn json(&self) -> String {
        self.to_json()
    }

    fn human(&self, paint: Paint, _verbose: u8) -> String {
        let mut shown: String = self
            .findings
            .iter()
            .map(|found| line(found, paint))
            .collect();
        let verdict = if self.findings.is_empty() {
            "nothing wrong".to_owned()
        } else {
            let among = |wanted| {
                self.findings
                    .iter()
                    .filter(|found| found.severity == wanted)
                    .count() as u64
            };
            let parts = [
                (among(Severity::Error), "error"),
                (among(Severity::Warning), "warning"),
            ];
            let parts = parts.iter().filter(|(number, _)| *number > 0);
            parts
                .map(|(number, noun)| count(*number, noun))
                .collect::<Vec<_>>()
                .join(", ")
        };
        shown.push_str(&format!(
            "verified {} in {}, {} in {}: {}\n",
            count(self.images, "image"),
            count(self.sources.len() as u64, "source"),
            format_args!("{} ({})", count(self.blobs, "blob"), bytes(self.bytes)),
            seconds(self.elapsed_seconds),
            paint.strong(&verdict),
        ));
        shown
    }

    fn warnings(&self, _paint: Paint) -> String {
        String::new()
    }
}

/// `error[code] path: member: message`.
fn line(found: &Finding, paint: Paint) -> String {
    let label = match found.severity {
        Severity::Error => paint.error(&format!("error[{}]", clean(&found.code))),
        Severity::Warning => paint.warning(&format!("warning[{}]", clean(&found.code))),
    };
    let mut line = format!("{label} {}: ", clean(&found.path));
    if let Some(member) = &found.member {
        line.push_str(&format!("{}: ", clean(member)));
    }
    line.push_str(&clean(&found.message));
    if let Some(digest) = &found.digest
        && !found.message.contains(digest.as_str())
    {
        line.push_str(&format!(" ({})", clean(digest)));
    }
    if let Some(offset) = found.offset {
        line.push_str(&format!(" (at byte {offset})"));
    }
    line.push('\n');
    line
}
