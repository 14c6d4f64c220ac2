//! Bundles of charts without images: their `images.tar` lists none, and is no damage however the
//! package comes by.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use fusion_core::ErrorKind;
use fusion_fixtures::Platform;
use fusion_fixtures::bundle::{self, BundleOptions};
use serde_json::Value;

use super::super::scene::sha256;
use super::super::support::{Scene, fused, fusion, try_fuse};
use super::bundles::{images, web};

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A package of a bundle with images, and one whose `images.tar` is this; as a tar, and the same in
/// every form that is read as a stream.
fn packages(scene: &Scene, images_tar: &[u8], first: bool) -> (PathBuf, [PathBuf; 2]) {
    let whole = scene.source("web.bundle.tar");
    let options = BundleOptions::default();
    let platform = Platform::amd64();
    bundle::write(&web("1.5.0"), &images(&platform), &whole, &options).unwrap();
    let chart = b"apiVersion: v2\nname: bare\nversion: 1.0.0\n";
    let mut files: Vec<(&str, &[u8])> = vec![
        ("hints.yaml", b"[]\n"),
        ("original-chart/Chart.yaml", chart),
        ("images.tar", images_tar),
    ];
    if first {
        files.rotate_right(1);
    }
    let bare = tar(&files);
    let plain = tar(&[
        ("bare_1.0.0.bundle.tar", &bare),
        ("web_1.5.0.bundle.tar", &fs::read(&whole).unwrap()),
    ]);
    let path = scene.source("package.tar");
    fs::write(&path, &plain).unwrap();
    let squeezed = ["package.tar.gz", "package.tar.zst"].map(|name| scene.source(name));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    fs::write(&squeezed[0], gzip.finish().unwrap()).unwrap();
    fs::write(&squeezed[1], zstd::encode_all(&plain[..], 1).unwrap()).unwrap();
    (path, squeezed)
}

/// What a verb says of a source, as far as that does not depend on how it is compressed.
fn said(words: &[&str], source: &Path) -> Value {
    let run = fusion(words).arg(source).run().ends(0);
    let mut said = run.json();
    let hide = |value: &mut Value| {
        if let Some(object) = value.as_object_mut() {
            for key in ["source", "sources", "elapsed_seconds", "bytes"] {
                object.remove(key);
            }
        }
    };
    hide(&mut said);
    let text = said.to_string();
    let name = source.file_name().unwrap().to_str().unwrap();
    serde_json::from_str(&text.replace(name, "PACKAGE")).unwrap()
}

#[test]
fn an_images_tar_that_lists_nothing_is_the_same_in_place_and_in_a_stream() {
    let nothing = vec![0; 10 << 10];
    let kinds: [(&str, Vec<u8>); 4] = [
        ("[]", tar(&[("manifest.json", b"[]")])),
        ("null", tar(&[("manifest.json", b"null\n")])),
        ("no member", tar(&[])),
        ("no member, as GNU tar writes it", nothing),
    ];
    for (kind, images_tar) in &kinds {
        for first in [false, true] {
            let scene = Scene::new();
            let (plain, squeezed) = packages(&scene, images_tar, first);
            for format in ["package", "oci-archive"] {
                let expected = scene.out(&format!("plain-{format}.tar"));
                let report = fused(&[&plain], &expected, &[("format", format)]);
                assert_eq!(report["charts"].as_array().map(Vec::len), Some(2));
                for source in &squeezed {
                    let out = scene.out(&format!("squeezed-{format}.tar"));
                    let replace = [("format", format), ("on-existing", "replace")];
                    fused(&[source], &out, &replace);
                    assert_eq!(sha256(&out), sha256(&expected), "{kind}: {source:?}");
                }
                // The same out of a pipe.
                let out = scene.out(&format!("piped-{format}.tar"));
                let run = fusion(["fuse", "-", "--format", format, "-o"]).arg(&out);
                run.input(&squeezed[0]).run().ends(0);
                assert_eq!(sha256(&out), sha256(&expected), "{kind}: piped");
            }
            for words in [
                &["inspect", "--json"][..],
                &["verify", "--json"],
                &["fuse", "--dry-run", "--json"],
            ] {
                let expected = said(words, &plain);
                for source in &squeezed {
                    assert_eq!(said(words, source), expected, "{kind}: {words:?}");
                }
            }
        }
    }
}

#[test]
fn one_that_is_cut_short_is_damage_in_either() {
    for images_tar in [&b""[..], &[0; 512], b"not a tar", &[0; 128 << 10]] {
        let scene = Scene::new();
        let (plain, squeezed) = packages(&scene, images_tar, false);
        for source in squeezed.iter().chain([&plain]) {
            let out = scene.out("out.tar");
            let failure = try_fuse(&[source], &out, &[]).unwrap_err();
            assert_eq!(failure.error.kind(), ErrorKind::InvalidArchive);
            let said = failure.error.to_string();
            assert!(
                said.contains("images.tar") && said.contains("it holds no images"),
                "{said}"
            );
        }
    }
}
