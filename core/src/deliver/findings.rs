//! Everything that stands in the way of a run, told at once.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};

/// What was found to stand in the way, so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Error>);

impl Findings {
    /// Takes note of what `outcome` says, unless that ends the run at once.
    pub(super) fn note<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) if ends_it(&error) => Err(error),
            Err(error) => {
                self.0.push(error);
                Ok(None)
            }
        }
    }

    /// All of it as one error; none if there is nothing.
    pub(super) fn settle(self) -> Result<()> {
        let mut all = self.0.into_iter();
        let Some(first) = all.next() else {
            return Ok(());
        };
        let rest: Vec<Error> = all.collect();
        if rest.is_empty() {
            return Err(first);
        }
        let every = || std::iter::once(&first).chain(&rest);
        let told: Vec<String> = every()
            .zip(1..)
            .map(|(error, at)| format!("({at}) {error}"))
            .collect();
        let message = format!(
            "{} things stand in the way: {}",
            told.len(),
            told.join("; ")
        );
        // Each hint once, in the order of what it is about.
        let mut seen = BTreeSet::new();
        let hints: Vec<&str> = every()
            .filter_map(Error::get_hint)
            .filter(|hint| seen.insert(*hint))
            .collect();
        let error = Error::new(first.kind(), message);
        Err(match hints.is_empty() {
            true => error,
            false => error.hint(hints.join("; ")),
        })
    }
}

/// Whether there is no point in looking further.
fn ends_it(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(message: &str, hint: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Denied, message).hint(hint))
    }

    #[test]
    fn one_finding_is_told_as_it_is_and_several_together() {
        let mut findings = Findings::default();
        assert_eq!(findings.note(Ok(3)).expect("noted"), Some(3));
        findings
            .note(denied("no room", "make room"))
            .expect("noted");
        let error = findings.settle().expect_err("a finding");
        assert_eq!(error.message(), "no room");

        let mut findings = Findings::default();
        findings
            .note(denied("no room", "make room"))
            .expect("noted");
        findings
            .note(denied("no way in", "make room"))
            .expect("noted");
        let error = findings.settle().expect_err("two findings");
        let message = error.message().to_owned();
        assert!(
            message.contains("(1) no room") && message.contains("(2) no way in"),
            "{message}"
        );
        assert_eq!(error.get_hint(), Some("make room"));
        assert!(Findings::default().settle().is_ok());
    }

    #[test]
    fn who_was_stopped_looks_no_further() {
        let mut findings = Findings::default();
        let stopped: Result<()> = Err(Error::cancelled());
        assert!(findings.note(stopped).is_err());
    }
}
