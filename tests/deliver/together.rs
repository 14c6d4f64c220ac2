//! Many writers of the same tags at once: with `--claim-tags` no platform is ever lost.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use fusion_fixtures::{Image, Platform};

use super::{Yard, listed, there};
use crate::registry::docker::DockerRegistry;

/// Tags that are written at once.
const TAGS: usize = 20;

/// How often the loss is measured; `FUSION_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

/// Architectures of the writers: real ones and made-up ones.
fn architectures(count: usize) -> Vec<Platform> {
    let mut all = vec![Platform::amd64(), Platform::arm64()];
    all.extend((2..count).map(|at| Platform::linux("arm").with_variant(&format!("x{at}"))));
    all.truncate(count);
    all
}

/// One archive for each writer, of all references.
fn archives(yard: &Yard, writers: usize) -> Vec<PathBuf> {
    let of = |platform: &Platform| -> Vec<Image> {
        (0..TAGS)
            .map(|tag| Yard::image(&format!("docker.io/acme/app{}:{tag}", tag % 4), platform, 1))
            .collect()
    };
    let platforms = architectures(writers);
    let numbered = platforms.iter().enumerate();
    numbered
        .map(|(at, platform)| yard.archive(&format!("w{at}.tar"), &of(platform)))
        .collect()
}

/// Pushes every archive in a process of its own, all at once; returns how many platforms the tags
/// lack afterwards.
fn round(yard: &Yard, archives: &[PathBuf], to: &str, flags: &[&str]) -> usize {
    let start = |archive: &PathBuf| -> Child {
        let words = ["push", archive.to_str().unwrap(), "--to", to, "--jobs", "2"];
        let mut command = yard.fusion(&words);
        command
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<Child> = archives.iter().map(start).collect();
    for child in children {
        let ran = child.wait_with_output().unwrap();
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    lost(to, archives.len())
}

/// How many of the platforms that so many writers brought the tags do not lead to.
fn lost(to: &str, writers: usize) -> usize {
    let (host, prefix) = to.split_once('/').unwrap();
    let brought = architectures(writers);
    let brought: Vec<String> = brought.iter().map(ToString::to_string).collect();
    let lacks = |tag: usize| {
        let (_, root) = there(
            host,
            &format!("{prefix}/acme/app{}", tag % 4),
            &tag.to_string(),
        )
        .expect("a tag");
        // A manifest by itself is the one that came first; of whom, it does not say.
        let Some(_) = root["manifests"].as_array() else {
            return writers - 1;
        };
        let there = listed(&root);
        brought.iter().filter(|one| !there.contains(one)).count()
    };
    (0..TAGS).map(lacks).sum()
}

#[test]
fn with_claims_no_platform_is_ever_lost() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let all = archives(&yard, 16);
    let mut platforms = 0;
    // Two to sixteen of them, the fewest once more.
    for (at, writers) in (2..=16).chain([2, 2, 3, 3, 4]).enumerate() {
        let to = format!("{}/round{at}", registry.host());
        let lost = round(&yard, &all[..writers], &to, &["--claim-tags"]);
        assert_eq!(lost, 0, "round {at}, {writers} writers");
        platforms += writers * TAGS;
    }
    println!("none of {platforms} platforms was lost with --claim-tags");
}

#[test]
fn without_claims_the_loss_is_measured() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let all = archives(&yard, 8);
    let rounds = std::env::var("FUSION_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    for writers in [2, 4, 8] {
        let (mut missing, mut platforms) = (0, 0);
        for at in 0..rounds {
            let to = format!("{}/round{writers}-{at}", registry.host());
            missing += round(&yard, &all[..writers], &to, &[]);
            platforms += writers * TAGS;
        }
        println!(
            "{missing} of {platforms} platforms of {writers} writers were lost without --claim-tags"
        );
    }
    // Each writer by itself, afterwards, mends it.
    let to = format!("{}/round8-0", registry.host());
    for archive in &all {
        round(&yard, std::slice::from_ref(archive), &to, &[]);
    }
    assert_eq!(lost(&to, all.len()), 0);
}
