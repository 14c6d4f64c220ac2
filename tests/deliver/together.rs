//! Many writers of the same tags at once: with `--claim-tags` no platform is ever lost.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use fusion_fixtures::{Image, Platform};

use super::{Yard, children};
use crate::registry::docker::DockerRegistry;

/// Tags that are written at once.
const TAGS: usize = 20;

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

fn lost(to: &str, writers: usize) -> usize {
    let (host, prefix) = to.split_once('/').unwrap();
    let tags = 0..TAGS;
    tags.map(|tag| {
        let repository = format!("{prefix}/acme/app{}", tag % 4);
        let there = children(host, &repository, &tag.to_string()).len();
        writers.saturating_sub(there)
    })
    .sum()
}

#[test]
fn with_claims_no_platform_is_ever_lost() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let all = archives(&yard, 16);
    let mut platforms = 0;
    for at in 0..20 {
        // Two to sixteen of them; the larger crowds less often, for the machine's sake.
        let writers = [2, 3, 2, 4, 2, 3, 2, 6, 2, 3, 2, 4, 2, 3, 2, 8, 2, 3, 2, 16][at];
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
    let all = archives(&yard, 4);
    let (mut missing, mut platforms) = (0, 0);
    for at in 0..5 {
        let to = format!("{}/round{at}", registry.host());
        missing += round(&yard, &all, &to, &[]);
        platforms += all.len() * TAGS;
    }
    println!("{missing} of {platforms} platforms were lost without --claim-tags");
    // Each writer by itself, afterwards, mends it.
    let to = format!("{}/round0", registry.host());
    for archive in &all {
        round(&yard, std::slice::from_ref(archive), &to, &[]);
    }
    assert_eq!(lost(&to, all.len()), 0);
}
