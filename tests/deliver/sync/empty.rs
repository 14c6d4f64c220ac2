//! Bundles of charts without any image, as charts-syncer saves them: with an `images.tar` that lists
//! none.

use std::fs;

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

#[test]
fn a_list_of_no_images_is_no_damage() {
    let registry = DockerRegistry::open();
    for listing in ["[]", "null"] {
        let site = Site::new();
        let images = tar(&[("manifest.json", listing.as_bytes())]);
        let bundle = tar(&[
            ("hints.yaml", b"[]\n"),
            (
                "original-chart/Chart.yaml",
                b"apiVersion: v2\nname: bare\nversion: 1.0.0\n",
            ),
            ("original-chart/values.yaml", b"a: 1\n"),
            ("images.tar", &images),
        ]);
        fs::create_dir(site.path("in")).unwrap();
        fs::write(site.path("in/bare_1.0.0.bundle.tar"), bundle).unwrap();
        let text = config(registry.host(), "a/b", "kind: LOCAL, path: out");
        let ran = site.sync(&text, &[]).ends(0);
        assert_eq!(ran.chart("bare")["action"], "created");
        assert_eq!(ran.report["images"], serde_json::json!([]));
        assert_eq!(site.local("out").len(), 1);
    }
}
