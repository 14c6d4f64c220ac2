//! Chart bundles: they pair by the chart's name and version, and become one bundle as
//! charts-syncer writes it.

use std::path::{Path, PathBuf};

use fusion_core::ErrorKind;
use fusion_fixtures::bundle::{self, Bundle, BundleOptions, Hints};
use fusion_fixtures::package::{Package, Wrap};
use fusion_fixtures::{Chart, Image, Platform, Squeeze, WrittenImage, synthetic};

use super::super::support::{Scene, fused, try_fuse};
use super::plain::{Tree, compression};
use super::{assert_holds, chart, platforms};

pub(super) const WEB: &str = "docker.io/acme/web:1.5";

/// The images of a chart on one platform.
pub(super) fn images(platform: &Platform) -> Vec<Image> {
    let image = |name| synthetic::image(Some(name), platform, 1, &[3000, 2000], 1).unwrap();
    vec![image(WEB), image("ghcr.io/acme/api:2")]
}

pub(super) fn web(version: &str) -> Chart {
    Chart::new("web", version, &[WEB, "ghcr.io/acme/api:2"])
}

/// Writes the bundles of a chart, in a folder for each platform, with these options.
pub(super) fn pair(
    scene: &Scene,
    name: &str,
    options: impl Fn(&Platform) -> BundleOptions,
) -> ([PathBuf; 2], Vec<WrittenImage>) {
    let mut written = Vec::new();
    let paths = platforms().map(|platform| {
        let folder = scene.source(&platform.architecture);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        let images = images(&platform);
        let bundle = bundle::write(&web("1.5.0"), &images, &path, &options(&platform)).unwrap();
        written.extend(bundle.images);
        path
    });
    (paths, written)
}

fn usual(_: &Platform) -> BundleOptions {
    BundleOptions::default()
}

#[test]
fn two_bundles_become_one_in_the_usual_form() {
    let scene = Scene::new();
    let (sources, written) = pair(&scene, "web_1.5.0.bundle.tar", usual);
    let out = scene.out("web_1.5.0.bundle.tar");
    let report = fused(&sources, &out, &[]);
    assert_eq!(report["destination"]["kind"], "bundle");
    assert_eq!(report["charts"].as_array().unwrap().len(), 1);
    assert_eq!(chart(&report, "web")["version"], "1.5.0");
    assert_eq!(
        chart(&report, "web")["platforms"],
        serde_json::json!(["linux/amd64", "linux/arm64"])
    );

    assert_eq!(
        compression(&out),
        "none",
        "charts-syncer reads plain tars only"
    );
    let (tree, source) = (Tree::open(&out), Tree::open(&sources[0]));
    assert_holds(&tree.images(), &written.iter().collect::<Vec<_>>());
    let order = &tree.order;
    assert_eq!(order.first().unwrap(), "hints.yaml");
    assert_eq!(order.last().unwrap(), "images.tar");
    let between = &order[1..order.len() - 1];
    assert!(
        between
            .iter()
            .all(|name| name.starts_with("original-chart/")),
        "{order:?}"
    );
    assert_eq!(tree.names(), source.names());
    for name in tree
        .names()
        .into_iter()
        .filter(|name| *name != "images.tar")
    {
        assert_eq!(tree.file(name), source.file(name), "{name}");
    }
}

#[test]
fn bundles_of_several_charts_are_not_one_bundle() {
    let scene = Scene::new();
    let write = |chart: Chart, platform: &Platform| {
        let name = format!("{}-{}.tar", chart.name, chart.version);
        let path = scene.source(&name);
        bundle::write(&chart, &images(platform), &path, &BundleOptions::default()).unwrap();
        path
    };
    let [amd64, arm64] = platforms();
    let other = Chart::new("other", "1.5.0", &[WEB]);
    for second in [write(other, &arm64), write(web("1.6.0"), &arm64)] {
        let sources = [write(web("1.5.0"), &amd64), second.clone()];
        for chosen in [&[][..], &[("format", "bundle")]] {
            let failure = try_fuse(&sources, &scene.out("x.bundle.tar"), chosen).unwrap_err();
            assert_eq!(failure.error.kind(), ErrorKind::Conflict);
            let said = failure.error.to_string();
            let name = second
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('-', " ");
            assert!(said.contains("web 1.5.0") && said.contains(&name), "{said}");
            assert!(failure.error.get_hint().is_some());
            assert!(scene.published().is_empty());
        }
        // Their images are another matter.
        let out = scene.out("images.tar");
        fused(&sources, &out, &[("format", "oci-archive")]);
        std::fs::remove_file(&out).unwrap();
    }
}

#[test]
fn bundles_of_several_charts_make_a_package_if_asked() {
    let scene = Scene::new();
    let write = |name: &str, platform: &Platform| {
        let mut images = images(platform);
        images.truncate(1);
        let path = scene.source(&format!("{name}-{}", platform.architecture));
        let chart = Chart::new(name, "1.0.0", &[WEB]);
        bundle::write(&chart, &images, &path, &BundleOptions::default()).unwrap();
        path
    };
    let [amd64, arm64] = platforms();
    let other = package(
        &scene,
        "package.tar.gz",
        "charts/two.bundle.tar",
        Bundle::new(
            Chart::new("two", "1.0.0", &[WEB]),
            images(&arm64)[..1].to_vec(),
        ),
    );
    let sources = [
        write("one", &amd64),
        write("one", &arm64),
        write("two", &amd64),
        other,
    ];
    let out = scene.out("out.tar");
    let report = fused(&sources, &out, &[("format", "package")]);
    assert_eq!(report["charts"].as_array().unwrap().len(), 2);
    let tree = Tree::open(&out);
    // The one that lies in a package keeps its place there.
    assert_eq!(
        tree.names(),
        ["charts/two.bundle.tar", "notes.txt", "one_1.0.0.bundle.tar"]
    );
    for name in ["charts/two.bundle.tar", "one_1.0.0.bundle.tar"] {
        let layout = tree.nested(name).images();
        assert_eq!(
            layout.platforms(WEB),
            ["linux/amd64", "linux/arm64"],
            "{name}"
        );
    }
}

#[test]
fn an_image_archive_is_no_bundle() {
    let scene = Scene::new();
    let (sources, _) = pair(&scene, "web_1.5.0.bundle.tar", usual);
    let image = images(&Platform::arm64());
    let options = fusion_fixtures::Options::default();
    let archive = scene.write(
        "images.tar",
        fusion_fixtures::Flavour::Ggcr,
        &image,
        &options,
    );
    let all = [sources[0].as_path(), &archive.path];
    let failure = try_fuse(&all, &scene.out("x.bundle.tar"), &[("format", "bundle")]).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Usage);
    assert!(scene.published().is_empty());
}

/// A package with one bundle, at `path`.
fn package(scene: &Scene, name: &str, path: &str, bundle: Bundle) -> PathBuf {
    let to = scene.source(name);
    let wrap = Wrap::Squeezed(Squeeze::gzip());
    Package::new()
        .with("notes.txt", "notes\n")
        .with(path, bundle)
        .write(&to, &wrap)
        .unwrap();
    to
}

#[test]
fn bundles_in_packages_pair_by_chart_whatever_their_paths() {
    let [amd64, arm64] = platforms();
    for (one, other) in [
        ("kairship.bundle.tar", "charts/web_1.5.0.bundle.tar"),
        ("a/web-1.5.0.bundle.tar", "b/web_1.5.0.bundle.tar"),
        ("amd64/web_1.5.0.bundle.tar", "arm64/web_1.5.0.bundle.tar"),
        (
            "web_1.5.0-x86_64.bundle.tar",
            "web_1.5.0-aarch64.bundle.tar",
        ),
        ("no-ending", "web_1.5.0.bundle.tar"),
    ] {
        let scene = Scene::new();
        let bundle = |platform: &Platform| Bundle::new(web("1.5.0"), images(platform));
        let sources = [
            package(&scene, "amd64.tar.gz", one, bundle(&amd64)),
            package(&scene, "arm64.tar.gz", other, bundle(&arm64)),
        ];
        let out = scene.out("out.tar.gz");
        let report = fused(&sources, &out, &[]);
        assert_eq!(
            report["charts"].as_array().unwrap().len(),
            1,
            "{one} {other}"
        );
        assert_eq!(
            chart(&report, "web")["platforms"],
            serde_json::json!(["linux/amd64", "linux/arm64"])
        );
        let tree = Tree::open(&out);
        let names: Vec<_> = tree
            .names()
            .into_iter()
            .filter(|name| *name != "notes.txt")
            .collect();
        assert_eq!(names.len(), 1, "{names:?}");
        let layout = tree.nested(names[0]).images();
        assert_eq!(
            layout.platforms(WEB),
            ["linux/amd64", "linux/arm64"],
            "{one} {other}"
        );
    }
}

#[test]
fn versions_of_one_chart_stay_apart() {
    let scene = Scene::new();
    let [amd64, arm64] = platforms();
    let bundle = |version, platform: &Platform| {
        let mut images = images(platform);
        images.truncate(1);
        Bundle::new(Chart::new("web", version, &[WEB]), images)
    };
    let sources = [
        package(
            &scene,
            "amd64.tar.gz",
            "web.bundle.tar",
            bundle("1.5.0", &amd64),
        ),
        package(
            &scene,
            "arm64.tar.gz",
            "web.bundle.tar",
            bundle("1.6.0", &arm64),
        ),
    ];
    let out = scene.out("out.tar");
    let report = fused(&sources, &out, &[]);
    assert_eq!(report["charts"].as_array().unwrap().len(), 2);
    let tree = Tree::open(&out);
    let found: Vec<_> = tree
        .names()
        .into_iter()
        .filter(|name| *name != "notes.txt")
        .collect();
    assert_eq!(
        found,
        ["web.bundle.tar", "web.bundle.linux-arm64.tar"]
            .iter()
            .rev()
            .copied()
            .collect::<Vec<_>>()
    );
    let version = |name: &str| tree.nested(name).text("original-chart/Chart.yaml");
    assert!(version("web.bundle.tar").contains("version: 1.5.0"));
    assert!(version("web.bundle.linux-arm64.tar").contains("version: 1.6.0"));
}

#[test]
fn a_chart_in_one_package_only_is_kept_and_reported() {
    let scene = Scene::new();
    let [amd64, arm64] = platforms();
    let bundle = |name: &str, platform: &Platform| {
        let mut images = images(platform);
        images.truncate(1);
        Bundle::new(Chart::new(name, "1.0.0", &[WEB]), images)
    };
    let sources = [
        package(
            &scene,
            "amd64.tar.gz",
            "one.bundle.tar",
            bundle("one", &amd64),
        ),
        package(
            &scene,
            "arm64.tar.gz",
            "two.bundle.tar",
            bundle("two", &arm64),
        ),
    ];
    let out = scene.out("out.tar");
    let report = fused(&sources, &out, &[]);
    let tree = Tree::open(&out);
    assert_eq!(
        tree.names(),
        ["notes.txt", "one.bundle.tar", "two.bundle.tar"]
    );
    // Each has what the other's image of the same name has: one reference, one index.
    let digest = |name: &str| tree.nested(name).images().root(WEB)["digest"].clone();
    assert_eq!(digest("one.bundle.tar"), digest("two.bundle.tar"));
    for name in ["one", "two"] {
        assert_eq!(
            chart(&report, name)["platforms"],
            serde_json::json!(["linux/amd64", "linux/arm64"])
        );
    }
}

#[test]
fn bundles_without_images_or_hints_are_kept_as_they_are() {
    let scene = Scene::new();
    let bare = |_: &Platform| BundleOptions {
        images_tar: false,
        hints: Hints::Empty,
        ..BundleOptions::default()
    };
    let (sources, _) = pair(&scene, "bare.bundle.tar", bare);
    // By themselves there is nothing to fuse in them.
    let wrap = Wrap::Squeezed(Squeeze::gzip());
    let packages: Vec<PathBuf> = platforms()
        .iter()
        .zip(&sources)
        .map(|(platform, bare)| {
            let whole = Bundle::new(Chart::new("whole", "1.0.0", &[WEB]), images(platform));
            let mut absent = Bundle::new(Chart::new("absent", "1.0.0", &[WEB]), images(platform));
            absent.options.hints = Hints::Absent;
            let content = std::fs::read(bare).unwrap();
            let package = Package::new()
                .with("whole.bundle.tar", whole)
                .with("absent.bundle.tar", absent)
                .with("bare.bundle.tar", fusion_fixtures::Content::from(content));
            let path = scene.source(&format!("{}.tar.gz", platform.architecture));
            package.write(&path, &wrap).unwrap();
            path
        })
        .collect();
    let out = scene.out("out.tar");
    let report = fused(&packages, &out, &[]);
    let tree = Tree::open(&out);
    let bare = tree.nested("bare.bundle.tar");
    assert!(!bare.has("images.tar"));
    assert_eq!(bare.file("hints.yaml"), b"");
    let source = Tree::open(&sources[0]);
    assert_eq!(bare.names(), source.names());
    assert_eq!(chart(&report, "web")["platforms"], serde_json::json!([]));
    let absent = tree.nested("absent.bundle.tar");
    assert!(!absent.has("hints.yaml"));
    assert_eq!(
        absent.images().platforms(WEB),
        ["linux/amd64", "linux/arm64"]
    );
}

#[test]
fn a_bundle_without_images_takes_those_of_the_other() {
    let scene = Scene::new();
    let (sources, written) = pair(&scene, "web.bundle.tar", |platform| BundleOptions {
        images_tar: *platform == Platform::amd64(),
        ..BundleOptions::default()
    });
    let out = scene.out("web.bundle.tar");
    let report = fused(&sources, &out, &[]);
    assert_holds(
        &Tree::open(&out).images(),
        &written.iter().collect::<Vec<_>>(),
    );
    assert_eq!(
        chart(&report, "web")["platforms"],
        serde_json::json!(["linux/amd64"])
    );
}

#[test]
fn one_bundle_alone_stays_one() {
    let scene = Scene::new();
    let (sources, written) = pair(&scene, "web.bundle.tar", usual);
    let out = scene.out("web.bundle.tar");
    let sources: [&Path; 1] = [&sources[1]];
    let report = fused(&sources, &out, &[]);
    assert_eq!(report["destination"]["kind"], "bundle");
    let arm64: Vec<_> = (written.iter())
        .filter(|image| image.platform == Platform::arm64())
        .collect();
    assert_holds(&Tree::open(&out).images(), &arm64);
}
