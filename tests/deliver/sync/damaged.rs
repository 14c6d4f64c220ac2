//! `--keep-going` and files that are damaged: the others are published, and the damaged ones told.

use std::fs;
use std::path::Path;

use fusion_fixtures::package::{Kind, Offline};
use fusion_fixtures::{Digest, Shape};
use serde_json::Value;

use super::super::{children, there};
use super::failing::charts;
use super::{Ran, Site, both, config};
use crate::registry::docker::DockerRegistry;

const LOCAL: &str = "kind: LOCAL, path: out";

impl Ran {
    /// What was left out, and the kind of error that says why.
    fn damaged(&self) -> Vec<(&str, &str)> {
        let damaged = self.report["damaged"].as_array().into_iter().flatten();
        damaged
            .map(|one| {
                let location = one["location"].as_str().unwrap();
                (location, one["error"]["kind"].as_str().unwrap())
            })
            .collect()
    }

    /// The charts with this action.
    fn charts(&self, action: &str) -> Vec<&str> {
        let charts = self.report["charts"].as_array().unwrap().iter();
        let of = charts.filter(|chart| chart["action"] == action);
        of.map(|chart| chart["name"].as_str().unwrap()).collect()
    }
}

/// What is published in `out`.
fn published(site: &Site) -> Vec<String> {
    let files = site.local("out").into_iter();
    let name = |path: std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(name).collect()
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap();
}

/// Makes the first header, or the last, none.
fn blot(path: &Path, first: bool) {
    let mut bytes = fs::read(path).unwrap();
    let magics = bytes.windows(5).enumerate();
    let mut headers = magics.filter(|(at, five)| at % 512 == 257 && five == b"ustar");
    let header = match first {
        true => headers.next(),
        false => headers.next_back(),
    };
    let at = header.unwrap().0;
    bytes[at - 200] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

#[test]
fn of_a_folder_the_sound_bundles_are_published_and_the_damaged_ones_told() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let whole: Vec<Shape> = charts(7);
    let folder = site.bundles("in", &whole, &both());
    let bundle = |place: &str| folder.join(format!("{place}_1.0.0.bundle.tar"));
    let before = fs::read(bundle("arm64/app-1")).unwrap();
    cut(&bundle("arm64/app-1"));
    // Not even its beginning says what it was.
    blot(&bundle("arm64/app-2"), true);
    blot(&bundle("arm64/app-3"), false);
    fs::write(bundle("arm64/app-4"), b"").unwrap();
    // Of this one nothing is left, and that it went by another name is no help.
    cut(&bundle("amd64/app-5"));
    fs::rename(bundle("arm64/app-5"), folder.join("arm64/x.tar")).unwrap();
    cut(&folder.join("arm64/x.tar"));
    let text = config(registry.host(), "a/b", LOCAL);
    let ran = site.sync(&text, &[]).ends(4);
    assert_eq!(
        (ran.report["damaged"].clone(), published(&site)),
        (Value::Null, vec![])
    );
    for words in [&["--keep-going", "--dry-run"][..], &["--keep-going"]] {
        let ran = site.sync(&text, words).ends(7);
        assert_eq!(ran.report["status"], "partial", "{ran}");
        let damaged = [
            "in › amd64/app-5_1.0.0.bundle.tar",
            "in › arm64/app-1_1.0.0.bundle.tar",
            "in › arm64/app-2_1.0.0.bundle.tar",
            "in › arm64/app-3_1.0.0.bundle.tar",
            "in › arm64/app-4_1.0.0.bundle.tar",
            "in › arm64/x.tar",
        ];
        let damaged = damaged.map(|place| (place, "invalid-archive"));
        assert_eq!(ran.damaged(), damaged, "{ran}");
        for (place, _) in damaged {
            let told = format!("{place} was left out: ");
            assert!(ran.stderr.contains(&told), "{told}: {ran}");
        }
        // An architecture of their images is missing: they wait for it.
        assert_eq!(ran.charts("failed"), ["app-1", "app-2", "app-3", "app-4"]);
        let why = ran.chart("app-2")["error"]["message"].as_str().unwrap();
        assert!(why.contains("arm64/app-2_1.0.0.bundle.tar"), "{why}");
        assert_eq!(ran.charts("created"), ["app-0", "app-6"], "{ran}");
    }
    assert_eq!(published(&site), ["app-0-1.0.0.tgz", "app-6-1.0.0.tgz"]);
    for name in ["app-0", "app-6"] {
        let platforms = children(registry.host(), &format!("a/b/{name}"), "1");
        assert_eq!(platforms, ["linux/amd64", "linux/arm64"], "{name}");
    }
    assert!(there(registry.host(), "a/b/app-5", "1").is_none());
    // One that is fetched again is what was missing.
    fs::write(bundle("arm64/app-1"), before).unwrap();
    let ran = site.sync(&text, &["--keep-going"]).ends(7);
    assert_eq!(ran.charts("created"), ["app-1"], "{ran}");
    let platforms = children(registry.host(), "a/b/app-1", "1");
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    // And without those that are left nothing is wrong.
    for name in ["amd64/app-5", "arm64/app-2", "arm64/app-3", "arm64/app-4"] {
        fs::remove_file(bundle(name)).unwrap();
    }
    fs::remove_file(folder.join("arm64/x.tar")).unwrap();
    let ran = site.sync(&text, &[]).ends(0);
    assert_eq!(ran.charts("created"), ["app-2", "app-3", "app-4"], "{ran}");
}

#[test]
fn a_bundle_that_its_checksum_does_not_fit_is_left_out() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let folder = site.bundles("in", &charts(3), &both()).join("arm64");
    let mut lines = String::new();
    for at in 0..3 {
        let name = format!("app-{at}_1.0.0.bundle.tar");
        let mut bytes = fs::read(folder.join(&name)).unwrap();
        lines.push_str(&format!("{}  {name}\n", Digest::of(&bytes).hex()));
        if at == 1 {
            let last = bytes.len() - 1;
            bytes[last] = 1;
            fs::write(folder.join(&name), bytes).unwrap();
        }
    }
    fs::write(folder.join("SHA256SUMS"), lines).unwrap();
    let text = config(registry.host(), "a/b", LOCAL);
    site.sync(&text, &[]).ends(4);
    let words = [
        "--keep-going",
        "--source",
        "in/amd64",
        "--source",
        "in/arm64",
    ];
    let ran = site.sync(&text, &words).ends(7);
    let place = "in/arm64 › app-1_1.0.0.bundle.tar";
    assert_eq!(ran.damaged(), [(place, "digest-mismatch")], "{ran}");
    assert_eq!(ran.charts("failed"), ["app-1"], "{ran}");
    assert_eq!(published(&site), ["app-0-1.0.0.tgz", "app-2-1.0.0.tgz"]);
}

#[test]
fn of_several_sources_the_sound_ones_are_published() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    fs::create_dir(site.path("in")).unwrap();
    let offline = Offline {
        bundles: 5,
        ..Offline::new(Kind::Addon)
    };
    let (amd64, arm64) = offline.pair(&site.path("in")).unwrap();
    let (amd64, arm64) = (amd64.path, arm64.path);
    let (one, other) = (amd64.to_str().unwrap(), arm64.to_str().unwrap());
    let before = fs::read(&arm64).unwrap();
    cut(&arm64);
    let text = config(registry.host(), "a/b", LOCAL);
    let sources = ["--source", one, "--source", other];
    site.sync(&text, &sources).ends(4);
    assert!(site.local("out").is_empty());
    let going = [&sources[..], &["--keep-going"]].concat();
    let ran = site.sync(&text, &going).ends(7);
    assert_eq!(ran.damaged(), [(other, "invalid-archive")], "{ran}");
    let charts = ran.report["charts"].as_array().unwrap();
    assert_eq!(charts.len(), 5);
    assert!(
        charts
            .iter()
            .all(|chart| chart["platforms"] == serde_json::json!(["linux/amd64"]))
    );
    assert_eq!(site.local("out").len(), 5);
    // Within a stream there is no going on, and with nothing left nothing to go on with.
    let alone = ["--source", other, "--keep-going"];
    let ran = site.sync(&text, &alone).ends(4);
    assert_eq!(ran.report["error"]["kind"], "invalid-archive", "{ran}");
    assert_eq!(ran.report["error"]["path"], other, "{ran}");
    assert_eq!(ran.damaged().len(), 1);
    // The same command again, once it is whole.
    fs::write(&arm64, before).unwrap();
    let ran = site.sync(&text, &going).ends(0);
    assert_eq!(ran.report["damaged"], Value::Null);
    let merged = ran.report["images"].as_array().unwrap().iter();
    assert!(
        merged.filter(|image| image["action"] == "merged").count() > 0,
        "{ran}"
    );
}

#[test]
fn of_a_package_that_is_read_in_place_one_damaged_bundle_is_left_out() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let folder = site.bundles("in", &charts(3), &both()[..1]).join("amd64");
    cut(&folder.join("app-1_1.0.0.bundle.tar"));
    let mut package = tar::Builder::new(fs::File::create(site.path("package.tar")).unwrap());
    package.append_dir_all("charts", &folder).unwrap();
    package.finish().unwrap();
    fs::remove_dir_all(site.path("in")).unwrap();
    let text = config(registry.host(), "a/b", LOCAL);
    let words = ["--source", "package.tar", "--keep-going"];
    let ran = site.sync(&text, &words).ends(7);
    let place = "package.tar › charts/app-1_1.0.0.bundle.tar";
    assert_eq!(ran.damaged(), [(place, "invalid-archive")], "{ran}");
    assert_eq!(published(&site), ["app-0-1.0.0.tgz", "app-2-1.0.0.tgz"]);
    // A push does the same.
    let to = format!("{}/p", registry.host());
    let push = |words: &[&str]| {
        let out = site.yard.fusion(words).arg("--json").output().unwrap();
        let report: Value = serde_json::from_slice(&out.stdout).unwrap();
        (out.status.code(), report)
    };
    let (status, report) = push(&["push", "package.tar", "--to", &to, "--keep-going"]);
    assert_eq!(
        (status, report["damaged"][0]["location"].as_str()),
        (Some(7), Some(place))
    );
    assert_eq!(report["images"].as_array().map(Vec::len), Some(2));
    let (status, _) = push(&["push", "package.tar", "--to", &to]);
    assert_eq!(status, Some(4));
}
