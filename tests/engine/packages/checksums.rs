//! Checksum files, beside a package and in it, are checked in the same pass.

mod behind;

use std::fs;
use std::path::{Path, PathBuf};

use fusion_core::ErrorKind;
use fusion_fixtures::package::{Item, Kind, Offline, Package, sha512};
use fusion_fixtures::{Platform, Squeeze};

use super::super::scene::remove;
use super::super::support::{Scene, fused, fusion, try_fuse};
use super::plain::Tree;
use super::{Pair, offline};

/// Insists that `fuse` with these options refuses `source` because of a checksum in the file
/// called `by`.
fn refused(scene: &Scene, source: &Path, chosen: &[(&str, &str)], by: &str) {
    let failure = try_fuse(&[source], &scene.out("out.tar"), chosen).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::DigestMismatch);
    let said = failure.error.to_string();
    assert!(said.contains(by), "no {by} in {said}");
    assert!(scene.published().is_empty());
}

/// Insists that a verb finds it.
fn found(verb: &str, source: &Path) {
    let ran = fusion([verb, "--json"]).arg(source).run().ends(4);
    let report = ran.json();
    let code = match verb {
        "verify" => &report["findings"][0]["code"],
        _ => &report["error"]["kind"],
    };
    assert_eq!(code, "digest-mismatch", "{ran}");
}

/// Makes a wrong checksum of a right one.
fn spoil(checksum: &Path) {
    let text = fs::read_to_string(checksum).unwrap();
    let other = if text.starts_with('0') { "1" } else { "0" };
    fs::write(checksum, format!("{other}{}", &text[1..])).unwrap();
}

#[test]
fn a_checksum_beside_a_package_has_to_be_right() {
    for kind in [Kind::Module, Kind::Addon] {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        let (source, checksum) = (&pair.amd64.path, pair.amd64.checksum.as_ref().unwrap());
        fused(&[source], &scene.out("out.tar"), &[]);
        remove(&scene.out("out.tar"));
        spoil(checksum);
        let by = checksum.file_name().unwrap().to_str().unwrap();
        refused(&scene, source, &[], by);
        found("verify", source);
        if kind == Kind::Addon {
            // It is read from start to end anyway.
            found("inspect", source);
        }
    }
}

/// An addon package in which a file was changed after its checksum was made.
fn changed(scene: &Scene, wrap: &fusion_fixtures::package::Wrap, name: &str) -> PathBuf {
    let mut package = Offline::new(Kind::Addon)
        .package(&Platform::amd64())
        .unwrap();
    for (path, item) in &mut package.members {
        if path.ends_with("/charts-syncer") {
            *item = Item::Program("another build\n".into());
        }
    }
    let path = scene.source(name);
    package.write(&path, wrap).unwrap();
    path
}

#[test]
fn a_checksum_in_a_package_has_to_be_right() {
    use fusion_fixtures::package::Wrap;
    for (name, wrap) in [
        ("addon.tar", Wrap::Tar),
        ("addon.tar.gz", Wrap::Squeezed(Squeeze::gzip())),
        ("addon", Wrap::Directory),
    ] {
        let scene = Scene::new();
        let source = changed(&scene, &wrap, name);
        refused(&scene, &source, &[], "charts-syncer.sha512sum");
        if name != "addon.tar.gz" {
            found("verify", &source);
        }
    }
}

#[test]
fn what_was_fused_passes_the_checks_again() {
    let scene = Scene::new();
    // Each architecture has its own tools and its own checksums, spelled in every usual way.
    let sources = super::platforms().map(|platform| {
        let mut package = offline(Kind::Addon, 1, 100_000).package(&platform).unwrap();
        add_tools(&mut package, &platform);
        let path = scene.source(&format!("{}.tar.gz", platform.architecture));
        package.write(&path, &Kind::Addon.usual_wrap()).unwrap();
        path
    });
    let out = scene.out("addon.tar");
    fused(&sources, &out, &[]);
    let tree = Tree::open(&out);
    let beside = tree
        .names()
        .into_iter()
        .filter(|name| name.contains("linux-arm64"));
    assert_eq!(beside.count(), 2 + 5, "{:?}", tree.names());
    assert_eq!(right(&tree), 2 * 5);
    fused(&[&out], &scene.out("again.tar"), &[]);
    for verb in ["verify", "inspect"] {
        fusion([verb, "--json"]).arg(&out).run().ends(0);
    }
}

/// Insists that everything which a checksum file of `tree` lists is there and what it says, and
/// counts it.
fn right(tree: &Tree) -> usize {
    let mut checked = 0;
    for list in tree.names() {
        let last = list.rsplit('/').next().unwrap();
        if !last.to_lowercase().contains("sha512") {
            continue;
        }
        let folder = list.strip_suffix(last).unwrap();
        for line in tree.text(list).lines() {
            let Some((sum, name)) = line.split_once("  ") else {
                continue;
            };
            let found = sha512(tree.file(&format!("{folder}{name}"))).unwrap();
            assert_eq!(found, sum, "{name} in {list}");
            checked += 1;
        }
    }
    checked
}

#[test]
fn lists_of_what_was_fused_are_made_anew() {
    use fusion_fixtures::package::Wrap;
    for (name, wrap) in [
        ("tar", Wrap::Tar),
        ("tar.gz", Wrap::Squeezed(Squeeze::gzip())),
    ] {
        for (listed, count) in [(Listed::Before, 5), (Listed::Behind, 5)] {
            let scene = Scene::new();
            let sources = super::platforms().map(|platform| {
                let bytes = bytes_of(&scene, &platform);
                let mut package = listing(&platform, &bytes, listed, None);
                // A list with a remark, of a program for this platform and of a bundle.
                let (_, bundle) = &bytes[2];
                let tool = format!("for {platform}");
                package.put("x/tool", Item::Program(tool.as_str().into()));
                let list = format!(
                    "# of 1.2\n{}  tool\n\n{}  c.bundle.tar\n",
                    sha512(tool.as_bytes()).unwrap(),
                    sha512(bundle.as_slice()).unwrap()
                );
                package.put("x/tools.sha512sum", list.as_str());
                let source = scene.source(&format!("{}.{name}", platform.architecture));
                package.write(&source, &wrap).unwrap();
                source
            });
            let mut first = None;
            for out in ["out.tar", "out.tar.gz", "out.tar.zst"] {
                let out = scene.out(out);
                let report = fused(&sources, &out, &[]);
                let tree = Tree::open(&out);
                assert_eq!(right(&tree), count + 2 * 2, "{listed:?}");
                let stale = super::warnings(&report, "stale-checksum");
                assert!(stale.is_empty(), "{stale:?}");
                let list = tree.text("x/tools.sha512sum.linux-arm64");
                assert!(list.starts_with("# of 1.2\n"), "{list}");
                assert!(list.contains("  tool.linux-arm64\n\n"), "{list}");
                let all = tree.text("x/tools.sha512sum");
                assert_eq!(*first.get_or_insert_with(|| all.clone()), all);
                fusion(["verify"]).arg(&out).run().ends(0);
                // An architecture that comes later makes the same.
                let grown = scene.out(&format!("grown-{}", out.file_name().unwrap().display()));
                for (at, last) in [&sources, &sources].into_iter().enumerate() {
                    remove(&grown);
                    fused(&[&last[at]], &grown, &[]);
                    assert!(right(&Tree::open(&grown)) >= count + 2);
                    fused(&[&last[1 - at]], &grown, &[("on-existing", "merge")]);
                    assert_eq!(fs::read(&grown).unwrap(), fs::read(&out).unwrap(), "{at}");
                }
            }
        }
    }
}

#[test]
fn a_list_of_what_is_no_file_of_the_result_stays_and_is_reported() {
    use fusion_fixtures::package::{Archive, Wrap};
    use fusion_fixtures::{Flavour, synthetic};
    let scene = Scene::new();
    let sources = super::platforms().map(|platform| {
        let bytes = bytes_of(&scene, &platform);
        let image = synthetic::image(Some("docker.io/acme/f:1"), &platform, 1, &[3000], 1).unwrap();
        let layout = Archive::new(Flavour::OciLayout, vec![image]);
        let mut package = Package::new().with("images", layout);
        for (name, item) in everything(&platform) {
            package.put(name, item);
        }
        let plain = scene.source("plain.tar");
        package.write(&plain, &Wrap::Tar).unwrap();
        // What is in a layout is written anew as a whole.
        let index = sha512(Tree::open(&plain).file("images/index.json")).unwrap();
        let bundle = sha512(bytes[2].1.as_slice()).unwrap();
        let list = format!("{index}  images/index.json\n{bundle}  c.bundle.tar\n");
        package.put("all.sha512sum", list.as_str());
        let source = scene.source(&format!("{}.tar.gz", platform.architecture));
        package
            .write(&source, &Wrap::Squeezed(Squeeze::gzip()))
            .unwrap();
        source
    });
    let report = fused(&sources, &scene.out("out.tar"), &[]);
    let stale = super::warnings(&report, "stale-checksum");
    assert_eq!(stale.len(), 2, "{stale:?}");
    assert!(
        stale.iter().all(|said| said.contains("c.bundle.tar")),
        "{stale:?}"
    );
}

fn add_tools(package: &mut Package, platform: &Platform) {
    let root = format!(
        "addon-offline-full-package-v0.12.0-{}/tools",
        platform.architecture
    );
    let content = format!("a tool for {platform}\n");
    let sum = format!("{}  tool\n", sha512(content.as_bytes()).unwrap());
    package.put(
        format!("{root}/tool"),
        Item::Program(content.as_str().into()),
    );
    for name in [
        "tool.sha512",
        "tool.sha512sum",
        "SHA512SUMS",
        "sha512sum.txt",
    ] {
        package.put(format!("{root}/{name}"), sum.as_str());
    }
}

/// Where a list of checksums stands in a package.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Listed {
    Before,
    /// Behind each file, a list of its own.
    Behind,
    AtTheEnd,
    /// In a folder of its own, before everything.
    FromTheRoot,
}

/// Files of every kind that a package is made of, which are taken apart or kept: plain, compressed,
/// a bundle, an archive, and a package with a bundle and a list of its own.
fn everything(platform: &Platform) -> Vec<(&'static str, Item)> {
    use fusion_fixtures::bundle::Bundle;
    use fusion_fixtures::package::{Archive, Wrap};
    use fusion_fixtures::{Chart, Content, Flavour, synthetic};
    let image = |name: &str| synthetic::image(Some(name), platform, 1, &[3000, 5000], 1).unwrap();
    let bundle = |chart: &str| {
        let name = format!("docker.io/acme/{chart}:1");
        Bundle::new(Chart::new(chart, "1.0.0", &[&name]), vec![image(&name)])
    };
    let inner = Package::new().with("inner.bundle.tar", bundle("inner"));
    let archive = |name| Archive::new(Flavour::Ggcr, vec![image(name)]);
    let plain = Package::new().with("a.txt", "a\n");
    vec![
        ("a.bin", Item::File(Content::from(vec![7; 3 << 20]))),
        (
            "b.tar.gz",
            Item::Package(plain, Wrap::Squeezed(Squeeze::gzip())),
        ),
        ("c.bundle.tar", bundle("c").into()),
        ("d.tar", archive("docker.io/acme/d:1").into()),
        (
            "e.tar.gz",
            Item::Package(inner, Wrap::Squeezed(Squeeze::gzip())),
        ),
    ]
}

/// The bytes of each of the files, as they are in a package.
fn bytes_of(scene: &Scene, platform: &Platform) -> Vec<(&'static str, Vec<u8>)> {
    let mut package = Package::new();
    for (name, item) in everything(platform) {
        package.put(name, item);
    }
    let path = scene.path().join("bytes.tar");
    package
        .write(&path, &fusion_fixtures::package::Wrap::Tar)
        .unwrap();
    let tree = Tree::open(&path);
    let names = everything(platform).into_iter().map(|(name, _)| name);
    names.map(|name| (name, tree.file(name).to_vec())).collect()
}

/// A package with all of it, in which the checksum of `wrong` is.
fn listing(
    platform: &Platform,
    bytes: &[(&str, Vec<u8>)],
    listed: Listed,
    wrong: Option<&str>,
) -> Package {
    let line = |name: &str| {
        let (_, bytes) = bytes.iter().find(|(of, _)| *of == name).unwrap();
        let sum = match wrong == Some(name) {
            true => "0".repeat(128),
            false => sha512(bytes.as_slice()).unwrap(),
        };
        match listed {
            Listed::FromTheRoot => format!("{sum} *x/{name}\n"),
            _ => format!("{sum}  {name}\n"),
        }
    };
    let all: String = bytes.iter().map(|(name, _)| line(name)).collect();
    let mut package = Package::new();
    match listed {
        Listed::Before => package.put("x/SHA512SUMS", all.as_str()),
        Listed::FromTheRoot => package.put("sums/all.sha512sum", all.as_str()),
        Listed::Behind | Listed::AtTheEnd => {}
    }
    for (name, item) in everything(platform) {
        package.put(format!("x/{name}"), item);
        if listed == Listed::Behind {
            package.put(format!("x/{name}.sha512sum"), line(name).as_str());
        }
    }
    if listed == Listed::AtTheEnd {
        package.put("x/sha512sum.txt", all.as_str());
    }
    package
}

#[test]
fn a_checksum_of_anything_in_a_package_has_to_be_right_wherever_its_list_stands() {
    use fusion_fixtures::package::Wrap;
    let scene = Scene::new();
    let platform = Platform::amd64();
    let bytes = bytes_of(&scene, &platform);
    let wraps = [
        ("p.tar", Wrap::Tar),
        ("p.tar.gz", Wrap::Squeezed(Squeeze::gzip())),
        ("p", Wrap::Directory),
    ];
    let lists = [
        Listed::Before,
        Listed::Behind,
        Listed::AtTheEnd,
        Listed::FromTheRoot,
    ];
    for (name, wrap) in &wraps {
        for listed in lists {
            let source = scene.source(name);
            let package = listing(&platform, &bytes, listed, None);
            package.write(&source, wrap).unwrap();
            for (out, format) in [("out.tar", "package"), ("layout", "oci")] {
                fused(&[&source], &scene.out(out), &[("format", format)]);
                remove(&scene.out(out));
            }
            fusion(["verify"]).arg(&source).run().ends(0);
            fusion(["inspect"]).arg(&source).run().ends(0);
            remove(&source);
            for (wrong, _) in &bytes {
                let package = listing(&platform, &bytes, listed, Some(wrong));
                package.write(&source, wrap).unwrap();
                println!("{name} {listed:?} {wrong}");
                refused(&scene, &source, &[("format", "package")], wrong);
                refused(&scene, &source, &[("format", "oci")], wrong);
                found("verify", &source);
                if *name == "p.tar.gz" {
                    found("inspect", &source);
                }
                remove(&source);
            }
        }
    }
}

#[test]
fn a_list_in_a_package_in_a_package_names_what_stands_before_it() {
    use fusion_fixtures::package::Wrap;
    let scene = Scene::new();
    let platform = Platform::amd64();
    let bytes = bytes_of(&scene, &platform);
    let gzip = || Wrap::Squeezed(Squeeze::gzip());
    for (wrap, inner_wrap) in [(gzip(), gzip()), (gzip(), Wrap::Tar), (Wrap::Tar, gzip())] {
        for (wrong, status) in [(None, 0), (Some("c.bundle.tar"), 4), (Some("e.tar.gz"), 4)] {
            let inner = listing(&platform, &bytes, Listed::AtTheEnd, wrong);
            let middle = Package::new().with("y/inner", Item::Package(inner, inner_wrap.clone()));
            let outer = Package::new().with("middle.tar", Item::Package(middle, Wrap::Tar));
            let source = scene.source("p");
            outer.write(&source, &wrap).unwrap();
            let ran = fusion(["verify", "--json"]).arg(&source).run().ends(status);
            if let Some(wrong) = wrong {
                let member = ran.json()["findings"][0]["member"].clone();
                let name = format!("middle.tar › y/inner › x/{wrong}");
                assert_eq!(member, name, "{ran}");
            }
            remove(&source);
        }
    }
}
