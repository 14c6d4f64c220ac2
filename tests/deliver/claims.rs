//! What `--claim-tags` comes to besides many writers at once: the tag and the report are those of a run
//! without it, and claims that are out of date bring nothing back.

use std::path::PathBuf;

use fusion_fixtures::{Flavour, Options as Written, write};
use serde_json::{Value, json};

use super::{Yard, amd64, arm64, children, image, platforms, there};
use crate::registry::client::Client;
use crate::registry::docker::{DockerRegistry, Options};

const APP: &str = "docker.io/acme/app:1";
const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];
const CLAIM: (&str, &str) = ("claim-tags", "true");

/// The digest that the index under the tag has for `platform`.
fn child(host: &str, project: &str, platform: &str) -> Option<String> {
    let (_, root) = there(host, &format!("{project}/acme/app"), "1").expect("a tag");
    let children = root["manifests"].as_array().expect("an index");
    let is_it = |child: &&Value| {
        let said = &child["platform"];
        let (os, architecture) = (said["os"].as_str(), said["architecture"].as_str());
        platform.split_once('/') == os.zip(architecture)
    };
    let found = children.iter().find(is_it)?;
    Some(found["digest"].as_str().unwrap().to_owned())
}

/// The manifest of the only platform of the image that a run pushed.
fn pushed(report: &Value) -> String {
    let platforms = image(report, "app:1")["platforms"].as_array().unwrap();
    let of_run = platforms
        .iter()
        .find(|platform| !platform["source"].as_str().unwrap().starts_with("docker:"));
    of_run.unwrap()["digest"].as_str().unwrap().to_owned()
}

/// An OCI archive of images, each with an attestation if that is asked for.
fn oci(yard: &Yard, name: &str, images: &[fusion_fixtures::Image], attestation: bool) -> PathBuf {
    let (path, flavour) = (yard.path(name), Flavour::OciArchive);
    let options = Written {
        attestation,
        ..Written::default()
    };
    write(flavour, flavour.usual_form(), images, &path, &options).unwrap();
    path
}

#[test]
fn a_run_tells_what_the_tag_leads_to_then() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    let to = format!("{host}/p");
    let target = format!("{host}/p/acme/app:1");
    let tells = |report: &Value, action: &str| {
        let app = image(report, "app:1");
        assert_eq!(app["action"], action, "{report}");
        let (digest, root) = there(host, "p/acme/app", "1").unwrap();
        assert_eq!(app["digest"], digest, "{report}");
        root
    };
    let [amd, arm] = yard.pair(&[APP], 2000);
    tells(&yard.push(&[&amd], &to, &[CLAIM]), "created");
    // A manifest by itself becomes an index where one is asked for.
    let append = [("append", "true"), CLAIM];
    let root = tells(&yard.index(&target, &[&target], &append), "merged");
    assert_eq!(super::listed(&root), ["linux/amd64"]);
    tells(&yard.push(&[&arm], &to, &[CLAIM]), "merged");
    tells(&yard.push(&[&arm], &to, &[CLAIM]), "unchanged");
    let says = [("annotation", "a=b"), append[0], CLAIM];
    let report = yard.index(&target, &[&target], &says);
    assert_eq!(tells(&report, "merged")["annotations"], json!({"a": "b"}));
    let report = yard.index(&target, &[], &[("remove", "linux/amd64"), CLAIM]);
    assert_eq!(super::listed(&tells(&report, "merged")), ["linux/arm64"]);
    tells(&yard.push(&[&arm], &to, &[CLAIM]), "unchanged");
    tells(&yard.push(&[&amd], &to, &[CLAIM]), "merged");
    assert_eq!(children(host, "p/acme/app", "1"), BOTH);
}

#[test]
fn the_index_of_a_source_and_attestations_arrive_as_without_claims() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    let both = [Yard::image(APP, &amd64(), 1), Yard::image(APP, &arm64(), 1)];
    let bare = oci(&yard, "bare.tar", &both, false);
    let attested = oci(&yard, "attested.tar", &both, true);
    let digest = |project: &str, source: &PathBuf, claims: &str| {
        let to = format!("{host}/{project}");
        let report = yard.push(&[source], &to, &[("claim-tags", claims)]);
        let told = image(&report, "app:1")["digest"].clone();
        let (there, _) = there(host, &format!("{project}/acme/app"), "1").unwrap();
        assert_eq!(told, there);
        there
    };
    for source in [&bare, &attested] {
        let name = source.file_stem().unwrap().to_str().unwrap();
        let plain = digest(&format!("{name}-plain"), source, "false");
        assert_eq!(digest(&format!("{name}-claimed"), source, "true"), plain);
    }
    // Nothing but attestations is new.
    let plain = digest("bare-plain", &attested, "false");
    assert_eq!(digest("bare-claimed", &attested, "true"), plain);
}

#[test]
fn an_older_build_that_stays_is_told() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let to = format!("{}/p", registry.host());
    let [amd, arm] = yard.pair(&[APP], 2000);
    yard.push(&[&amd, &arm], &to, &[CLAIM]);
    let newer = yard.archive("newer.tar", &[Yard::image(APP, &amd64(), 9)]);
    let code = |report: &Value| report["warnings"].to_string().contains("mixed-generation");
    let told = yard.push(&[&newer], &to, &[CLAIM, ("dry-run", "true")]);
    assert!(code(&told), "{told}");
    let done = yard.push(&[&newer], &to, &[CLAIM]);
    assert!(code(&done), "{done}");
    assert_eq!(platforms(image(&done, "app:1")), BOTH);
}

/// On a registry that deletes, and on one that does not.
#[test]
fn what_was_replaced_or_taken_off_does_not_come_back() {
    for delete in [true, false] {
        let registry = DockerRegistry::start(&Options {
            delete,
            ..Options::default()
        });
        let (yard, host) = (Yard::new(), registry.host());
        let of =
            |name: &str, platform, seed| yard.archive(name, &[Yard::image(APP, &platform, seed)]);
        let [one, two] = [of("1.tar", amd64(), 1), of("2.tar", amd64(), 2)];
        let arm = of("arm.tar", arm64(), 2);

        // Replaced by another build of the same platform.
        let to = format!("{host}/replaced");
        yard.push(&[&one], &to, &[CLAIM]);
        let newer = pushed(&yard.push(&[&two], &to, &[("on-existing", "replace"), CLAIM]));
        yard.push(&[&arm], &to, &[CLAIM]);
        assert_eq!(child(host, "replaced", BOTH[0]), Some(newer), "{delete}");

        // Dropped by an index that is made anew.
        let to = format!("{host}/dropped");
        yard.push(&[&one, &arm], &to, &[CLAIM]);
        let target = format!("{to}/acme/app:1");
        let next = yard.push(&[&two], &format!("{host}/other"), &[]);
        let source = format!("{host}/other/acme/app@{}", pushed(&next));
        yard.index(&target, &[&source], &[CLAIM]);
        assert_eq!(
            children(host, "dropped/acme/app", "1"),
            BOTH[..1],
            "{delete}"
        );
        yard.index(&target, &[&source], &[("append", "true"), CLAIM]);
        assert_eq!(
            children(host, "dropped/acme/app", "1"),
            BOTH[..1],
            "{delete}"
        );

        // Taken off by name, with its claim.
        let to = format!("{host}/removed");
        yard.push(&[&one, &arm], &to, &[CLAIM]);
        let target = format!("{to}/acme/app:1");
        yard.index(&target, &[], &[("remove", BOTH[0]), CLAIM]);
        assert_eq!(
            children(host, "removed/acme/app", "1"),
            BOTH[1..],
            "{delete}"
        );
        yard.push(&[&arm], &to, &[CLAIM]);
        assert_eq!(
            children(host, "removed/acme/app", "1"),
            BOTH[1..],
            "{delete}"
        );

        // With the variants that the name stands for.
        let newer = amd64().with_variant("v3");
        let newer = of("v3.tar", newer, 3);
        let to = format!("{host}/variants");
        yard.push(&[&one, &newer, &arm], &to, &[CLAIM]);
        let target = format!("{to}/acme/app:1");
        yard.index(&target, &[], &[("remove", BOTH[0]), CLAIM]);
        yard.push(&[&arm], &to, &[CLAIM]);
        assert_eq!(
            children(host, "variants/acme/app", "1"),
            BOTH[1..],
            "{delete}"
        );

        // All claims of a tag, where it is pushed anew.
        let to = format!("{host}/removed");
        yard.push(&[&arm], &to, &[("clean-claims", "true")]);
        let list = Client::new(host).ask("GET", "/v2/removed/acme/app/tags/list");
        let list = list.json()["tags"].to_string();
        assert_eq!(list.contains("fusion-claim"), !delete, "{list}");
    }
}

#[test]
fn a_claim_that_undoes_what_somebody_wrote_without_one_is_told() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let to = format!("{}/p", registry.host());
    let of = |name: &str, platform, seed| yard.archive(name, &[Yard::image(APP, &platform, seed)]);
    let first = pushed(&yard.push(&[&of("1.tar", amd64(), 1)], &to, &[CLAIM]));
    let second = pushed(&yard.push(&[&of("2.tar", amd64(), 2)], &to, &[]));
    let report = yard.push(&[&of("arm.tar", arm64(), 2)], &to, &[CLAIM]);
    let warnings = report["warnings"].as_array().unwrap();
    let told = warnings.iter().find(|warning| warning["code"] == "claim");
    let told = told.unwrap_or_else(|| panic!("{report}"))["message"].to_string();
    assert!(told.contains(&first) && told.contains(&second), "{told}");
    assert_eq!(child(registry.host(), "p", BOTH[0]), Some(first));
}
