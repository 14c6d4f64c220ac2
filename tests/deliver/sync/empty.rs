//! Bundles of charts without any image, as charts-syncer saves them: with an `images.tar` that lists
//! none.

use std::fs;
use std::io::Write;

use super::{Site, config};
use crate::registry::docker::DockerRegistry;

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

/// The bundle of a chart that has this `images.tar`.
fn bundle(images: &[u8]) -> Vec<u8> {
    tar(&[
        ("hints.yaml", b"[]\n"),
        (
            "original-chart/Chart.yaml",
            b"apiVersion: v2\nname: bare\nversion: 1.0.0\n",
        ),
        ("original-chart/values.yaml", b"a: 1\n"),
        ("images.tar", images),
    ])
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_list_of_no_images_is_no_damage_however_it_comes() {
    let registry = DockerRegistry::open();
    let lists: [&[(&str, &[u8])]; 3] = [
        &[("manifest.json", b"[]")],
        &[("manifest.json", b"null")],
        &[],
    ];
    for list in lists {
        let bundle = bundle(&tar(list));
        let package = gzipped(&tar(&[("a/bare_1.0.0.bundle.tar", &bundle)]));
        let mut published = Vec::new();
        for (name, bytes) in [
            ("bare_1.0.0.bundle.tar", bundle.clone()),
            ("bare.tar.gz", gzipped(&bundle)),
            ("package.tar.gz", package),
        ] {
            let site = Site::new();
            fs::create_dir(site.path("in")).unwrap();
            fs::write(site.path("in").join(name), bytes).unwrap();
            let text = config(registry.host(), "a/b", "kind: LOCAL, path: out");
            let file = format!("in/{name}");
            for words in [
                &[][..],
                &["--source", &file],
                &["--dry-run", "--on-existing-chart", "replace"],
            ] {
                let ran = site.sync(&text, words).ends(0);
                assert_eq!(ran.report["images"], serde_json::json!([]));
                let action = ran.chart("bare")["action"].as_str().unwrap().to_owned();
                let expected = match words {
                    [] => "created",
                    _ => "unchanged",
                };
                // What a plan keeps of a stream does not tell whether charts are equal.
                assert!(action == expected || words.len() > 2, "{name}: {ran}");
            }
            published.push(fs::read(&site.local("out")[0]).unwrap());
        }
        assert!(published.iter().all(|chart| *chart == published[0]));
    }
}
