//! Which charts are taken, and whether with their images.

use crate::deliver::ChartOptions;
use crate::error::{Error, ErrorKind, Result};

/// A chart that a configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChartChoice {
    pub(crate) name: String,
    /// All if empty.
    pub(crate) versions: Vec<String>,
    pub(crate) skip_images: bool,
}

/// Which charts are taken.
pub(super) struct Choice<'a> {
    /// What the configuration asks for; all if empty.
    pub(super) charts: &'a [ChartChoice],
    /// What it leaves out.
    pub(super) skipped: &'a [String],
    /// What the caller says.
    pub(super) options: &'a ChartOptions,
}

impl Choice<'_> {
    /// Whether every chart is taken, with its images.
    pub(super) fn is_all(&self) -> bool {
        self.charts.is_empty()
            && self.skipped.is_empty()
            && self.options.charts.is_empty()
            && !self.options.skip_images
            && !self.options.latest_only
    }

    /// Whether only the latest version of each is.
    pub(super) const fn latest_only(&self) -> bool {
        self.options.latest_only
    }

    /// Whether this chart is taken, and then whether with its images.
    pub(super) fn takes(&self, name: &str, version: &str) -> Result<Option<bool>> {
        if self.skipped.iter().any(|skipped| skipped == name)
            || !self.options.chooses(name, version)?
        {
            return Ok(None);
        }
        let asked = self.charts.iter().find(|chart| chart.asks(name, version));
        if asked.is_none() && !self.charts.is_empty() {
            return Ok(None);
        }
        let skip = asked.is_some_and(|chart| chart.skip_images) || self.options.skip_images;
        Ok(Some(!skip))
    }

    /// That the configuration asks for no chart that is not among the `found`.
    pub(super) fn complete<'s>(
        &self,
        found: impl Iterator<Item = &'s (String, String)> + Clone,
    ) -> Result<()> {
        let mut missing = Vec::new();
        for chart in self.charts {
            if chart.versions.is_empty() && !found.clone().any(|(name, _)| *name == chart.name) {
                missing.push(chart.name.clone());
            }
            for version in &chart.versions {
                if !found
                    .clone()
                    .any(|known| known.0 == chart.name && known.1 == *version)
                {
                    missing.push(format!("{} {version}", chart.name));
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let have: Vec<String> = found
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let message = format!("no bundle holds {}", missing.join(", "));
        Err(
            Error::new(ErrorKind::NothingSelected, message).hint(match have.is_empty() {
                true => "the sources hold no chart at all".to_owned(),
                false => format!("there are {}", have.join(", ")),
            }),
        )
    }
}

impl ChartChoice {
    fn asks(&self, name: &str, version: &str) -> bool {
        self.name == name
            && (self.versions.is_empty() || self.versions.iter().any(|asked| asked == version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, versions: &[&str], skip_images: bool) -> ChartChoice {
        ChartChoice {
            name: name.to_owned(),
            versions: versions
                .iter()
                .map(|version| (*version).to_owned())
                .collect(),
            skip_images,
        }
    }

    #[test]
    fn what_is_asked_for_is_taken() {
        let charts = [asked("a", &["1.0"], false), asked("b", &[], true)];
        let options = ChartOptions::default();
        let choice = Choice {
            charts: &charts,
            skipped: &[],
            options: &options,
        };
        assert_eq!(choice.takes("a", "1.0").expect("known"), Some(true));
        assert_eq!(choice.takes("a", "2.0").expect("known"), None);
        assert_eq!(choice.takes("b", "7").expect("known"), Some(false));
        assert_eq!(choice.takes("c", "1").expect("known"), None);
        let found = [
            ("a".to_owned(), "2.0".to_owned()),
            ("b".to_owned(), "7".to_owned()),
        ];
        let error = choice.complete(found.iter()).expect_err("one is missing");
        assert!(error.message().contains("a 1.0"), "{}", error.message());
        assert!(error.get_hint().is_some_and(|hint| hint.contains("a 2.0")));
    }

    #[test]
    fn what_is_skipped_is_not() {
        let skipped = ["a".to_owned()];
        let options = ChartOptions {
            charts: vec!["b@1.*".to_owned(), "c*".to_owned(), "a".to_owned()],
            ..ChartOptions::default()
        };
        let choice = Choice {
            charts: &[],
            skipped: &skipped,
            options: &options,
        };
        assert_eq!(choice.takes("a", "1").expect("known"), None);
        assert_eq!(choice.takes("b", "1.5").expect("known"), Some(true));
        assert_eq!(choice.takes("b", "2.5").expect("known"), None);
        assert_eq!(choice.takes("cc", "2").expect("known"), Some(true));
        assert!(!choice.is_all());
    }
}
