//! Upgrades that lose an architecture: a new tag lacks a platform that the version before it has.

use std::collections::BTreeSet;

use crate::chart::version::Version;
use crate::deliver::claim;
use crate::deliver::push::Push;
use crate::deliver::tag::held;
use crate::deliver::target::Target;
use crate::error::{ErrorKind, Result};
use crate::oci::{Platform, Reference};
use crate::registry;
use crate::report::{Action, Image, Warning};

/// Looks for them among the images that the run created tags for.
pub(super) fn look(push: &mut Push<'_>) -> Result<()> {
    let created = |image: &&Image| image.action == Action::Created && image.target.is_some();
    let images: Vec<Image> = push.report.images.iter().filter(created).cloned().collect();
    for image in images {
        let Some(target) = image.target.as_deref() else {
            continue;
        };
        let Ok(target) = target.parse::<Reference>() else {
            continue;
        };
        let (tag, had) = match before(push, &target) {
            Ok(Some(before)) => before,
            Ok(None) => continue,
            Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
            // All that was asked for is done; this is only to tell more.
            Err(error) => {
                tracing::info!("{target}: what it was before is not told: {error}");
                continue;
            }
        };
        let has: BTreeSet<&str> = image
            .platforms
            .iter()
            .map(|p| p.platform.as_str())
            .collect();
        let lost: Vec<String> = (had.iter())
            .map(ToString::to_string)
            .filter(|platform| !has.contains(platform.as_str()))
            .collect();
        if !lost.is_empty() {
            push.report.warnings.push(Warning {
                reference: Some(image.reference.clone()),
                code: "upgrade-lacks-platform",
                message: format!(
                    "{target} has no {}, which `{tag}` has: nodes of that kind cannot follow the \
                     upgrade until it is added",
                    lost.join(", ")
                ),
            });
        }
    }
    Ok(())
}

/// The version before `target` in its repository, and what it runs on.
fn before(push: &Push<'_>, target: &Reference) -> Result<Option<(String, Vec<Platform>)>> {
    let Some((new, version)) = target
        .tag()
        .and_then(|tag| Some((tag, Version::parse(tag)?)))
    else {
        return Ok(None);
    };
    let target = Target::of(target);
    let repository = target.repository(push.client);
    let tags = repository.tags()?;
    let older = (tags.into_iter())
        .filter(|tag| tag != new && !claim::names::is_claim(tag) && !registry::is_hold(tag))
        .filter_map(|tag| Version::parse(&tag).map(|version| (version, tag)))
        .filter(|(older, _)| *older < version)
        .max_by(|one, other| one.0.cmp(&other.0));
    let Some((_, older)) = older else {
        return Ok(None);
    };
    let Some(image) = registry::Image::open(repository, &older)? else {
        return Ok(None);
    };
    // What cannot be read there tells nothing.
    let Ok(held) = held(&image, &target) else {
        return Ok(None);
    };
    let platforms = held.flattened.variants.into_iter();
    let platforms = platforms.filter_map(|variant| variant.platform).collect();
    Ok(Some((older, platforms)))
}
