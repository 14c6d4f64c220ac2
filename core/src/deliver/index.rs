//! `index create`: one index out of images that are there, over registries and layouts.

use super::push;
use super::target::Target;
use super::{DeliverOptions, verb};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::options::Only;
use crate::fuse::{self, Failure, OnExisting};
use crate::location::{Location, Transport};
use crate::oci::{Platform, Reference};
use crate::progress::{Sink, Stop};
use crate::report::Report;
use crate::settings::{has_user, user_in_name};

/// Makes `target` an index over the images of all `sources`, as `docker manifest create`,
/// `annotate` and `push` do in three steps: with
/// [`append`](DeliverOptions::append) besides what it leads to already, without
/// [`remove`](DeliverOptions::remove).
///
/// Names are references in registries (`harbor.local/t/app:1.5`), or locations with a prefix
/// (`oci:layout:harbor.local/t/app:1.5`). A source may say what it runs on:
/// `harbor.local/t/app-arm:1.5=linux/arm64/v8`. Children are brought into the target's repository
/// first.
pub fn index_create(
    target: &str,
    sources: &[&str],
    options: &DeliverOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Report, Failure> {
    let named = match Named::read(target, sources, options) {
        Ok(named) => named,
        Err(error) => return verb("index create", options, None, stop, |_, _| Err(error)),
    };
    let Named {
        target,
        reference,
        sources,
        options,
    } = named;
    if target.transport == Transport::Registry {
        let target = Target::of(&reference);
        return verb("index create", &options, sink, stop, |progress, report| {
            push::index(target, &sources, &options, progress, report)
        });
    }
    let mut outcome = fuse::fuse(&sources, Some(&target), &options.fuse, sink, stop);
    match &mut outcome {
        Ok(report) => report.command = "index create",
        Err(failure) => failure.report.command = "index create",
    }
    outcome
}

/// What was named, understood.
struct Named {
    target: Location,
    reference: Reference,
    sources: Vec<Location>,
    options: DeliverOptions,
}

impl Named {
    fn read(target: &str, sources: &[&str], options: &DeliverOptions) -> Result<Self> {
        let mut options = options.clone();
        let mut target = location(target)?;
        let reference = reference(&mut target)?;
        let (mut locations, mut platforms) = (Vec::new(), Vec::new());
        for source in sources {
            let (name, platform) = stated(source)?;
            locations.push(location(name)?);
            platforms.push(platform);
        }
        let removes = !options.remove.is_empty();
        let mut takes_off = false;
        if locations.is_empty() && !removes {
            return Err(Error::new(ErrorKind::Usage, "no image is named")
                .hint("name the images that the index is made of"));
        }
        if target.transport != Transport::Registry && locations.is_empty() {
            // The layout is its own source: what is there, without what is taken off.
            locations.push(Location {
                reference: Some(reference.to_string()),
                spelled: format!("oci:{}:{reference}", target.path.display()),
                ..target.clone()
            });
            takes_off = true;
        }
        options.append |= removes;
        options.fuse.on_existing = Some(match (options.append, &target.transport) {
            (false, Transport::Registry) => OnExisting::Replace,
            _ => OnExisting::Merge,
        });
        options.fuse.only = Some(Only {
            reference: reference.clone(),
            append: options.append,
            remove: options.remove.clone(),
            takes_off,
            platforms,
        });
        Ok(Self {
            target,
            reference,
            sources: locations,
            options,
        })
    }
}

/// The location that `name` is; without a prefix, a reference in a registry.
fn location(name: &str) -> Result<Location> {
    if Location::parse(name)?.transport == Transport::Auto && has_user(name) {
        return Err(user_in_name());
    }
    let parsed = Location::parse(name)?;
    match parsed.transport {
        Transport::Auto => {
            let reference: Reference = name.parse().map_err(|error: Error| {
                error.better_hint("a file or folder is named with its prefix: `oci:DIR:REFERENCE`")
            })?;
            Location::parse(format!("docker://{reference}"))
        }
        Transport::Standard => Err(Error::new(ErrorKind::Usage, "`-` is no reference")
            .hint("name an image in a registry, or `oci:DIR:REFERENCE`")),
        _ => Ok(parsed),
    }
}

/// The reference that `target` names; the target is then without it.
fn reference(target: &mut Location) -> Result<Reference> {
    let wrong = |message: &str, hint: &str| {
        Err(Error::new(ErrorKind::Usage, message)
            .path(&target.path)
            .hint(hint))
    };
    if let Some(name) = target.in_registry() {
        let reference: Reference = name.parse()?;
        return match reference.tag() {
            Some(_) if reference.digest().is_none() => Ok(reference),
            _ => wrong("an index is made under a tag", "leave the digest out"),
        };
    }
    if target.transport != Transport::OciLayout {
        return wrong(
            "an index is made in a registry or a layout",
            "name `HOST/REPOSITORY:TAG` or `oci:DIR:REFERENCE`",
        );
    }
    let Some(name) = target.reference.take() else {
        return wrong(
            "which image of the layout?",
            "name it: `oci:DIR:harbor.local/t/app:1.5`",
        );
    };
    name.parse()
}

/// A source, and the platform that it says: `NAME=PLATFORM`. The path of a layout may have an equals
/// sign of its own, the name of an image may not.
fn stated(source: &str) -> Result<(&str, Option<Platform>)> {
    let Some((name, platform)) = source.rsplit_once('=') else {
        return Ok((source, None));
    };
    let is_path = |name| {
        let transport = Location::parse(name).map(|location| location.transport);
        transport.is_ok_and(|kind| !matches!(kind, Transport::Auto | Transport::Registry))
    };
    match platform.parse() {
        Ok(platform) => Ok((name, Some(platform))),
        Err(_) if is_path(name) => Ok((source, None)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_names_are_references_in_registries() {
        let options = DeliverOptions::default();
        let sources = [
            "h.local/t/app-arm:1.5=linux/arm64/v8",
            "oci:dir:h.local/t/app:1",
        ];
        let named = Named::read("h.local/t/app:1.5", &sources, &options).expect("understood");
        assert_eq!(named.target.spelled, "docker://h.local/t/app:1.5");
        assert_eq!(named.sources[0].spelled, "docker://h.local/t/app-arm:1.5");
        assert_eq!(named.sources[1].transport, Transport::OciLayout);
        let only = named.options.fuse.only.as_ref().expect("one image");
        let platforms = only
            .platforms
            .iter()
            .map(|said| said.as_ref().map(ToString::to_string));
        let expected = [Some("linux/arm64".to_owned()), None];
        assert!(platforms.eq(expected), "{:?}", only.platforms);
        assert_eq!(named.options.fuse.on_existing, Some(OnExisting::Replace));
    }

    #[test]
    fn what_cannot_be_a_target_is_said() {
        for (target, sources) in [
            ("h.local/t/app@sha256:0", &["a:1"][..]),
            ("oci:dir", &["a:1"]),
            ("docker-archive:a.tar:b:1", &["a:1"]),
            ("h.local/t/app:1", &[]),
            ("-", &["a:1"]),
            ("h.local/t/app:1", &["a:1=linux/"]),
            ("h.local/t/app:1", &["me:s3cret@h.local/a:1"]),
            ("me:s3cret@h.local/t/app:1", &["a:1"]),
        ] {
            let named = Named::read(target, sources, &DeliverOptions::default());
            let error = named
                .err()
                .unwrap_or_else(|| panic!("{target} is no target"));
            assert_eq!(error.kind(), ErrorKind::Usage, "{target}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
