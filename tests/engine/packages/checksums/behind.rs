//! Lists that come behind what they name, in streams that are read once.

use std::path::Path;

use fusion_fixtures::package::{Package, Wrap, sha512};
use fusion_fixtures::{Digest, Platform, Squeeze};
use serde_json::Value;

use super::super::super::scene::remove;
use super::super::super::support::{Scene, fused, fusion};
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
fn a_list_unlike_those_before_it_costs_a_second_reading_or_is_reported() {
    let scene = Scene::new();
    let platform = Platform::amd64();
    let bytes = bytes_of(&scene, &platform);
    let (source, out) = (scene.source("p.tar.gz"), scene.out("out.tar"));
    let first = format!("{}  a.txt\n", sha512(&b"a\n"[..]).unwrap());
    let first = Some(("a/a.txt.sha512sum", first.as_str()));
    let gzip = Wrap::Squeezed(Squeeze::gzip());
    let package = sha256_behind(&platform, &bytes, first, None);
    package.write(&source, &gzip).unwrap();
    fused(&[&source], &out, &[]);
    remove(&out);
    let report = piped(&source, &out, 0);
    let said = warnings(&report, "unchecked-checksum");
    // The bytes of what is compressed inside cannot be told from what came out of it.
    let [said] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(said.contains("x/e.tar.gz"), "{said}");
    remove(&out);
    for wrong in ["c.bundle.tar", "d.tar", "e.tar.gz"] {
        let package = sha256_behind(&platform, &bytes, first, Some(wrong));
        package.write(&source, &gzip).unwrap();
        refused(&scene, &source, &[("format", "package")], "z.sha256sum");
        found("verify", &source);
    }
}
