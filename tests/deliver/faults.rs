//! Registries and networks that fail: a push comes to its end, or says why not, and never leaves a
//! tag that leads to something incomplete.

use std::time::Duration;

use fusion_core::ErrorKind;
use fusion_core::fuse::fuse;
use fusion_core::location::Location;
use fusion_core::progress::Stop;
use serde_json::Value;

use super::{Yard, count, image, there};
use crate::registry::docker::DockerRegistry;
use crate::registry::exchange::Answer;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;

const APP: &str = "docker.io/acme/app:1";
const OTHER: &str = "docker.io/acme/other:2";

/// That everything below every tag of the registry is there.
fn whole(host: &str, repository: &str, tag: &str) {
    let Some((_, root)) = there(host, repository, tag) else {
        return;
    };
    let mut manifests: Vec<Value> = Vec::new();
    match root["manifests"].as_array() {
        Some(children) => {
            for child in children {
                let digest = child["digest"].as_str().unwrap();
                let (_, manifest) = there(host, repository, digest).expect("a child");
                manifests.push(manifest);
            }
        }
        None => manifests.push(root),
    }
    for manifest in manifests {
        let layers = manifest["layers"].as_array().unwrap().iter();
        for blob in layers.chain([&manifest["config"]]) {
            let path = format!(
                "/v2/{repository}/blobs/{}",
                blob["digest"].as_str().unwrap()
            );
            let reply = crate::registry::client::Client::new(host).ask("HEAD", &path);
            assert_eq!(reply.status(), 200, "{path}");
        }
    }
}

/// By chance, always the same: what strikes every so many requests may meet the same one for ever.
fn rules() -> Vec<(&'static str, Vec<Rule>)> {
    let answer = |status: u16| Fault::Answer(Answer::error(status, "UNAVAILABLE", "later"));
    vec![
        (
            "connections that drop",
            vec![Rule::new("*", "*", When::Percent(15), Fault::Drop)],
        ),
        (
            "answers that never come",
            vec![Rule::new("*", "*", When::Percent(12), Fault::Swallow)],
        ),
        (
            "429 with Retry-After",
            vec![Rule::new("*", "*", When::Percent(20), Fault::too_many(0))],
        ),
        (
            "500",
            vec![Rule::new("*", "*", When::Percent(15), Fault::page(500))],
        ),
        (
            "502",
            vec![Rule::new("*", "*", When::Percent(15), Fault::page(502))],
        ),
        (
            "503",
            vec![Rule::new("*", "*", When::Percent(15), answer(503))],
        ),
        (
            "uploads cut midway",
            vec![Rule::new(
                "P*",
                "*/blobs/uploads/*",
                When::Percent(25),
                Fault::CutRequest(9000),
            )],
        ),
        (
            "answers cut midway",
            vec![Rule::new(
                "GET",
                "*",
                When::Percent(25),
                Fault::CutAnswer(10),
            )],
        ),
        (
            "answers that are too short",
            vec![Rule::new(
                "GET",
                "*",
                When::Percent(20),
                Fault::Truncate(10),
            )],
        ),
        (
            "manifests that have to be put twice",
            vec![Rule::new(
                "PUT",
                "*/manifests/*",
                When::Percent(40),
                Fault::page(503),
            )],
        ),
        (
            "delays",
            vec![Rule::new(
                "*",
                "*",
                When::Percent(20),
                Fault::Delay(Duration::from_millis(300)),
            )],
        ),
        (
            "everything at once, by chance",
            vec![
                Rule::new("*", "*", When::Percent(6), Fault::Drop).seed(3),
                Rule::new("*", "*", When::Percent(6), Fault::page(502)).seed(4),
                Rule::new("*", "*", When::Percent(6), Fault::too_many(0)).seed(5),
                Rule::new("PUT", "*", When::Percent(10), Fault::Swallow).seed(6),
            ],
        ),
    ]
}

#[test]
fn a_push_gets_through_what_passes() {
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP, OTHER], 60_000);
    for (what, rules) in rules() {
        let registry = DockerRegistry::open();
        let proxy = Proxy::start(registry.host(), rules);
        // The second architecture merges with the first, which has to be read back for it.
        let to = format!("{}/p", proxy.host());
        for source in [&amd, &arm] {
            let outcome = yard.try_push(&[source], &to, &[("retries", "8")]);
            let report = outcome.unwrap_or_else(|failure| panic!("{what}: {:?}", failure.error));
            let report: Value = serde_json::from_str(&report.to_json()).unwrap();
            assert_eq!(report["status"], "ok", "{what}");
            image(&report, "acme/app:1");
        }
        assert!(proxy.spoiled() > 0, "{what}: nothing was spoiled");
        for (repository, tag) in [("p/acme/app", "1"), ("p/acme/other", "2")] {
            let (_, index) = there(registry.host(), repository, tag).expect(what);
            assert_eq!(
                index["manifests"].as_array().map(Vec::len),
                Some(2),
                "{what}"
            );
            whole(registry.host(), repository, tag);
        }
    }
}

#[test]
fn what_does_not_pass_is_told_and_leaves_no_tag_incomplete() {
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP], 60_000);
    let cases = [
        (
            Rule::new("PUT", "*/manifests/1", When::Always, Fault::page(500)),
            ErrorKind::Registry,
            "500",
        ),
        (
            Rule::new(
                "P*",
                "*/blobs/uploads/*",
                When::Always,
                Fault::CutRequest(3000),
            ),
            ErrorKind::Unreachable,
            "",
        ),
        (
            Rule::new(
                "*",
                "*/blobs/*",
                When::Always,
                Fault::Answer(Answer::error(403, "DENIED", "requested access is denied")),
            ),
            ErrorKind::Denied,
            "requested access is denied",
        ),
        // Only a plain 404 means that there is no such tag.
        (
            Rule::new(
                "*",
                "*/manifests/1",
                When::Always,
                Fault::Answer(Answer::error(412, "PRECONDITION", "not now")),
            ),
            ErrorKind::Denied,
            "not now",
        ),
    ];
    for (rule, kind, says) in cases {
        let registry = DockerRegistry::open();
        yard.push(&[&amd], &format!("{}/p", registry.host()), &[]);
        let before = there(registry.host(), "p/acme/app", "1");
        let proxy = Proxy::start(registry.host(), vec![rule]);
        let to = format!("{}/p", proxy.host());
        let failure = yard
            .try_push(&[&arm], &to, &[("retries", "1")])
            .unwrap_err();
        assert_eq!(failure.error.kind(), kind, "{:?}", failure.error);
        let told = format!("{}", failure.error);
        assert!(told.contains(says), "{told}");
        assert_eq!(there(registry.host(), "p/acme/app", "1"), before);
        whole(registry.host(), "p/acme/app", "1");
    }
}

#[test]
fn a_registry_that_takes_no_oci_types() {
    let yard = Yard::new();
    let (amd64, arm64) = fusion_fixtures::synthetic::pair(&[APP], 3, &[3000], 0).unwrap();
    let both = [yard.path("1.tar"), yard.path("2.tar")];
    for (images, path) in [&amd64, &arm64].into_iter().zip(&both) {
        let form = fusion_fixtures::LayerForm::Gzip;
        let options = fusion_fixtures::Options::default();
        fusion_fixtures::write(fusion_fixtures::Flavour::Ggcr, form, images, path, &options)
            .unwrap();
    }
    let registry = DockerRegistry::open();
    // As Huawei's SWR answers.
    let answer = Answer::error(400, "MANIFEST_INVALID", "fail to parse 'manifest.json'");
    let refuse = Rule::new("PUT", "*/manifests/*", When::Always, Fault::Answer(answer));
    let proxy = Proxy::start(registry.host(), vec![refuse.of("application/vnd.oci.*")]);
    let to = format!("{}/p", proxy.host());
    let sources = [both[0].as_path(), both[1].as_path()];
    let failure = yard.try_push(&sources, &to, &[]).unwrap_err();
    let hint = failure.error.get_hint().unwrap_or_default();
    assert!(hint.contains("--media-types docker"), "{:?}", failure.error);
    for (types, claims) in [
        ("docker", "false"),
        ("auto", "false"),
        ("docker", "true"),
        ("auto", "true"),
    ] {
        let project = format!("p-{types}-{claims}");
        let prefix = format!("{}/{project}", proxy.host());
        // One after the other: the second joins what the first wrote.
        for source in sources {
            let options = [("media-types", types), ("claim-tags", claims)];
            let report = yard.push(&[source], &prefix, &options);
            let app = image(&report, "acme/app:1");
            let kind = app["media_type"].as_str().unwrap();
            assert!(
                kind.starts_with("application/vnd.docker."),
                "{project}: {app}"
            );
        }
        let name = format!("{project}/acme/app");
        whole(registry.host(), &name, "1");
        assert_eq!(count(registry.host(), &name, "1"), 2, "{project}");
    }
}

/// As buildx makes them.
#[test]
fn attestations_get_to_a_registry_that_takes_no_oci_types() {
    let yard = Yard::new();
    let source = yard.path("attested.tar");
    let flavour = fusion_fixtures::Flavour::OciArchive;
    let options = fusion_fixtures::Options {
        attestation: true,
        gzip_level: 6,
        ..fusion_fixtures::Options::default()
    };
    let images = [
        Yard::image(APP, &super::amd64(), 1),
        Yard::image(APP, &super::arm64(), 1),
    ];
    fusion_fixtures::write(flavour, flavour.usual_form(), &images, &source, &options).unwrap();
    let registry = DockerRegistry::open();
    let answer = Answer::error(400, "MANIFEST_INVALID", "fail to parse 'manifest.json'");
    let refuse = Rule::new("PUT", "*/manifests/*", When::Always, Fault::Answer(answer));
    let proxy = Proxy::start(registry.host(), vec![refuse.of("application/vnd.oci.*")]);
    for (types, claims) in [("docker", "false"), ("auto", "false"), ("auto", "true")] {
        let project = format!("p-{types}-{claims}");
        let to = format!("{}/{project}", proxy.host());
        let options = [("media-types", types), ("claim-tags", claims)];
        let report = yard.push(&[&source], &to, &options);
        let name = format!("{project}/acme/app");
        whole(registry.host(), &name, "1");
        // Each beside what it is about.
        let (_, index) = there(registry.host(), &name, "1").unwrap();
        let children = index["manifests"].as_array().unwrap();
        let about = |child: &Value| {
            let digest = child["annotations"]["vnd.docker.reference.digest"].as_str();
            digest.map(str::to_owned)
        };
        let subjects: Vec<String> = children.iter().filter_map(about).collect();
        assert_eq!(
            (children.len(), subjects.len()),
            (4, 2),
            "{project}: {index}"
        );
        for subject in subjects {
            assert!(
                children.iter().any(|child| child["digest"] == *subject),
                "{index}"
            );
        }
        // That digests are others now is said where nobody asked for it.
        let told = report["warnings"].to_string().contains("media-types");
        assert_eq!(told, types == "auto", "{report}");
        let again = yard.push(&[&source], &to, &options);
        assert_eq!(
            image(&again, "acme/app:1")["action"],
            "unchanged",
            "{project}"
        );
    }
}

/// As zot 1 does.
#[test]
fn a_registry_that_takes_no_docker_types() {
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP], 4000);
    let registry = DockerRegistry::open();
    let answer = Answer::error(415, "MANIFEST_INVALID", "manifest invalid");
    let refuse = Rule::new("PUT", "*/manifests/*", When::Always, Fault::Answer(answer));
    let rules = vec![refuse.of("application/vnd.docker.*")];
    let proxy = Proxy::start(registry.host(), rules);
    let to = format!("{}/p", proxy.host());
    let failure = yard.try_push(&[&amd], &to, &[("media-types", "docker")]);
    let error = failure.unwrap_err().error;
    let hint = error.get_hint().unwrap_or_default();
    assert!(hint.contains("--media-types oci"), "{error:?}");
    // Converted beforehand, so that there is something to refuse.
    let docker = yard.path("docker.tar");
    let options = yard.options(&[("media-types", "docker")]);
    let both = [&amd, &arm].map(|path| Location::parse(path).unwrap());
    let to = Location::parse(&docker).unwrap();
    fuse(&both, Some(&to), &options.fuse, None, &Stop::new()).unwrap();
    for claims in ["false", "true"] {
        let prefix = format!("{}/p-{claims}", proxy.host());
        let options = [("media-types", "auto"), ("claim-tags", claims)];
        let report = yard.push(&[&docker], &prefix, &options);
        assert_eq!(
            image(&report, "acme/app:1")["media_type"],
            "application/vnd.oci.image.index.v1+json"
        );
        whole(registry.host(), &format!("p-{claims}/acme/app"), "1");
    }
}

#[test]
fn keeping_going_leaves_what_is_refused_and_pushes_the_rest() {
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP, OTHER], 20_000);
    let denied = || Fault::Answer(Answer::error(403, "DENIED", "requested access is denied"));
    for path in [
        "/v2/p/acme/other/*",
        "/v2/p/acme/other/blobs/*",
        "/v2/p/acme/other/manifests/2",
    ] {
        let registry = DockerRegistry::open();
        let rules = vec![Rule::new("*", path, When::Always, denied())];
        let proxy = Proxy::start(registry.host(), rules);
        let to = format!("{}/p", proxy.host());
        let report = yard.push(&[&amd, &arm], &to, &[("keep-going", "true")]);
        assert_eq!(report["status"], "partial", "{path}");
        assert_eq!(image(&report, "acme/app:1")["action"], "created");
        let images = report["images"].as_array().unwrap().iter();
        let failed: Vec<&Value> = images.filter(|image| image["action"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{path}: {report}");
        assert_eq!(failed[0]["reference"], OTHER);
        assert_eq!(failed[0]["error"]["kind"], "denied", "{path}: {report}");
        whole(registry.host(), "p/acme/app", "1");
        assert!(there(registry.host(), "p/acme/other", "2").is_none());
    }
}
