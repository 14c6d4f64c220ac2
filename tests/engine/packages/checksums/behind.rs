//! Lists that come behind what they name, in streams that are read once.

use std::path::Path;

use fusion_fixtures::bundle::Bundle;
use fusion_fixtures::package::{Item, Package, Wrap, sha512};
use fusion_fixtures::{Chart, Content, Digest, Platform, Squeeze, synthetic};
use serde_json::Value;

use super::super::super::scene::remove;
use super::super::super::support::{Scene, fusion};
use super::super::plain::Tree;
use super::super::warnings;
use super::{Listed, bytes_of, everything, found, listing, refused};

/// Fuses `source` through a pipe into `out`, as what its name says.
fn piped(source: &Path, out: &Path, status: i32) -> Value {
    let format = if out.ends_with("layout") {
        "oci"
    } else {
        "package"
    };
    let words = ["fuse", "-", "--json", "--format", format, "-o"];
    let ran = fusion(words).arg(out).input(source).run();
    ran.ends(status).json()
}

#[test]
fn a_pipe_is_checked_as_it_comes_by_wherever_its_lists_stand() {
    let scene = Scene::new();
    let platform = Platform::amd64();
    let bytes = bytes_of(&scene, &platform);
    let source = scene.source("p.tar.gz");
    let gzip = Wrap::Squeezed(Squeeze::gzip());
    for listed in [Listed::AtTheEnd, Listed::Behind, Listed::Before] {
        let wrongs = bytes.iter().map(|(name, _)| Some(*name));
        for wrong in wrongs.chain([None]) {
            let package = listing(&platform, &bytes, listed, wrong);
            package.write(&source, &gzip).unwrap();
            for out in ["out.tar", "layout"].map(|name| scene.out(name)) {
                let report = piped(&source, &out, if wrong.is_some() { 4 } else { 0 });
                let said = warnings(&report, "unchecked-checksum");
                assert!(said.is_empty(), "{listed:?}: {said:?}");
                let kind = &report["error"]["kind"];
                let expected = wrong.map(|_| "digest-mismatch");
                assert_eq!(kind.as_str(), expected, "{listed:?} {wrong:?} {report}");
                remove(&out);
            }
        }
    }
}

/// A package in which SHA-256 sums come last, after `first`.
fn sha256_behind(
    platform: &Platform,
    bytes: &[(&str, Vec<u8>)],
    first: Option<(&str, &str)>,
    wrong: Option<&str>,
) -> Package {
    let mut package = Package::new();
    if let Some((name, text)) = first {
        package.put(name, text);
    }
    for (name, item) in everything(platform) {
        package.put(format!("x/{name}"), item);
    }
    let lines = bytes
        .iter()
        .map(|(name, bytes)| match wrong == Some(*name) {
            true => format!("{}  {name}\n", "0".repeat(64)),
            false => format!("{}  {name}\n", Digest::of(bytes).hex()),
        });
    package.put("x/z.sha256sum", lines.collect::<String>().as_str());
    package
}

#[test]
fn what_no_list_tells_before_is_summed_as_any_list_may_ask() {
    let scene = Scene::new();
    let platform = Platform::amd64();
    let bytes = bytes_of(&scene, &platform);
    let (source, out) = (scene.source("p.tar.gz"), scene.out("out.tar"));
    for wrong in [None, Some("c.bundle.tar"), Some("e.tar.gz")] {
        let package = sha256_behind(&platform, &bytes, None, wrong);
        let gzip = Wrap::Squeezed(Squeeze::gzip());
        package.write(&source, &gzip).unwrap();
        let report = piped(&source, &out, if wrong.is_some() { 4 } else { 0 });
        let said = warnings(&report, "unchecked-checksum");
        assert!(said.is_empty(), "{wrong:?}: {said:?}");
        remove(&out);
    }
}

#[test]
fn a_list_unlike_those_before_it_is_checked_in_the_same_pass() {
    let scene = Scene::new();
    let platform = Platform::amd64();
    let bytes = bytes_of(&scene, &platform);
    let (source, out) = (scene.source("p.tar.gz"), scene.out("out.tar"));
    let first = format!("{}  a.txt\n", sha512(&b"a\n"[..]).unwrap());
    let first = Some(("a/a.txt.sha512sum", first.as_str()));
    let gzip = Wrap::Squeezed(Squeeze::gzip());
    let package = sha256_behind(&platform, &bytes, first, None);
    package.write(&source, &gzip).unwrap();
    let report = piped(&source, &out, 0);
    let said = warnings(&report, "unchecked-checksum");
    assert!(said.is_empty(), "{said:?}");
    remove(&out);
    // What is only looked at is summed as the lists before it ask for; a file is read again then.
    let ran = fusion(["verify", "-", "--json"]).input(&source).run();
    let findings = ran.ends(0).json()["findings"].clone();
    let unchecked = findings.as_array().unwrap().iter();
    let mut unchecked: Vec<&str> = unchecked
        .filter(|finding| finding["code"] == "unchecked-checksum")
        .map(|finding| finding["member"].as_str().unwrap())
        .collect();
    unchecked.sort_unstable();
    assert_eq!(unchecked, ["x/c.bundle.tar", "x/d.tar"], "{findings}");
    fusion(["verify"]).arg(&source).run().ends(0);
    for wrong in ["c.bundle.tar", "d.tar", "e.tar.gz"] {
        let package = sha256_behind(&platform, &bytes, first, Some(wrong));
        package.write(&source, &gzip).unwrap();
        refused(&scene, &source, &[("format", "package")], "z.sha256sum");
        found("verify", &source);
    }
}

/// A plain package that holds all that can not be told again when it has gone by: what is compressed
/// and taken apart, at two depths, and files that a layout has no use for; and what can, between.
fn storehouse() -> Package {
    let bundle = |chart: &str| {
        let name = format!("docker.io/acme/{chart}:1");
        let image = synthetic::image(Some(&name), &Platform::amd64(), 1, &[3000, 5000], 1).unwrap();
        Bundle::new(Chart::new(chart, "1.0.0", &[&name]), vec![image])
    };
    let squeezed = |chart: &str| {
        let inner = Package::new().with(format!("{chart}.bundle.tar"), bundle(chart));
        Item::Package(inner, Wrap::Squeezed(Squeeze::gzip()))
    };
    let tool = |fill: u8| Item::File(Content::from(vec![fill; 3 << 20]));
    let deep = Package::new()
        .with("three.bundle.tar", bundle("three"))
        .with("four.tar.gz", squeezed("four"))
        .with("tool", tool(4))
        .with("end.txt", "end\n");
    // Nothing in it matters, which is known only when some of it has gone by.
    let whole = Package::new()
        .with("tool", tool(5))
        .with("end.txt", "end\n");
    Package::new()
        .with("begin.txt", "begin\n")
        .with("one.bundle.tar", bundle("one"))
        .with("two.tar.gz", squeezed("two"))
        .with("tool", tool(6))
        .with("deep.tar", Item::Package(deep, Wrap::Tar))
        .with("whole.tar", Item::Package(whole, Wrap::Tar))
        .with("five.tar.gz", squeezed("five"))
        .with("end.txt", "end\n")
}

#[test]
fn an_archive_with_compressed_ones_in_it_is_summed_as_it_comes_by() {
    let scene = Scene::new();
    let (plain, source) = (scene.path().join("store.tar"), scene.source("p.tar.gz"));
    storehouse().write(&plain, &Wrap::Tar).unwrap();
    let bytes = std::fs::read(&plain).unwrap();
    let tree = Tree::open(&plain);
    let sums: [(&str, &dyn Fn(&[u8]) -> String); 2] = [
        ("sha256sum", &|bytes| Digest::of(bytes).hex().to_string()),
        ("sha512sum", &|bytes| sha512(bytes).unwrap()),
    ];
    for (kind, sum) in sums {
        // The store itself, and within it what is nested there.
        let outer = format!("{}  store.tar\n", sum(&bytes));
        let inner = format!("{}  deep.tar\n", sum(tree.file("deep.tar")));
        for (store, deep) in [(true, true), (false, true), (true, false)] {
            let spelled = |line: &str, right: bool| match right {
                true => line.to_owned(),
                false => format!("{}{}", "0".repeat(64), &line[64..]),
            };
            let mut held = storehouse();
            let mut outer = outer.clone();
            if kind == "sha512sum" {
                // A list in the store is part of what the one behind the store is about.
                held.put(format!("z.{kind}"), spelled(&inner, deep).as_str());
                held.write(&plain, &Wrap::Tar).unwrap();
                outer = format!("{}  store.tar\n", sum(&std::fs::read(&plain).unwrap()));
            } else if !deep {
                continue;
            }
            let package = Package::new()
                .with("x/store.tar", Item::Package(held, Wrap::Tar))
                .with(format!("x/z.{kind}"), spelled(&outer, store).as_str());
            let gzip = Wrap::Squeezed(Squeeze::gzip());
            package.write(&source, &gzip).unwrap();
            let is_right = store && deep;
            for out in ["out.tar", "layout"].map(|name| scene.out(name)) {
                let report = piped(&source, &out, if is_right { 0 } else { 4 });
                let said = warnings(&report, "unchecked-checksum");
                assert!(said.is_empty(), "{kind}: {said:?}");
                let expected = (!is_right).then_some("digest-mismatch");
                let kind = report["error"]["kind"].as_str();
                assert_eq!(kind, expected, "{store} {deep} {report}");
                remove(&out);
            }
        }
    }
}
