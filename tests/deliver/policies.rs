//! What becomes of tags that exist.

use fusion_core::ErrorKind;

use super::{Yard, amd64, arm64, children, image, platforms, there};
use crate::registry::client::Client;
use crate::registry::distribution;
use crate::registry::docker::{DockerRegistry, Options};
use crate::registry::uploads::Uploads;

const APP: &str = "docker.io/acme/app:1";

/// Makes of each of these a test on Debian's registry, one on distribution 3, and one on zot.
macro_rules! on_each_registry {
    ($($case:ident)*) => {
        mod debian {
            $(#[test]
            fn $case() {
                super::$case(&super::DockerRegistry::start(&super::options()));
            })*
        }

        mod distribution_3 {
            $(#[test]
            fn $case() {
                if let Some(registry) = crate::registry::distribution::start(&super::options()) {
                    super::$case(&registry);
                }
            })*
        }

        mod zot {
            $(#[test]
            fn $case() {
                if let Some(registry) = crate::registry::zot::start(&super::options()) {
                    super::$case(&registry);
                }
            })*
        }
    };
}

on_each_registry! {
    nothing_to_do_sends_nothing
    each_policy_does_what_it_says
    a_plan_says_what_would_be_sent_and_sends_nothing
    two_images_on_one_name_are_found_before_anything_is_sent
    each_blob_is_uploaded_once_and_shared
    a_platform_that_the_registry_lost_is_not_dropped_in_silence
}

fn options() -> Options {
    Options {
        delete: true,
        ..Options::default()
    }
}

#[test]
fn the_second_architecture_joins_the_first() {
    joins(&DockerRegistry::open());
}

#[test]
fn the_second_architecture_joins_the_first_on_distribution_3() {
    if let Some(registry) = distribution::open() {
        joins(&registry);
    }
}

/// zot before 2 lets no tag change from a manifest to an index.
#[test]
fn a_tag_that_may_not_grow_stays_and_the_error_says_what_to_do() {
    let Some(registry) = crate::registry::zot::open() else {
        return;
    };
    let (yard, host) = (Yard::new(), registry.host());
    let [amd, arm] = yard.pair(&[APP], 4000);
    let to = format!("{host}/p");
    let first = yard.push(&[&amd], &to, &[]);
    for types in ["keep", "auto"] {
        let failure = yard.try_push(&[&arm], &to, &[("media-types", types)]);
        let error = failure.unwrap_err().error;
        assert_eq!(error.kind(), ErrorKind::Registry, "{types}: {error:?}");
        let hint = error.get_hint().unwrap_or_default();
        assert!(hint.contains("under another tag"), "{types}: {error:?}");
        let (digest, _) = there(host, "p/acme/app", "1").unwrap();
        assert_eq!(image(&first, "app:1")["digest"], digest);
        let list = Client::new(host)
            .ask("GET", "/v2/p/acme/app/tags/list")
            .json();
        assert_eq!(list["tags"], serde_json::json!(["1"]), "{types}");
    }
    // As it says. An index stays one, and grows.
    let next = "docker.io/acme/app:2";
    let [amd, arm] = yard.pair(&[next], 4000);
    yard.push(&[&amd, &arm], &to, &[]);
    let riscv: fusion_fixtures::Platform = "linux/riscv64".parse().unwrap();
    let third = yard.archive("c.tar", &[Yard::image(next, &riscv, 3)]);
    yard.push(&[&third], &to, &[]);
    let platforms = children(host, "p/acme/app", "2");
    assert_eq!(platforms, ["linux/amd64", "linux/arm64", "linux/riscv64"]);
}

fn joins(registry: &DockerRegistry) {
    let yard = Yard::new();
    let host = registry.host();
    let [amd, arm] = yard.pair(&[APP, "ghcr.io/x/tool:2"], 4000);
    let first = yard.push(&[&amd], &format!("{host}/p"), &[]);
    let app = image(&first, "/p/acme/app:1");
    assert_eq!(
        (&app["action"], platforms(app)),
        (&"created".into(), vec!["linux/amd64"])
    );
    // One platform is that manifest itself.
    let (digest, manifest) = there(host, "p/acme/app", "1").unwrap();
    assert!(manifest["layers"].is_array() && app["digest"] == digest);

    let second = yard.push(&[&arm], &format!("{host}/p"), &[]);
    let app = image(&second, "/p/acme/app:1");
    assert_eq!(app["action"], "merged");
    assert_eq!(app["previous_digest"], digest);
    assert_eq!(platforms(app), ["linux/amd64", "linux/arm64"]);
    assert_eq!(
        children(host, "p/acme/app", "1"),
        ["linux/amd64", "linux/arm64"]
    );

    // Both at once give the same index as one after the other, in whatever order.
    let both = yard.push(&[&arm, &amd], &format!("{host}/q"), &[]);
    assert_eq!(image(&both, "/q/acme/app:1")["digest"], app["digest"]);
}

fn nothing_to_do_sends_nothing(registry: &DockerRegistry) {
    let yard = Yard::new();
    let to = format!("{}/p", registry.host());
    let [amd, arm] = yard.pair(&[APP, "ghcr.io/x/tool:2"], 4000);
    yard.push(&[&amd, &arm], &to, &[]);
    let before = registry.requests().len();
    let again = yard.push(&[&amd, &arm], &to, &[]);
    assert_eq!(image(&again, "app:1")["action"], "unchanged");
    assert_eq!(again["bytes"]["uploaded"], 0);
    let asked: Vec<String> = registry.requests()[before..]
        .iter()
        .map(|line| line.method.clone())
        .collect();
    assert!(
        asked
            .iter()
            .all(|method| method == "GET" || method == "HEAD"),
        "{asked:?}"
    );
    // One that the tag has already, among others.
    let part = yard.push(&[&amd], &to, &[]);
    assert_eq!(image(&part, "app:1")["action"], "unchanged");
    assert_eq!(
        platforms(image(&part, "app:1")),
        ["linux/amd64", "linux/arm64"]
    );
}

fn each_policy_does_what_it_says(registry: &DockerRegistry) {
    let yard = Yard::new();
    let host = registry.host();
    let to = format!("{host}/p");
    let both = [Yard::image(APP, &amd64(), 1), Yard::image(APP, &arm64(), 1)];
    let old = [
        yard.archive("o1.tar", &both[..1]),
        yard.archive("o2.tar", &both[1..]),
    ];
    let new = yard.archive("new.tar", &[Yard::image(APP, &amd64(), 2)]);
    yard.push(&[&old[0], &old[1]], &to, &[]);
    let (before, _) = there(host, "p/acme/app", "1").unwrap();

    let failure = yard
        .try_push(&[&new], &to, &[("on-existing", "error")])
        .unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::DestinationExists);
    assert_eq!(there(host, "p/acme/app", "1").unwrap().0, before);

    let skipped = yard.push(&[&new], &to, &[("on-existing", "skip")]);
    let app = image(&skipped, "app:1");
    assert_eq!(
        (&app["action"], &app["digest"]),
        (&"skipped".into(), &before.clone().into())
    );
    assert_eq!(skipped["bytes"]["uploaded"], 0);
    assert_eq!(there(host, "p/acme/app", "1").unwrap().0, before);

    let merged = yard.push(&[&new], &to, &[]);
    let app = image(&merged, "app:1");
    assert_eq!(app["action"], "replaced");
    assert_eq!(app["previous_digest"], before);
    assert_eq!(
        children(host, "p/acme/app", "1"),
        ["linux/amd64", "linux/arm64"]
    );
    let codes: Vec<&str> = merged["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"mixed-generation"), "{codes:?}");

    // The index is there: it stays an index, of one.
    let replaced = yard.push(&[&new], &to, &[("on-existing", "replace")]);
    assert_eq!(image(&replaced, "app:1")["action"], "replaced");
    assert_eq!(children(host, "p/acme/app", "1"), ["linux/amd64"]);
    let told = replaced["warnings"].as_array().unwrap().iter();
    let dropped = told.filter(|warning| warning["code"] == "platform-replaced");
    let message = dropped
        .map(|warning| warning["message"].to_string())
        .collect::<String>();
    assert!(message.contains("linux/arm64"), "{message}");
}

fn a_plan_says_what_would_be_sent_and_sends_nothing(registry: &DockerRegistry) {
    let yard = Yard::new();
    let to = format!("{}/p", registry.host());
    let [amd, arm] = yard.pair(&[APP, "ghcr.io/x/tool:2"], 4000);
    let plan = yard.push(&[&amd, &arm], &to, &[("dry-run", "true")]);
    assert_eq!(registry.uploads(), Uploads::default());
    assert_eq!(image(&plan, "app:1")["action"], "created");
    let done = yard.push(&[&amd, &arm], &to, &[]);
    assert_eq!(plan["blobs"], done["blobs"]);
    assert_eq!(plan["bytes"]["uploaded"], done["bytes"]["uploaded"]);
    assert!(plan["blobs"]["mounted"].as_u64().unwrap() > 0);
    let later = yard.push(&[&amd, &arm], &to, &[("dry-run", "true")]);
    assert_eq!(later["bytes"]["uploaded"], 0);
}

fn two_images_on_one_name_are_found_before_anything_is_sent(registry: &DockerRegistry) {
    let yard = Yard::new();
    let [amd, _] = yard.pair(&["ghcr.io/a/app:1", "quay.io/b/app:1"], 2000);
    let to = format!("{}/p", registry.host());
    let failure = yard
        .try_push(&[&amd], &to, &[("names", "last")])
        .unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Conflict);
    assert_eq!(registry.uploads(), Uploads::default());
    let told = yard.push(&[&amd], &to, &[("names", "origin")]);
    image(&told, "/p/ghcr.io/a/app:1");
    image(&told, "/p/quay.io/b/app:1");
}

fn each_blob_is_uploaded_once_and_shared(registry: &DockerRegistry) {
    let yard = Yard::new();
    let names: Vec<String> = (0..6)
        .map(|at| format!("docker.io/acme/app{at}:1"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let [amd, arm] = yard.pair(&names, 40_000);
    let report = yard.push(&[&amd, &arm], &format!("{}/p", registry.host()), &[]);
    let uploads = registry.uploads();
    for (_, digest) in uploads.blobs.keys() {
        assert_eq!(uploads.times(digest), 1, "{digest}");
    }
    assert_eq!(report["blobs"]["uploaded"], uploads.blobs.len() as u64);
    assert_eq!(report["blobs"]["mounted"], uploads.mounts.len() as u64);
    // The one shared layer: in one repository uploaded, in the others taken over.
    assert_eq!(report["blobs"]["mounted"], 5);
}

fn a_platform_that_the_registry_lost_is_not_dropped_in_silence(registry: &DockerRegistry) {
    let yard = Yard::new();
    let host = registry.host();
    let to = format!("{host}/p");
    let [amd, arm] = yard.pair(&[APP], 2000);
    yard.push(&[&amd, &arm], &to, &[]);
    let (_, index) = there(host, "p/acme/app", "1").unwrap();
    let gone = index["manifests"][1]["digest"].as_str().unwrap();
    let path = format!("/v2/p/acme/app/manifests/{gone}");
    let reply = crate::registry::client::Client::new(host).ask("DELETE", &path);
    assert_eq!(reply.status(), 202);
    let new = yard.archive("new.tar", &[Yard::image(APP, &amd64(), 5)]);
    let failure = yard.try_push(&[&new], &to, &[]).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Conflict,
        "{:?}",
        failure.error
    );
    assert!(
        failure.error.to_string().contains("linux/arm64"),
        "{}",
        failure.error
    );
    // Bringing it mends it.
    let mended = yard.push(&[&new, &arm], &to, &[]);
    assert_eq!(
        platforms(image(&mended, "app:1")),
        ["linux/amd64", "linux/arm64"]
    );
}

#[test]
fn writers_with_and_without_claims_keep_what_the_others_brought() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    let [amd, arm] = yard.pair(&[APP], 2000);
    for (at, claims) in [["false", "true"], ["true", "false"], ["true", "true"]]
        .iter()
        .enumerate()
    {
        let to = format!("{host}/p{at}");
        for (source, claim) in [&amd, &arm].into_iter().zip(claims) {
            yard.push(&[source], &to, &[("claim-tags", claim)]);
        }
        let tag = format!("p{at}/acme/app");
        assert_eq!(
            children(host, &tag, "1"),
            ["linux/amd64", "linux/arm64"],
            "{claims:?}"
        );
    }
    // A build of a platform that somebody claimed is replaced by the next claim on it.
    let new = yard.archive("new.tar", &[Yard::image(APP, &amd64(), 9)]);
    let report = yard.push(&[&new], &format!("{host}/p2"), &[("claim-tags", "true")]);
    let app = image(&report, "app:1");
    assert_eq!(app["action"], "replaced", "{report}");
    assert_eq!(platforms(app), ["linux/amd64", "linux/arm64"]);
}

#[test]
fn a_platform_that_is_required_may_be_there_already() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let to = format!("{}/p", registry.host());
    let [amd, arm] = yard.pair(&[APP], 2000);
    let both = [("require-platform", "linux/amd64,linux/arm64")];
    let failure = yard.try_push(&[&amd], &to, &both).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::PlatformMissing);
    yard.push(&[&amd], &to, &[]);
    // The tag has no more than this run brings: it still lacks one.
    let failure = yard.try_push(&[&amd], &to, &both).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::PlatformMissing);
    let merged = yard.push(&[&arm], &to, &both);
    assert_eq!(
        platforms(image(&merged, "app:1")),
        ["linux/amd64", "linux/arm64"]
    );
}

/// What is said of an image that its configuration does not say takes an index to say it.
#[test]
fn a_platform_that_somebody_stated_arrives() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let [amd, _] = yard.pair(&[APP], 2000);
    let to = format!("{}/p", registry.host());
    yard.push(&[&amd], &to, &[]);
    let stated = format!("{}=linux/386", amd.display());
    let report = yard.push(&[&amd], &to, &[("source-platform", &stated)]);
    assert_eq!(image(&report, "app:1")["action"], "merged");
    let both = ["linux/386", "linux/amd64"];
    assert_eq!(children(registry.host(), "p/acme/app", "1"), both);
    let to = format!("{}/q", registry.host());
    yard.push(&[&amd], &to, &[("source-platform", &stated)]);
    assert_eq!(children(registry.host(), "q/acme/app", "1"), both[..1]);
}
