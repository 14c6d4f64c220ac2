//! Every known layout: the packages of two architectures go in, one of the same kind comes out, or
//! all images as a layout or an archive.

use std::path::Path;

use fusion_fixtures::package::Kind;

use super::super::support::{Layout, Scene, fused};
use super::plain::{Tree, compression};
use super::{Pair, assert_holds, chart, fused_images, images, warnings};

/// Fuses the images alone, into a layout and into an archive, and insists on every one of them.
fn images_alone(scene: &Scene, pair: &Pair) {
    for name in ["layout", "images.tar"] {
        let out = scene.out(name);
        let report = fused_images(&pair.sources(), &out);
        assert_holds(&Layout::sound(&out), &pair.images());
        assert_eq!(report["status"], "ok");
    }
}

/// Fuses into the same kind of thing, and reads the result.
fn same_kind(scene: &Scene, pair: &Pair, name: &str, kind: &str) -> (serde_json::Value, Tree) {
    let out = scene.out(name);
    let report = fused(&pair.sources(), &out, &[]);
    assert_eq!(report["destination"]["kind"], kind);
    assert_eq!(report["status"], "ok");
    assert_eq!(compression(&out), by_name(&out), "{name}");
    (report, Tree::open(&out))
}

fn by_name(path: &Path) -> &'static str {
    match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => "none",
    }
}

#[test]
fn a_module_download_stays_a_folder_of_bundles_in_a_tar() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Module);
    let (report, tree) = same_kind(&scene, &pair, "mcamel-rabbitmq.tar", "package");

    // The folder loses its architecture: it has both.
    let root = "mcamel-rabbitmq_0.13.1";
    let names = ["mcamel-rabbitmq-1", "mcamel-rabbitmq-2", "mcamel-rabbitmq"];
    let paths = names.map(|name| format!("{root}/{name}_0.13.1.bundle.tar"));
    assert_eq!(tree.names(), paths);
    assert_eq!(pair.amd64.bundles.len(), 3);
    for (name, path) in names.iter().zip(&paths) {
        assert_holds(&tree.nested(path).images(), &pair.of_chart(name));
        let chart = chart(&report, name);
        assert_eq!(
            chart["platforms"],
            serde_json::json!(["linux/amd64", "linux/arm64"])
        );
        assert_eq!(chart["version"], "0.13.1");
    }
    assert_eq!(warnings(&report, "missing-platform"), [""; 0]);
    images_alone(&scene, &pair);
}

#[test]
fn an_addon_package_stays_one_with_all_charts_and_files() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Addon);
    let out = "addon-offline-full-package-v0.12.0.tar.gz";
    let (report, tree) = same_kind(&scene, &pair, out, "package");

    let root = "addon-offline-full-package-v0.12.0";
    for bundle in pair.amd64.bundles.iter().chain(&pair.arm64.bundles) {
        let path = bundle.path.to_str().unwrap();
        let (_, below) = path.split_once('/').unwrap();
        let bundle_of = tree.nested(&format!("{root}/{below}"));
        assert_holds(&bundle_of.images(), &pair.of_chart(&bundle.chart));
    }
    // velero is for amd64 only: kept, and said.
    assert_eq!(pair.arm64.bundles.len(), 2);
    assert_eq!(report["charts"].as_array().unwrap().len(), 3);
    assert_eq!(
        chart(&report, "velero")["platforms"],
        serde_json::json!(["linux/amd64"])
    );
    let said = warnings(&report, "missing-platform");
    assert!(
        said.iter()
            .any(|said| said.contains("velero 5.2.0") && said.contains("linux/arm64")),
        "{said:?}"
    );

    let sources = pair.sources().map(Tree::open);
    let from = |at: usize, name: &str| {
        let architecture = ["amd64", "arm64"][at];
        sources[at].file(&format!("{root}-{architecture}/{name}"))
    };
    // What is the same is there once, what differs twice.
    assert_eq!(
        tree.file(&format!("{root}/README.md")),
        from(0, "README.md")
    );
    assert!(!tree.has(&format!("{root}/README.linux-arm64.md")));
    let said = warnings(&report, "file-conflict");
    for (name, beside) in [
        ("charts-syncer", "charts-syncer.linux-arm64"),
        (
            "charts-syncer.sha512sum",
            "charts-syncer.sha512sum.linux-arm64",
        ),
        ("manifest.yaml", "manifest.linux-arm64.yaml"),
    ] {
        assert_eq!(tree.file(&format!("{root}/{name}")), from(0, name));
        // A list beside names the file beside.
        let mut expected = from(1, name).to_vec();
        if name.ends_with("sum") {
            expected.truncate(expected.len() - 1);
            expected.extend_from_slice(b".linux-arm64\n");
        }
        assert_eq!(tree.file(&format!("{root}/{beside}")), expected);
        let said = said
            .iter()
            .filter(|said| said.contains(&format!("{root}/{name}`")));
        let said: Vec<_> = said.collect();
        assert!(
            said.len() == 1 && said[0].contains(beside),
            "{name}: {said:?}"
        );
    }
    assert_eq!(said.len(), 3, "{said:?}");
    images_alone(&scene, &pair);
}

/// The layout and the list of a kubean archive.
fn assert_kubean(tree: &Tree, pair: &Pair) {
    assert_holds(&tree.layout("offline-images/"), &pair.images());
    let list = tree.text("offline-images/images.list");
    let mut wanted: Vec<&str> = (images(&pair.amd64).into_iter())
        .filter_map(|image| image.reference.as_deref())
        .collect();
    wanted.sort_unstable();
    let mut found: Vec<&str> = list.lines().collect();
    found.sort_unstable();
    assert_eq!(found, wanted, "the list names every image once");
}

#[test]
fn kubeans_images_stay_a_layout_with_its_list() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Kubean);
    let (report, tree) = same_kind(&scene, &pair, "offline-images.tar.gz", "package");
    assert_kubean(&tree, &pair);
    let beside = tree
        .names()
        .into_iter()
        .filter(|name| !name.contains("/blobs/"));
    assert_eq!(
        beside.collect::<Vec<_>>(),
        ["images.list", "index.json", "manifest.json", "oci-layout"]
            .map(|name| format!("offline-images/{name}"))
    );
    assert_eq!(warnings(&report, "file-conflict"), [""; 0]);
    images_alone(&scene, &pair);
}

#[test]
fn kubeans_lists_are_one_list_of_all_images() {
    let scene = Scene::new();
    let list = |name: &str, references: &[&str], platform| {
        let image = |reference: &&str| {
            fusion_fixtures::synthetic::image(Some(reference), platform, 1, &[2000], 0).unwrap()
        };
        let images = references.iter().map(image).collect();
        let mut layout =
            fusion_fixtures::package::Archive::new(fusion_fixtures::Flavour::OciLayout, images);
        layout.options.naming = fusion_fixtures::Naming::Full;
        let list: String = references
            .iter()
            .map(|reference| format!("{reference}\n"))
            .collect();
        let package = fusion_fixtures::package::Package::new()
            .with("offline-images", layout)
            .with("offline-images/images.list", list.as_str());
        let path = scene.source(name);
        package.write(&path, &Kind::Kubean.usual_wrap()).unwrap();
        path
    };
    let [web, api, job] = [
        "docker.io/acme/web:1",
        "docker.io/acme/api:1",
        "docker.io/acme/job:1",
    ];
    let [amd64, arm64] = super::platforms();
    let sources = [
        list("amd64.tar.gz", &[web, api], &amd64),
        list("arm64.tar.gz", &[job, web], &arm64),
    ];
    let out = scene.out("offline-images.tar.gz");
    fused(&sources, &out, &[]);
    let tree = Tree::open(&out);
    assert_eq!(
        tree.text("offline-images/images.list"),
        format!("{web}\n{api}\n{job}\n")
    );
    assert_eq!(tree.layout("offline-images/").names().len(), 3);
}

#[test]
fn kubeans_release_keeps_an_archive_in_an_archive_both_compressed() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::KubeanRelease);
    let (report, tree) = same_kind(&scene, &pair, "images-v0.18.0.tar.gz", "package");
    assert_eq!(
        tree.names(),
        ["images/import_images.sh", "images/offline-images.tar.gz"]
    );
    let inner = tree.file("images/offline-images.tar.gz");
    assert_eq!(inner[..2], [0x1f, 0x8b], "it stays compressed");
    assert_kubean(&tree.nested("images/offline-images.tar.gz"), &pair);
    let source = Tree::open(&pair.amd64.path);
    let script = "images/import_images.sh";
    assert_eq!(tree.file(script), source.file(script));
    assert_eq!(warnings(&report, "file-conflict"), [""; 0]);
    images_alone(&scene, &pair);
}

#[test]
fn the_images_of_k3s_stay_one_zstd_archive() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::K3s);
    let (_, tree) = same_kind(&scene, &pair, "k3s-airgap-images.tar.zst", "oci-archive");
    assert_holds(&tree.layout(""), &pair.images());
    assert!(tree.has("manifest.json"), "k3s and docker read it");
    images_alone(&scene, &pair);
}

#[test]
fn the_images_of_rke2_stay_one_gzip_archive() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Rke2);
    let (_, tree) = same_kind(&scene, &pair, "rke2-images.linux.tar.gz", "oci-archive");
    assert_holds(&tree.layout(""), &pair.images());
    assert!(tree.has("manifest.json"), "rke2 and docker read it");
    images_alone(&scene, &pair);
}
