//! Options by the names of the command line, without dashes: how C and other languages that pass
//! text set them.

use super::{DeliverOptions, visibility};
use crate::error::{Error, Result};
use crate::fuse::FuseOptions;
use crate::fuse::naming::pattern;
use crate::fuse::options::named::switch;
use crate::location::Location;

impl DeliverOptions {
    /// Every name that [`set`](Self::set) knows besides those of
    /// [`FuseOptions`](FuseOptions::NAMES).
    pub const NAMES: &'static [&'static str] = &[
        "append",
        "chart",
        "claim-tags",
        "clean-claims",
        "create-projects",
        "latest-version-only",
        "names",
        "on-existing-chart",
        "remove",
        "skip-images",
        "source",
        "values",
    ];

    /// Sets the option `name` (as on the command line, without dashes) to `value`. A repeatable
    /// option then has just this value; a switch takes `true` or `false`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "append" => self.append = switch(name, value)?,
            "claim-tags" => self.claim_tags = switch(name, value)?,
            "clean-claims" => self.clean_claims = switch(name, value)?,
            "create-projects" => self.create_projects = visibility(value)?,
            "latest-version-only" => self.charts.latest_only = switch(name, value)?,
            "names" => self.names = Some(value.parse()?),
            "on-existing-chart" => self.charts.on_existing = value.parse()?,
            "skip-images" => self.charts.skip_images = switch(name, value)?,
            "chart" | "remove" | "source" | "values" => {
                match name {
                    "chart" => self.charts.charts.clear(),
                    "remove" => self.remove.clear(),
                    "source" => self.charts.sources.clear(),
                    _ => self.charts.values.clear(),
                }
                self.add(name, value)?;
            }
            _ => return self.fuse.set(name, value).map_err(known),
        }
        Ok(())
    }

    /// Adds `value` to the repeatable option `name`.
    pub fn add(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "chart" => {
                pattern(value)?;
                self.charts.charts.push(value.to_owned());
                return Ok(());
            }
            "remove" => {
                for platform in value.split(',') {
                    self.remove.push(platform.parse()?);
                }
                return Ok(());
            }
            "source" => {
                self.charts.sources.push(Location::parse(value)?);
                return Ok(());
            }
            "values" => {
                self.charts.add_values(value);
                return Ok(());
            }
            _ => {}
        }
        if Self::NAMES.contains(&name) {
            let message = format!("`{name}` takes one value, it cannot be added to");
            return Err(Error::new(crate::error::ErrorKind::Usage, message).hint("set it instead"));
        }
        self.fuse.add(name, value).map_err(known)
    }
}

/// `error`, with every name that there is.
fn known(error: Error) -> Error {
    if !error.message().starts_with("there is no option") {
        return error;
    }
    let mut names = [FuseOptions::NAMES, DeliverOptions::NAMES].concat();
    names.sort_unstable();
    error.better_hint(format!("there are {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_no_other() {
        for name in DeliverOptions::NAMES.iter().chain(FuseOptions::NAMES) {
            let error = DeliverOptions::default().set(name, "\u{1}").err();
            let message = error
                .map(|error| error.message().to_owned())
                .unwrap_or_default();
            assert!(!message.contains("there is no option"), "{name}");
        }
        let error = DeliverOptions::default()
            .set("nope", "1")
            .expect_err("unknown");
        let hint = error.get_hint().unwrap_or_default().to_owned();
        assert!(
            hint.contains("claim-tags") && hint.contains("work-dir"),
            "{hint}"
        );
    }

    #[test]
    fn values_are_read() {
        let mut options = DeliverOptions::default();
        options.set("create-projects", "private").expect("set");
        options
            .add("remove", "linux/amd64,linux/arm64")
            .expect("set");
        options.set("image", "a*").expect("set");
        assert_eq!(options.remove.len(), 2);
        assert_eq!(options.fuse.images, ["a*"]);
        assert!(options.add("names", "last").is_err());
        assert!(options.set("create-projects", "maybe").is_err());
    }
}
