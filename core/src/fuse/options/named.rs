//! Options by the names of the command line, without dashes: how C and other languages that pass
//! text set them.

use std::path::PathBuf;

use super::FuseOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::naming::pattern;
use crate::oci::{Platform, Reference};
use crate::registry::Secret;

/// What setting an option does.
enum Effect<'a> {
    /// It has one value.
    One(&'a mut dyn FnMut(&mut FuseOptions, &str) -> Result<()>),
    /// It is repeatable: how to empty it, and how to add to it.
    Many(
        fn(&mut FuseOptions),
        fn(&mut FuseOptions, &str) -> Result<()>,
    ),
}

impl FuseOptions {
    /// Every name that [`set`](Self::set) knows.
    pub const NAMES: &'static [&'static str] = &[
        "annotation",
        "clean",
        "compression",
        "docker-platform",
        "dry-run",
        "durability",
        "exclude",
        "format",
        "image",
        "insecure",
        "jobs",
        "keep-going",
        "media-types",
        "name",
        "on-conflict",
        "on-existing",
        "on-file-conflict",
        "password",
        "plain-http",
        "platform",
        "rename",
        "require-platform",
        "retries",
        "source-platform",
        "strip-arch-suffix",
        "tls-ca",
        "username",
        "verify",
        "work-dir",
    ];

    /// Sets the option `name` (as on the command line, without dashes) to `value`. A repeatable
    /// option then has just this value; a switch takes `true` or `false`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.apply(name, value, false)
    }

    /// Adds `value` to the repeatable option `name`.
    pub fn add(&mut self, name: &str, value: &str) -> Result<()> {
        self.apply(name, value, true)
    }

    fn apply(&mut self, name: &str, value: &str, add: bool) -> Result<()> {
        let mut one = |options: &mut Self, value: &str| -> Result<()> {
            match name {
                "clean" => options.clean = switch(name, value)?,
                "compression" => options.compression = value.parse()?,
                "docker-platform" => options.docker_platform = Some(value.parse()?),
                "dry-run" => options.dry_run = switch(name, value)?,
                "durability" => options.durability = value.parse()?,
                "format" => options.format = Some(value.parse()?),
                "insecure" => options.connect.access.insecure = switch(name, value)?,
                "jobs" => options.jobs = Some(jobs(value)?),
                "keep-going" => options.keep_going = switch(name, value)?,
                "media-types" => options.media_types = value.parse()?,
                "name" => options.name = Some(name_of(value)?),
                "on-conflict" => options.on_conflict = value.parse()?,
                "on-existing" => options.on_existing = Some(value.parse()?),
                "on-file-conflict" => options.on_file_conflict = value.parse()?,
                "password" => options.connect.access.password = Some(Secret::new(value)),
                "plain-http" => options.connect.access.plain_http = switch(name, value)?,
                "retries" => options.connect.access.retries = retries(value)?,
                "strip-arch-suffix" => options.strip_arch_suffix = switch(name, value)?,
                "tls-ca" => options.connect.access.tls_ca = Some(file(value)?),
                "username" => options.connect.access.username = Some(value.to_owned()),
                "verify" => options.verify = value.parse()?,
                "work-dir" => options.work_dir = Some(folder(value)?),
                _ => return Err(unknown(name)),
            }
            Ok(())
        };
        let effect = match name {
            "annotation" => Effect::Many(
                |options| options.annotations.clear(),
                |options, value| {
                    let (key, value) = pair("annotation", "KEY=VALUE", value)?;
                    options.annotations.insert(key, value);
                    Ok(())
                },
            ),
            "exclude" => Effect::Many(
                |options| options.exclude.clear(),
                |options, value| {
                    pattern(value)?;
                    options.exclude.push(value.to_owned());
                    Ok(())
                },
            ),
            "image" => Effect::Many(
                |options| options.images.clear(),
                |options, value| {
                    pattern(value)?;
                    options.images.push(value.to_owned());
                    Ok(())
                },
            ),
            "platform" => Effect::Many(
                |options| options.platforms.clear(),
                |options, value| platforms(&mut options.platforms, value),
            ),
            "rename" => Effect::Many(
                |options| options.rename.clear(),
                |options, value| {
                    options.rename.push(pair("rename", "FROM=TO", value)?);
                    Ok(())
                },
            ),
            "require-platform" => Effect::Many(
                |options| options.require_platforms.clear(),
                |options, value| platforms(&mut options.require_platforms, value),
            ),
            "source-platform" => Effect::Many(
                |options| options.source_platforms.clear(),
                |options, value| {
                    let wrong = || malformed("source-platform", "PATH=PLATFORM", value);
                    // A path may have an equals sign in it, a platform may not.
                    let (path, platform) = value.rsplit_once('=').ok_or_else(wrong)?;
                    options
                        .source_platforms
                        .push((PathBuf::from(path), platform.parse()?));
                    Ok(())
                },
            ),
            _ => Effect::One(&mut one),
        };
        match effect {
            Effect::One(_) if add => {
                let message = format!("`{name}` takes one value, it cannot be added to");
                Err(Error::new(ErrorKind::Usage, message).hint("set it instead"))
            }
            Effect::One(set) => set(self, value),
            Effect::Many(clear, push) => {
                if !add {
                    clear(self);
                }
                push(self, value)
            }
        }
    }
}

pub(crate) fn switch(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => {
            let message = format!("`{name}` is `true` or `false`, not `{value}`");
            Err(Error::new(ErrorKind::Usage, message))
        }
    }
}

fn jobs(value: &str) -> Result<usize> {
    match value.parse() {
        Ok(jobs) if jobs > 0 => Ok(jobs),
        _ => {
            let message = format!("`jobs` is a number of threads from 1 on, not `{value}`");
            Err(Error::new(ErrorKind::Usage, message))
        }
    }
}

fn retries(value: &str) -> Result<u32> {
    value.parse().map_err(|_| {
        let message = format!("`retries` is a number from 0 on, not `{value}`");
        Error::new(ErrorKind::Usage, message)
    })
}

fn file(value: &str) -> Result<PathBuf> {
    match value {
        "" => Err(Error::new(ErrorKind::Usage, "`tls-ca` needs a value")),
        _ => Ok(PathBuf::from(value)),
    }
}

fn name_of(value: &str) -> Result<String> {
    value.parse::<Reference>()?;
    Ok(value.to_owned())
}

fn folder(value: &str) -> Result<PathBuf> {
    match value {
        "" => Err(Error::new(ErrorKind::Usage, "`work-dir` needs a value")),
        _ => Ok(PathBuf::from(value)),
    }
}

fn pair(name: &str, shape: &str, value: &str) -> Result<(String, String)> {
    match value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(malformed(name, shape, value)),
    }
}

fn malformed(name: &str, shape: &str, value: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("`{name}` is written `{shape}`, not `{value}`"),
    )
}

fn platforms(list: &mut Vec<Platform>, value: &str) -> Result<()> {
    for platform in value.split(',') {
        list.push(platform.parse()?);
    }
    Ok(())
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(100).collect();
    Error::new(ErrorKind::Usage, format!("there is no option `{shown}`"))
        .hint(format!("there are {}", FuseOptions::NAMES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_no_other() {
        for name in FuseOptions::NAMES {
            let error = FuseOptions::default().set(name, "\u{1}").err();
            let message = error
                .map(|error| error.message().to_owned())
                .unwrap_or_default();
            assert!(!message.contains("there is no option"), "{name}");
        }
        assert!(FuseOptions::default().set("nope", "1").is_err());
    }

    #[test]
    fn what_makes_no_sense_is_said_at_once() {
        for (name, value) in [
            ("name", "A"),
            ("image", "["),
            ("exclude", "[a"),
            ("work-dir", ""),
            ("dry-run", ""),
        ] {
            let error = FuseOptions::default().set(name, value).err();
            assert_eq!(error.map(|e| e.kind()), Some(ErrorKind::Usage), "{name}");
        }
    }

    #[test]
    fn repeatable_options_add_up_and_are_replaced() {
        let mut options = FuseOptions::default();
        options.add("image", "a*").expect("set");
        options.add("image", "b*").expect("set");
        assert_eq!(options.images, ["a*", "b*"]);
        options.set("image", "c*").expect("set");
        assert_eq!(options.images, ["c*"]);
        options
            .add("source-platform", "a=b.tar=linux/arm64")
            .expect("set");
        assert_eq!(options.source_platforms[0].0, PathBuf::from("a=b.tar"));
        assert!(options.add("verify", "full").is_err());
        assert!(options.set("jobs", "0").is_err() && options.set("jobs", "-1").is_err());
    }
}
