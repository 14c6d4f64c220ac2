//! Charts, once their images are where they belong: relocated, packaged, published.

use std::collections::BTreeMap;

use super::beside::{Difference, compare};
use super::bundles::{Found, Loaded};
use super::outcomes::Known;
use super::saved::Saved;
use crate::chart::repository::Repository;
use crate::chart::{Change, Chart, Hinted, Hints, Place, Relocated};
use crate::deliver::target::Naming;
use crate::deliver::{DeliverOptions, OnChart};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;
use crate::report::{self, Action, ErrorReport, Report, Status, Warning};

/// Publishes charts.
pub(super) struct Publisher<'a> {
    pub(super) repository: &'a Repository,
    pub(super) options: &'a DeliverOptions,
    pub(super) saved: &'a [Saved],
    pub(super) naming: Naming,
    /// What became of the images.
    pub(super) outcomes: Known,
    /// What is known of charts by their images: what they run on.
    pub(super) told: Vec<report::Chart>,
    pub(super) progress: &'a Progress,
}

/// What became of a chart.
struct Done {
    action: Action,
    location: String,
}

impl Publisher<'_> {
    /// Publishes all `charts` but those that are `troubled`, and tells.
    pub(super) fn all(
        &mut self,
        charts: &[Found<'_>],
        mut troubled: BTreeMap<String, Error>,
        report: &mut Report,
    ) -> Result<()> {
        let told: BTreeMap<(String, String), Vec<String>> = (self.told.drain(..))
            .map(|chart| ((chart.name, chart.version), chart.platforms))
            .collect();
        let mut failed = None;
        for chart in charts {
            self.progress.check()?;
            let outcome = match troubled.remove(&chart.label()) {
                Some(error) => Err(error),
                None if failed.is_some() => break,
                None => self.one(chart, report),
            };
            let keep_going = self.options.fuse.keep_going;
            let (action, location, error) = match outcome {
                Ok(done) => (done.action, done.location, None),
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(error) => {
                    let told = ErrorReport::from(&error);
                    failed = failed.or(Some(error)).filter(|_| !keep_going);
                    (Action::Failed, chart.place.clone(), Some(told))
                }
            };
            let key = (chart.name.clone(), chart.version.clone());
            report.charts.push(report::Chart {
                platforms: told.get(&key).cloned().unwrap_or_default(),
                name: key.0,
                version: key.1,
                action,
                location,
                error,
            });
        }
        if !self.options.fuse.dry_run {
            // What was published is listed also where something failed.
            let settled = self.repository.settle();
            failed = failed.or(settled.err());
        }
        report.warnings.sort();
        match failed {
            Some(error) => Err(error),
            None => {
                let is_failed = |chart: &report::Chart| chart.action == Action::Failed;
                if report.charts.iter().any(is_failed) || !report.damaged.is_empty() {
                    report.status = Status::Partial;
                }
                Ok(())
            }
        }
    }

    fn one(&self, found: &Found<'_>, report: &mut Report) -> Result<Done> {
        let Loaded {
            chart,
            hints,
            whole,
        } = found.load()?;
        let relocated = match &hints {
            Some(hints) => self.relocated(found, &chart, hints)?,
            None => {
                report.warnings.push(warning(
                    "no-hints",
                    format!(
                        "the chart {} has no hints: its values name the registries that they did",
                        found.label()
                    ),
                ));
                Relocated {
                    chart: chart.clone(),
                    changes: Vec::new(),
                }
            }
        };
        for Change {
            file,
            key,
            old,
            new,
        } in &relocated.changes
        {
            let old = old.as_deref().unwrap_or("nothing");
            tracing::debug!("{}: `{file}`: {key}: {old} becomes {new}", found.label());
        }
        let done = self.place(found, &relocated.chart, whole, report)?;
        for saved in self.saved.iter().filter(|saved| saved.is_of(found)) {
            let (original, hints) = (&chart, hints.as_ref());
            let dry_run = self.options.fuse.dry_run;
            let carried = saved.carry(original, &relocated.chart, hints, dry_run)?;
            report.values.push(carried);
        }
        Ok(done)
    }

    /// The chart with the images that its hints name where they are now.
    fn relocated(&self, found: &Found<'_>, chart: &Chart, hints: &Hints) -> Result<Relocated> {
        chart.relocated(hints, &mut |hinted: &Hinted| {
            let image = self.outcomes.get(&hinted.normalised);
            if let Some(image) = image.filter(|image| image.action == Action::Failed) {
                let message = format!(
                    "the chart {} is not published: its image {} failed",
                    found.label(),
                    image.reference
                );
                return Err(Error::new(ErrorKind::Registry, message)
                    .hint("mend what failed, and run the same command again"));
            }
            let (registry, repository) =
                self.naming.values(&hinted.reference, &self.options.fuse)?;
            Ok(Some(Place {
                registry,
                repository,
                digest: image.and_then(|image| image.digest),
            }))
        })
    }

    /// Puts `chart` into the repository, unless what is there may stay.
    fn place(
        &self,
        found: &Found<'_>,
        chart: &Chart,
        whole: bool,
        report: &mut Report,
    ) -> Result<Done> {
        let (name, version) = (found.name.as_str(), found.version.as_str());
        let location = self.repository.location_of(name, version);
        let done = |action| Done {
            action,
            location: location.clone(),
        };
        let there = self.repository.get(name, version)?;
        let difference = there.as_ref().map(|bytes| {
            match Chart::from_tgz(bytes, &location) {
                Ok(there) => compare(chart, whole, &there),
                // What cannot be read is something else.
                Err(_) => Difference::Files(vec!["all of it".to_owned()]),
            }
        });
        let action = self.action(found, difference, report)?;
        if self.options.fuse.dry_run {
            return Ok(done(action));
        }
        let metadata = chart.metadata_json();
        match (action, &there) {
            (Action::Unchanged | Action::Skipped, Some(there)) => {
                self.repository.list(name, version, there, &metadata)?;
            }
            _ => {
                let packed = chart.packed()?;
                let overwrite = action == Action::Replaced;
                self.repository
                    .publish(name, version, &packed, &metadata, overwrite)?;
            }
        }
        Ok(done(action))
    }

    /// What happens to a chart that differs by `difference` from the one that is there, if any is.
    fn action(
        &self,
        found: &Found<'_>,
        difference: Option<Difference>,
        report: &mut Report,
    ) -> Result<Action> {
        let policy = self.options.charts.on_existing;
        let files = match difference {
            None => return Ok(Action::Created),
            Some(Difference::None) => return Ok(Action::Unchanged),
            Some(Difference::Pins) if policy != OnChart::Error => return Ok(Action::Replaced),
            Some(Difference::Pins) => vec!["digests in its values".to_owned()],
            Some(Difference::Files(files)) => files,
        };
        match policy {
            OnChart::Replace => Ok(Action::Replaced),
            OnChart::Error => Err(exists(found, &files)),
            OnChart::Keep => {
                report.warnings.push(warning(
                    "chart-differs",
                    format!(
                        "the repository has another chart {}, which stays: {} differ; \
                         `--on-existing-chart replace` puts this one in its place",
                        found.label(),
                        few(&files)
                    ),
                ));
                Ok(Action::Skipped)
            }
        }
    }
}

fn exists(found: &Found<'_>, files: &[String]) -> Error {
    let message = format!(
        "the repository has another chart {}: {} differ",
        found.label(),
        few(files)
    );
    Error::new(ErrorKind::DestinationExists, message)
        .hint("add `--on-existing-chart replace`, or `keep`")
}

/// The first of `files`, for people.
fn few(files: &[String]) -> String {
    const MOST: usize = 5;
    let mut text = files[..files.len().min(MOST)].join(", ");
    if files.len() > MOST {
        text.push_str(&format!(" and {} more", files.len() - MOST));
    }
    text
}

fn warning(code: &'static str, message: String) -> Warning {
    Warning {
        reference: None,
        code,
        message,
    }
}
