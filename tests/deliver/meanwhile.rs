//! What others do to a tag while a run sends its blobs, which may take hours.

use fusion_core::ErrorKind;
use serde_json::Value;

use super::{Yard, children, count, image, platforms, there};
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Barrier, Fault, Rule, When};
use crate::registry::proxy::Proxy;

const APP: &str = "docker.io/acme/app:1";
const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// Pushes amd64 with the options `chosen`; while its first blob is under way, somebody else pushes
/// arm64 from beginning to end. What the first run came to, and the digest that the other put under
/// the tag.
fn overtaken(
    registry: &DockerRegistry,
    project: &str,
    chosen: &[(&str, &str)],
) -> (Result<Value, fusion_core::Error>, String) {
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP], 4000);
    let barrier = Barrier::default();
    let wait = Fault::Wait(barrier.clone());
    let rule = Rule::new("PUT", "/v2/*/blobs/uploads/*", When::Nth(1), wait);
    let proxy = Proxy::start(registry.host(), vec![rule]);
    std::thread::scope(|scope| {
        let to = format!("{}/{project}", proxy.host());
        let first = scope.spawn(|| {
            let to = to;
            yard.try_push(&[&amd], &to, chosen)
        });
        barrier.reached();
        let others = Yard::new();
        let theirs = others.push(&[&arm], &format!("{}/{project}", registry.host()), chosen);
        barrier.open();
        let theirs = image(&theirs, "app:1")["digest"]
            .as_str()
            .unwrap()
            .to_owned();
        let first = first.join().unwrap();
        let first = first
            .map(|report| serde_json::from_str(&report.to_json()).unwrap())
            .map_err(|failure| failure.error);
        (first, theirs)
    })
}

#[test]
fn a_platform_that_others_pushed_meanwhile_stays() {
    let registry = DockerRegistry::open();
    for (project, claims) in [("plain", "false"), ("claimed", "true")] {
        let (report, theirs) = overtaken(&registry, project, &[("claim-tags", claims)]);
        let report = report.unwrap();
        let repository = format!("{project}/acme/app");
        assert_eq!(
            children(registry.host(), &repository, "1"),
            BOTH,
            "{project}"
        );
        let ours = image(&report, "app:1");
        assert_eq!(ours["action"], "merged", "{project}");
        assert_eq!(ours["previous_digest"], theirs, "{project}");
        assert_eq!(platforms(ours), BOTH, "{project}");
    }
}

#[test]
fn a_tag_that_came_meanwhile_is_treated_as_one_that_exists() {
    let registry = DockerRegistry::open();
    let under = |project: &str| {
        let there = there(registry.host(), &format!("{project}/acme/app"), "1");
        there.expect("a tag").0
    };
    let policy = |project: &str| overtaken(&registry, project, &[("on-existing", project)]);

    let (error, theirs) = policy("error");
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestinationExists, "{error}");
    assert_eq!(under("error"), theirs);

    let (report, theirs) = policy("skip");
    assert_eq!(image(&report.unwrap(), "app:1")["action"], "skipped");
    assert_eq!(under("skip"), theirs);

    let (report, theirs) = policy("replace");
    let report = report.unwrap();
    assert_eq!(image(&report, "app:1")["previous_digest"], theirs);
    let told = report["warnings"].to_string();
    assert!(told.contains("no longer has linux/arm64"), "{told}");
    assert_eq!(count(registry.host(), "replace/acme/app", "1"), 1);
}
