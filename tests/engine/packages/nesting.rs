//! Bundles and archives are found by their content wherever they lie, and however what they lie in
//! is wrapped.

use std::path::{Path, PathBuf};

use fusion_fixtures::bundle::Bundle;
use fusion_fixtures::package::{Archive, Item, Package, Wrap, WrittenPackage};
use fusion_fixtures::{Chart, Content, Flavour, Image, LayerForm, Options, Outer, Squeeze};
use fusion_fixtures::{Platform, synthetic, write};

use super::super::scene::sha256;
use super::super::support::{Layout, Scene, fused, fusion};
use super::plain::Tree;
use super::{assert_holds, images, platforms};

const WEB: &str = "docker.io/acme/web:1";

fn web(platform: &Platform) -> Vec<Image> {
    vec![synthetic::image(Some(WEB), platform, 1, &[3000, 5000], 1).unwrap()]
}

fn archive(flavour: Flavour, platform: &Platform) -> Archive {
    Archive::new(flavour, web(platform))
}

fn bundle(platform: &Platform) -> Bundle {
    Bundle::new(Chart::new("web", "1.0.0", &[WEB]), web(platform))
}

fn gzip() -> Wrap {
    Wrap::Squeezed(Squeeze::gzip())
}

fn zstd() -> Wrap {
    Wrap::Squeezed(Squeeze::zstd())
}

/// What a package may be made of, and where the images then lie in the result: in an archive of
/// that path, or below a folder of it.
type Case = (
    &'static str,
    fn(&Platform) -> Package,
    &'static [&'static str],
    &'static str,
);

/// Bytes that look like nothing, more than are kept to see what a container is.
fn late() -> Content {
    Content::from(vec![b'.'; 3 << 20])
}

const CASES: &[Case] = &[
    (
        "an archive in a folder",
        |platform| {
            let name = format!("data/{}/images.tar", platform.architecture);
            Package::new().with(name, archive(Flavour::Skopeo, platform))
        },
        &["data/images.tar"],
        "",
    ),
    (
        "a layout in a folder of the architecture",
        |platform| {
            let name = format!("data/{}/images", platform.architecture);
            Package::new().with(name, archive(Flavour::OciLayout, platform))
        },
        &[],
        "data/images/",
    ),
    (
        "a docker archive that was unpacked",
        |platform| {
            let archive = Item::Spread(archive(Flavour::DockerLegacy, platform));
            Package::new()
                .with("images", archive)
                .with("notes.txt", "notes\n")
        },
        &[],
        "images/",
    ),
    (
        "a package in a package in a package",
        |platform| {
            let inner = Package::new().with("web.bundle.tar", bundle(platform));
            let middle = Package::new().with("inner.tar.zst", Item::Package(inner, zstd()));
            Package::new().with("middle.tar.gz", Item::Package(middle, gzip()))
        },
        &[
            "middle.tar.gz",
            "inner.tar.zst",
            "web.bundle.tar",
            "images.tar",
        ],
        "",
    ),
    (
        "plain tars in each other",
        |platform| {
            let inner = Package::new().with("web.bundle.tar", bundle(platform));
            let middle = Package::new().with("x/inner.tar", Item::Package(inner, Wrap::Tar));
            Package::new().with("middle.tar", Item::Package(middle, Wrap::Tar))
        },
        &["middle.tar", "x/inner.tar", "web.bundle.tar", "images.tar"],
        "",
    ),
    (
        "a bundle after much that tells nothing, in a plain tar",
        |platform| {
            let inner = Package::new().with("data.bin", Item::File(late()));
            let inner = inner.with("web.bundle.tar", bundle(platform));
            Package::new().with("inner.tar", Item::Package(inner, Wrap::Tar))
        },
        &["inner.tar", "web.bundle.tar", "images.tar"],
        "",
    ),
    (
        "a bundle after much that tells nothing, in a compressed tar",
        |platform| {
            let noise = fusion_fixtures::Noise {
                seed: 9,
                size: 6 << 20,
                label: None,
            };
            let noise = fusion_fixtures::Layer::noise(noise).unwrap().content;
            let inner = Package::new().with("data.bin", Item::File(noise));
            let inner = inner.with("web.bundle.tar", bundle(platform));
            Package::new().with("inner.tar.gz", Item::Package(inner, gzip()))
        },
        &["inner.tar.gz", "web.bundle.tar", "images.tar"],
        "",
    ),
    (
        "a bundle that was unpacked",
        |platform| {
            let bundle = bundle(platform);
            let chart = Chart::new("web", "1.0.0", &[WEB]);
            let mut package = Package::new().with("web/hints.yaml", chart.hints().as_str());
            let yaml = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
            package.put("web/original-chart/Chart.yaml", yaml);
            let values = chart.values();
            package.put("web/original-chart/values.yaml", values.as_str());
            package.put("web/images.tar", Archive::new(Flavour::Ggcr, bundle.images));
            package
        },
        &["web/images.tar"],
        "",
    ),
    (
        "names that start with a dot",
        |platform| {
            let mut package = Package::new().with("web.bundle.tar", bundle(platform));
            package.prefix = "./".to_owned();
            package
        },
        &["web.bundle.tar", "images.tar"],
        "",
    ),
    (
        "long names",
        |platform| {
            let folder = "a-folder-with-a-long-name/".repeat(9);
            Package::new().with(format!("{folder}web.bundle.tar"), bundle(platform))
        },
        // The reader finds it by its end.
        &["*web.bundle.tar", "images.tar"],
        "",
    ),
];

/// The packages of both architectures, wrapped so.
fn pair(
    scene: &Scene,
    name: &str,
    wrap: &Wrap,
    of: fn(&Platform) -> Package,
) -> [WrittenPackage; 2] {
    platforms().map(|platform| {
        let path = scene.source(&format!("{name}-{}", platform.architecture));
        of(&platform).write(&path, wrap).unwrap()
    })
}

/// The layout at the end of a path through archives.
fn follow(tree: Tree, path: &[&str], prefix: &str) -> Layout {
    let last = path.iter().fold(tree, |tree, name| {
        let name = match name.strip_prefix('*') {
            None => (*name).to_owned(),
            Some(end) => {
                let found = tree.names().into_iter().find(|name| name.ends_with(end));
                found.unwrap_or_else(|| panic!("no {end}")).to_owned()
            }
        };
        tree.nested(&name)
    });
    last.layout(prefix)
}

#[test]
fn images_are_found_and_fused_in_their_place() {
    for (about, of, path, prefix) in CASES {
        println!("{about}");
        let scene = Scene::new();
        let wraps = [
            ("tar", Wrap::Tar),
            ("gz", gzip()),
            ("zst", zstd()),
            ("dir", Wrap::Directory),
        ];
        let mut first = None;
        for (name, wrap) in wraps {
            let pair = pair(&scene, name, &wrap, *of);
            let sources: [&Path; 2] = [&pair[0].path, &pair[1].path];
            let out = scene.out(&format!("{name}.tar"));
            fused(&sources, &out, &[]);
            let layout = follow(Tree::open(&out), path, prefix);
            let written: Vec<_> = pair.iter().flat_map(images).collect();
            assert_holds(&layout, &written);
            let found = sha256(&out);
            let first = first.get_or_insert_with(|| found.clone());
            assert_eq!(*first, found, "{about} as {name}");
        }
    }
}

#[test]
fn a_package_comes_through_a_pipe_as_well() {
    for (about, of, ..) in CASES {
        let scene = Scene::new();
        for (name, wrap) in [("tar", Wrap::Tar), ("gz", gzip())] {
            let [amd64, arm64] = pair(&scene, name, &wrap, *of);
            let [direct, piped] = ["direct.tar", "piped.tar"].map(|out| scene.out(out));
            let fuse = |first: &Path, out: &Path| {
                let words = ["fuse", "--json", "--durability", "rename", "-o"];
                fusion(words).arg(out).arg(first).arg(&arm64.path)
            };
            fuse(&amd64.path, &direct).run().ends(0);
            fuse(Path::new("-"), &piped)
                .input(&amd64.path)
                .run()
                .ends(0);
            assert_eq!(sha256(&direct), sha256(&piped), "{about} as {name}");
            std::fs::remove_file(&direct).unwrap();
            std::fs::remove_file(&piped).unwrap();
        }
    }
}

#[test]
fn what_is_no_image_stays_as_it_is() {
    let scene = Scene::new();
    // Archives of anything, compressed files, and what is named as if it were an archive.
    let files = Package::new().with("a.txt", "a\n").with("b/c.txt", "c\n");
    let json = r#"{"manifests": "none"}"#;
    let sources = platforms().map(|platform| {
        let package = Package::new()
            .with("images.tar", archive(Flavour::Ggcr, &platform))
            .with("files.tar", Item::Package(files.clone(), Wrap::Tar))
            .with("files.tar.gz", Item::Package(files.clone(), gzip()))
            .with("files.tar.zst", Item::Package(files.clone(), zstd()))
            .with("os-pkgs.tar", "not a tar at all\n")
            .with(
                "x.tar.gz",
                Item::File(Content::from(vec![0x1f, 0x8b, 8, 0, 1])),
            )
            .with("empty.tar", "")
            .with("data/manifest.json", "[]")
            .with("data/index.json", json)
            .with("values/hints.yaml", "- \"a hint of something else\"\n");
        let path = scene.source(&format!("{}.tar.gz", platform.architecture));
        package.write(&path, &gzip()).unwrap();
        path
    });
    let out = scene.out("out.tar");
    fused(&sources, &out, &[]);
    let (tree, source) = (Tree::open(&out), Tree::open(&sources[0]));
    assert_eq!(tree.names(), source.names());
    for name in tree
        .names()
        .into_iter()
        .filter(|name| *name != "images.tar")
    {
        assert_eq!(tree.node(name), source.node(name), "{name}");
    }
}

/// A compressed image archive beside other files.
#[test]
fn an_archive_in_a_package_keeps_its_compression() {
    for (outer, end, magic) in [
        (Outer::Gzip, "gz", [0x1f, 0x8b]),
        (Outer::Zstd, "zst", [0x28, 0xb5]),
    ] {
        let scene = Scene::new();
        let name = format!("images.tar.{end}");
        let sources: Vec<PathBuf> = platforms()
            .iter()
            .map(|platform| {
                let folder = scene.source(&platform.architecture);
                std::fs::create_dir(&folder).unwrap();
                let options = Options {
                    outer,
                    ..Options::default()
                };
                let images = web(platform);
                let to = folder.join(&name);
                write(Flavour::Skopeo, LayerForm::Raw, &images, &to, &options).unwrap();
                std::fs::write(folder.join("install.sh"), "#!/bin/sh\n").unwrap();
                folder
            })
            .collect();
        let out = scene.out("out.tar");
        let report = fused(&sources, &out, &[]);
        assert_eq!(report["destination"]["kind"], "package");
        let tree = Tree::open(&out);
        assert_eq!(tree.names(), [&name, "install.sh"]);
        assert_eq!(tree.file(&name)[..2], magic);
        let layout = tree.nested(&name).layout("");
        assert_eq!(layout.platforms(WEB), ["linux/amd64", "linux/arm64"]);
    }
}
