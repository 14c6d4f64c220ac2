//! What somebody should know about a plan: missing platforms, near misses, and the like.

use std::collections::{BTreeMap, BTreeSet};

use super::assemble::Assembled;
use super::input::Opened;
use super::plan::Plan;
use crate::oci::{MediaType, Platform};
use crate::registry::Client;
use crate::report::Warning;

fn warning(code: &'static str, reference: Option<&str>, message: String) -> Warning {
    Warning {
        reference: reference.map(str::to_owned),
        code,
        message,
    }
}

/// What there is to know about connections.
pub(crate) fn notices(client: &Client) -> Vec<Warning> {
    let notices = client.notices().into_iter();
    notices
        .map(|notice| warning(notice.code, None, notice.message))
        .collect()
}

/// Where a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A layout, or nowhere yet.
    Layout,
    /// An archive that docker loads from.
    Archive,
    /// A registry.
    Registry,
}

/// Every warning about `images`; sorted.
pub(crate) fn warnings(plans: &[Plan], place: Place) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let images: Vec<&Assembled> = plans.iter().flat_map(|plan| &plan.images).collect();
    let images = &images[..];
    missing_platforms(images, &mut warnings);
    for plan in plans {
        near_misses(&plan.images, &mut warnings);
    }
    mismatches(images, &mut warnings);
    for image in images {
        merges(image, &mut warnings);
        if place != Place::Registry {
            docker_list(image, &mut warnings);
        }
        partial(image, &mut warnings);
    }
    if place == Place::Archive {
        docker_platform(images, &mut warnings);
    }
    warnings.sort();
    warnings.dedup();
    warnings
}

/// Files of packages whose checksums were not looked at.
pub(super) fn unchecked(sources: &[Opened]) -> Vec<Warning> {
    let of = |source: &Opened| -> Vec<Warning> {
        let (spelled, names) = (
            &source.source.location.spelled,
            &source.source.sums.unchecked,
        );
        let message = |name: &String| {
            format!(
                "the checksum of `{spelled}` › `{name}` comes behind it in a stream, which cannot \
                 be read again: name a file to have it checked"
            )
        };
        let messages = names.iter().map(message);
        messages
            .map(|message| warning("unchecked-checksum", None, message))
            .collect()
    };
    sources.iter().flat_map(of).collect()
}

fn platforms(image: &Assembled) -> BTreeSet<&Platform> {
    image
        .selected
        .variants
        .iter()
        .filter_map(|variant| variant.platform.as_ref())
        .collect()
}

fn list<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> String {
    platforms
        .into_iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Images that lack a platform which others of the run have.
fn missing_platforms(images: &[&Assembled], warnings: &mut Vec<Warning>) {
    let all: BTreeSet<&Platform> = images.iter().copied().flat_map(platforms).collect();
    for image in images {
        let has = platforms(image);
        let lacks: Vec<&Platform> = all.difference(&has).copied().collect();
        if !has.is_empty() && !lacks.is_empty() {
            let reference = image.selected.reference.to_string();
            let message = format!("{reference} has no {}", list(lacks));
            warnings.push(warning("missing-platform", Some(&reference), message));
        }
    }
}

/// Images of complementary platforms that differ only in where they are said to come from.
fn near_misses(images: &[Assembled], warnings: &mut Vec<Warning>) {
    let mut alike: BTreeMap<(String, Option<String>), Vec<&Assembled>> = BTreeMap::new();
    for image in images {
        let reference = &image.selected.reference;
        let key = (
            reference.last_component().to_owned(),
            reference.tag().map(str::to_owned),
        );
        alike.entry(key).or_default().push(image);
    }
    for group in alike.values() {
        for (at, one) in group.iter().enumerate() {
            for other in &group[at + 1..] {
                let (mine, theirs) = (platforms(one), platforms(other));
                if mine.is_empty() || theirs.is_empty() || !mine.is_disjoint(&theirs) {
                    continue;
                }
                let (one, other) = (&one.selected.reference, &other.selected.reference);
                // podman invents `localhost`; the other name is the real one.
                let (from, to) = if one.registry() == "localhost" {
                    (one, other)
                } else {
                    (other, one)
                };
                let name =
                    |r: &crate::oci::Reference| format!("{}/{}", r.registry(), r.repository());
                let message = format!(
                    "{one} ({}) and {other} ({}) may be one image: \
                     `--rename {}={}` would pair them",
                    list(mine),
                    list(theirs),
                    name(from),
                    name(to)
                );
                warnings.push(warning("near-miss", Some(&from.to_string()), message));
            }
        }
    }
}

/// Archives whose name says another architecture than their images do.
fn mismatches(images: &[&Assembled], warnings: &mut Vec<Warning>) {
    for image in images {
        for variant in &image.selected.variants {
            let (Some(platform), origin) = (&variant.platform, &variant.origin) else {
                continue;
            };
            if origin.is_destination || origin.platform.is_some() {
                continue;
            }
            let name = origin.path.file_name();
            let name = name
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if let Some(stated) = stated_architecture(&name)
                && stated != platform.architecture()
            {
                let reference = image.selected.reference.to_string();
                let message =
                    format!("`{name}` says {stated}, and its {reference} is for {platform}");
                warnings.push(warning("platform-mismatch", Some(&reference), message));
            }
        }
    }
}

/// The architecture that a file name states, if it states just one.
fn stated_architecture(name: &str) -> Option<&'static str> {
    let name = name
        .to_ascii_lowercase()
        .replace("x86_64", "amd64")
        .replace("x86-64", "amd64");
    let mut stated = BTreeSet::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        match word {
            "amd64" | "x64" => stated.insert("amd64"),
            "arm64" | "aarch64" | "arm64v8" => stated.insert("arm64"),
            "armv7" | "armhf" | "arm32v7" => stated.insert("arm"),
            "ppc64le" => stated.insert("ppc64le"),
            "s390x" => stated.insert("s390x"),
            "riscv64" => stated.insert("riscv64"),
            _ => false,
        };
    }
    if stated.len() == 1 {
        stated.pop_first()
    } else {
        None
    }
}

/// Merges that leave a build of another platform as it was.
fn merges(image: &Assembled, warnings: &mut Vec<Warning>) {
    let selected = &image.selected;
    if selected.retained.is_empty() || selected.replaced.is_empty() {
        return;
    }
    let reference = selected.reference.to_string();
    let message = format!(
        "{reference}: {} was replaced, {} stays an older build",
        list(selected.replaced.iter().flatten()),
        list(&selected.retained)
    );
    warnings.push(warning("mixed-generation", Some(&reference), message));
}

/// Manifest lists, which not every client finds in a layout or archive.
fn docker_list(image: &Assembled, warnings: &mut Vec<Warning>) {
    if image.root.media_type == MediaType::DOCKER_LIST {
        let reference = image.selected.reference.to_string();
        let message = format!(
            "{reference} leads to a Docker manifest list, which skopeo and umoci do not read from \
             a layout or archive; `--media-types oci` makes it an OCI index"
        );
        warnings.push(warning("docker-list", Some(&reference), message));
    }
}

/// Children that an index names and no source holds.
fn partial(image: &Assembled, warnings: &mut Vec<Warning>) {
    let absent = &image.selected.absent;
    if absent.is_empty() {
        return;
    }
    let platforms: BTreeSet<String> = absent
        .iter()
        .map(|child| {
            child
                .platform
                .as_ref()
                .map_or_else(|| "unknown".to_owned(), ToString::to_string)
        })
        .collect();
    let reference = image.selected.reference.to_string();
    let message = format!(
        "the index of {reference} names {} manifests that no source holds ({})",
        absent.len(),
        platforms.into_iter().collect::<Vec<_>>().join(", ")
    );
    warnings.push(warning("partial-archive", Some(&reference), message));
}

/// `docker load` of a graph driver daemon gets one platform, whatever its own is.
fn docker_platform(images: &[&Assembled], warnings: &mut Vec<Warning>) {
    let several = images
        .iter()
        .filter(|image| platforms(image).len() > 1)
        .count();
    if several > 0 {
        let message = format!(
            "`docker load` before Docker 28 gets one platform of each multi-platform image \
             ({several} here), whatever the host; choose it with `--docker-platform`"
        );
        warnings.push(warning("docker-platform", None, message));
    }
}

#[cfg(test)]
mod tests {
    use super::stated_architecture;

    #[test]
    fn file_names_state_architectures() {
        for (name, stated) in [
            (
                "addon-offline-full-package-v0.12.0-arm64.tar.gz",
                Some("arm64"),
            ),
            ("images_x86_64.tar", Some("amd64")),
            ("images-amd64-arm64.tar", None),
            ("charm64.tar", None),
            ("images.tar", None),
        ] {
            assert_eq!(stated_architecture(name), stated, "{name}");
        }
    }
}
