//! Hints that lead to no image: `verify` says so, and passes.

use fusion_fixtures::bundle::{self, BundleOptions, Hints};
use fusion_fixtures::package::Kind;
use fusion_fixtures::{Platform, synthetic};
use serde_json::Value;

use super::super::support::{Scene, fusion};
use super::Pair;
use super::bundles::{WEB, web};

/// What `verify`, which passes, says of hints.
fn said(path: &std::path::Path) -> Vec<Value> {
    let ran = fusion(["verify", "--json"]).arg(path).run().ends(0);
    let findings = ran.json()["findings"].clone();
    findings.as_array().unwrap().clone()
}

#[test]
fn hints_that_lead_to_no_image_are_a_warning() {
    let chart = web("1.5.0");
    let references = chart.references();
    let images: Vec<_> = (references.iter())
        .map(|name| synthetic::image(Some(name), &Platform::amd64(), 1, &[2000], 0).unwrap())
        .collect();
    let hints = chart.hints();
    for (given, expected) in [
        (Hints::Usual, None),
        (Hints::Empty, None),
        (Hints::Given(format!("- {WEB}\n")), None),
        (
            Hints::Given(format!("{hints}- docker.io/acme/absent:1\n")),
            Some("names `docker.io/acme/absent:1`, which is not in its images"),
        ),
        (
            Hints::Given("- \"{{ .no.such.key }}:1\"\n".to_owned()),
            Some("needs `.no.such.key`, which no values have"),
        ),
        (
            Hints::Given("a: {b: 1}\n".to_owned()),
            Some("`hints.yaml` is no list of templates"),
        ),
        (Hints::Absent, Some("it has no `hints.yaml`")),
    ] {
        let scene = Scene::new();
        let options = BundleOptions {
            hints: given,
            ..BundleOptions::default()
        };
        let path = scene.source("web_1.5.0.bundle.tar");
        bundle::write(&chart, &images, &path, &options).unwrap();
        let said = said(&path);
        let Some(expected) = expected else {
            assert!(said.is_empty(), "{said:?}");
            continue;
        };
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0]["code"], "chart-hints");
        assert_eq!(said[0]["severity"], "warning");
        assert_eq!(said[0]["member"], "hints.yaml");
        let message = said[0]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn hints_of_known_packages_lead_to_their_images() {
    for kind in [Kind::Module, Kind::Addon] {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        for source in pair.sources() {
            let said = said(source);
            assert!(said.is_empty(), "{kind:?}: {said:?}");
        }
    }
}
