//! Bundles that differ: in how they are written, which is no conflict, and in what they say, which
//! is one.

use std::path::PathBuf;

use fusion_core::ErrorKind;
use fusion_fixtures::bundle::{BundleOptions, BundleOrder, Hints};
use fusion_fixtures::{Flavour, LayerForm, Platform};

use super::super::scene::sha256;
use super::super::support::{Scene, fused, try_fuse};
use super::assert_holds;
use super::bundles::{WEB, pair};
use super::plain::Tree;

#[test]
fn prefixes_and_the_order_of_members_are_no_difference() {
    let scene = Scene::new();
    let (usual, _) = pair(&scene, "usual.tar", |_| BundleOptions::default());
    let expected = scene.out("usual.bundle.tar");
    fused(&usual, &expected, &[]);
    for (name, prefix, order) in [
        ("dotted", "./", BundleOrder::Usual),
        ("images-first", "", BundleOrder::ImagesFirst),
        ("reversed", "./", BundleOrder::Reversed),
    ] {
        let (sources, _) = pair(&scene, name, |platform| BundleOptions {
            // One of them only: the two still have to be one.
            prefix: if *platform == Platform::arm64() {
                prefix
            } else {
                ""
            }
            .to_owned(),
            order,
            ..BundleOptions::default()
        });
        let out = scene.out(name);
        fused(&sources, &out, &[("format", "bundle")]);
        assert_eq!(sha256(&out), sha256(&expected), "{name}");
    }
}

#[test]
fn images_tar_may_come_from_any_tool() {
    let scene = Scene::new();
    for (flavour, form) in [
        (Flavour::DockerLegacy, LayerForm::Raw),
        (Flavour::DockerHybrid, LayerForm::Raw),
        (Flavour::DockerContainerd, LayerForm::Gzip),
        (Flavour::Skopeo, LayerForm::Raw),
        (Flavour::OciArchive, LayerForm::Gzip),
        (Flavour::Ggcr, LayerForm::Gzip),
    ] {
        let name = format!("{flavour:?}");
        let (sources, written) = pair(&scene, &name, |_| BundleOptions {
            flavour,
            form: Some(form),
            ..BundleOptions::default()
        });
        let out = scene.out(&name);
        fused(&sources, &out, &[("format", "bundle")]);
        assert_holds(
            &Tree::open(&out).images(),
            &written.iter().collect::<Vec<_>>(),
        );
    }
}

#[test]
fn a_fused_bundle_is_a_source_like_any_other() {
    let scene = Scene::new();
    let (sources, _) = pair(&scene, "web.bundle.tar", |_| BundleOptions::default());
    let (once, twice) = (scene.out("once.bundle.tar"), scene.out("twice.bundle.tar"));
    fused(&sources, &once, &[]);
    fused(&[&once], &twice, &[]);
    assert_eq!(sha256(&once), sha256(&twice));
    fused(&[&once, &sources[1]], &twice, &[("on-existing", "replace")]);
    assert_eq!(
        sha256(&once),
        sha256(&twice),
        "with one of its sources again"
    );
}

/// Options of arm64 that differ.
fn differing(scene: &Scene, arm64: &BundleOptions) -> [PathBuf; 2] {
    let (sources, _) = pair(scene, "web.bundle.tar", |platform| {
        if *platform == Platform::arm64() {
            arm64.clone()
        } else {
            BundleOptions::default()
        }
    });
    sources
}

#[test]
fn charts_that_differ_are_a_conflict_that_shows_the_first_difference() {
    let usual = super::bundles::web("1.5.0");
    let (values, hints) = (usual.values(), usual.hints());
    let line =
        |text: &str, part: &str| 1 + text.lines().position(|line| line.contains(part)).unwrap();
    for (what, arm64, said) in [
        (
            "values",
            BundleOptions {
                values: Some(values.replace("replicas: 1", "replicas: 2")),
                ..BundleOptions::default()
            },
            vec![
                "`original-chart/values.yaml`".to_owned(),
                format!("line {}", line(&values, "replicas")),
                "`replicas: 1` against `replicas: 2`".to_owned(),
            ],
        ),
        (
            "hints",
            BundleOptions {
                hints: Hints::Given(format!("{hints}- \"more\"\n")),
                ..BundleOptions::default()
            },
            vec![
                "`hints.yaml`".to_owned(),
                format!("line {}", hints.lines().count() + 1),
                "nothing against `- \"more\"`".to_owned(),
            ],
        ),
        (
            "hints in one only",
            BundleOptions {
                hints: Hints::Absent,
                ..BundleOptions::default()
            },
            vec!["only the first has `hints.yaml`".to_owned()],
        ),
    ] {
        let scene = Scene::new();
        let sources = differing(&scene, &arm64);
        let out = scene.out("web.bundle.tar");
        let failure = try_fuse(&sources, &out, &[]).unwrap_err();
        assert_eq!(failure.error.kind(), ErrorKind::Conflict, "{what}");
        let message = failure.error.to_string();
        for part in said
            .iter()
            .map(String::as_str)
            .chain(["web 1.5.0", "amd64", "arm64"])
        {
            assert!(message.contains(part), "{what}: no {part} in {message}");
        }
        assert_eq!(failure.error.get_path(), Some(sources[1].as_path()));
        let member = failure.error.get_member().unwrap_or_default();
        assert!(said[0].contains(member), "{what}: {member}");
        let hint = failure.error.get_hint().unwrap_or_default();
        assert!(hint.contains("--on-conflict"), "{what}: {hint}");
        assert!(scene.published().is_empty(), "{what}");
    }
}

#[test]
fn a_policy_decides_whose_chart_it_is_and_all_images_stay() {
    let scene = Scene::new();
    let usual = super::bundles::web("1.5.0");
    let other = BundleOptions {
        values: Some("replicas: 2\n".to_owned()),
        hints: Hints::Given("---\n".to_owned()),
        ..BundleOptions::default()
    };
    let [amd64, arm64] = differing(&scene, &other);
    for (sources, policy, values) in [
        ([&amd64, &arm64], "first", usual.values()),
        ([&amd64, &arm64], "last", "replicas: 2\n".to_owned()),
        ([&arm64, &amd64], "first", "replicas: 2\n".to_owned()),
        ([&arm64, &amd64], "last", usual.values()),
    ] {
        let out = scene.out("web.bundle.tar");
        let chosen = [("on-conflict", policy), ("on-existing", "replace")];
        fused(&sources, &out, &chosen);
        let tree = Tree::open(&out);
        assert_eq!(tree.text("original-chart/values.yaml"), values, "{policy}");
        let hints = match values == usual.values() {
            true => usual.hints(),
            false => "---\n".to_owned(),
        };
        assert_eq!(
            tree.text("hints.yaml"),
            hints,
            "both files are of one source"
        );
        assert_eq!(tree.images().platforms(WEB), ["linux/amd64", "linux/arm64"]);
    }
}
