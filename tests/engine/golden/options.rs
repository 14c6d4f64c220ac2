//! Options of the command line as the library takes them.

use fusion_core::deliver::DeliverOptions;
use fusion_core::oci::Platform;

/// The options of a case, each with its value if it has one.
pub(super) fn parse(given: &[(&str, Option<String>)]) -> DeliverOptions {
    let mut chosen = DeliverOptions::default();
    let options = &mut chosen.fuse;
    let pair = |value: &str| {
        let (one, other) = value.split_once('=').unwrap();
        (one.to_owned(), other.to_owned())
    };
    let platform = |value: &str| value.parse::<Platform>().unwrap();
    for (name, value) in given {
        let value = value.as_deref().unwrap_or_default();
        match *name {
            "format" => options.format = Some(value.parse().unwrap()),
            "platform" => options.platforms.push(platform(value)),
            "require-platform" => options.require_platforms.push(platform(value)),
            "image" => options.images.push(value.to_owned()),
            "exclude" => options.exclude.push(value.to_owned()),
            "on-conflict" => options.on_conflict = value.parse().unwrap(),
            "on-file-conflict" => options.on_file_conflict = value.parse().unwrap(),
            "on-existing" => options.on_existing = Some(value.parse().unwrap()),
            "source-platform" => {
                let (path, name) = pair(value);
                options
                    .source_platforms
                    .push((path.into(), platform(&name)));
            }
            "name" => options.name = Some(value.to_owned()),
            "strip-arch-suffix" => options.strip_arch_suffix = true,
            "rename" => options.rename.push(pair(value)),
            "compression" => options.compression = value.parse().unwrap(),
            "media-types" => options.media_types = value.parse().unwrap(),
            "docker-platform" => options.docker_platform = Some(platform(value)),
            "verify" => options.verify = value.parse().unwrap(),
            "annotation" => options.annotations.extend([pair(value)]),
            "durability" => options.durability = value.parse().unwrap(),
            "jobs" => options.jobs = Some(value.parse().unwrap()),
            "dry-run" => options.dry_run = true,
            "keep-going" => options.keep_going = true,
            "names" => chosen.names = Some(value.parse().unwrap()),
            "append" => chosen.append = true,
            "claim-tags" => chosen.claim_tags = true,
            "remove" => chosen.remove.push(platform(value)),
            "chart" => chosen.charts.charts.push(value.to_owned()),
            "skip-images" => chosen.charts.skip_images = true,
            "latest-version-only" => chosen.charts.latest_only = true,
            "on-existing-chart" => chosen.charts.on_existing = value.parse().unwrap(),
            "values" => chosen.charts.values.push((None, value.into())),
            name => panic!("no option {name}"),
        }
    }
    chosen
}
