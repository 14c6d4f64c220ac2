//! Uploads that break off in the middle of a layer go on by offset, in the same run and in the next
//! one. Of the real registries only distribution 3 keeps what a broken request has brought.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fusion_fixtures::synthetic;
use serde_json::Value;

use super::{Yard, amd64, there};
use crate::registry::distribution;
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::{Proxy, Seen};

/// One layer, and after how many of its bytes the connection breaks.
const LAYER: u64 = 48 << 20;
const CUT: u64 = 20 << 20;

const UPLOADS: &str = "/v2/*/blobs/uploads/*";

/// An archive of one image with one large layer.
fn archive(yard: &Yard) -> PathBuf {
    let image = synthetic::image(Some("docker.io/acme/app:1"), &amd64(), 5, &[LAYER], 0).unwrap();
    yard.archive("app.tar", &[image])
}

fn cut() -> Rule {
    Rule::new("PATCH", UPLOADS, When::Nth(1), Fault::CutRequest(CUT))
}

/// The requests that brought the layer: the one that broke, and the one that went on.
fn pieces(proxy: &Proxy) -> (Seen, Seen) {
    let patches: Vec<Seen> = proxy.matching("PATCH", UPLOADS);
    let [broken, rest] = patches.as_slice() else {
        panic!("{patches:#?}");
    };
    (broken.clone(), rest.clone())
}

/// That all of the layer came, and only little of it twice.
fn assert_went_on(registry: &DockerRegistry, proxy: &Proxy) {
    let (broken, rest) = pieces(proxy);
    assert_eq!((broken.sent, broken.spoiled), (CUT, true), "{broken:?}");
    let whole = broken.sent + rest.sent;
    let (_, manifest) = there(registry.host(), "p/acme/app", "1").expect("an image");
    let layer = &manifest["layers"][0];
    let size = layer["size"].as_u64().unwrap();
    // What was in the proxy's hands when it broke may not have got to the registry.
    assert!(
        (size..size + (4 << 20)).contains(&whole),
        "{whole} of {size}"
    );
    let digest = layer["digest"].as_str().unwrap();
    assert_eq!(registry.uploads().times(digest), 1);
    let path = format!("/v2/p/acme/app/blobs/{digest}");
    let content = crate::registry::client::Client::new(registry.host()).ask("GET", &path);
    assert_eq!(crate::registry::stock::digest(&content.body), digest);
}

#[test]
fn in_the_same_run() {
    let Some(registry) = distribution::open() else {
        return;
    };
    let yard = Yard::new();
    let proxy = Proxy::start(registry.host(), vec![cut()]);
    let report = yard.push(&[&archive(&yard)], &format!("{}/p", proxy.host()), &[]);
    assert_went_on(&registry, &proxy);
    let sent = report["bytes"]["uploaded"].as_u64().unwrap();
    assert!(sent < LAYER + CUT, "{sent}");
}

#[test]
fn in_the_next_run_after_a_kill() {
    let Some(registry) = distribution::open() else {
        return;
    };
    let yard = Yard::new();
    let source = archive(&yard);
    // It asks how far the upload got, and is killed while it waits for the answer.
    let wait = Fault::Delay(Duration::from_secs(30));
    let asks = Rule::new("GET", UPLOADS, When::Nth(1), wait);
    let proxy = Proxy::start(registry.host(), vec![cut(), asks]);
    let to = format!("{}/p", proxy.host());
    let words = ["push", source.to_str().unwrap(), "--to", &to, "--json"];
    let mut child = yard
        .fusion(&words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while proxy.spoiled() == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it did not break"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    assert!(
        !child.wait().unwrap().success(),
        "it was not killed in time"
    );
    assert!(there(registry.host(), "p/acme/app", "1").is_none());

    proxy.rules(Vec::new());
    let again = yard.fusion(&words).output().unwrap();
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(report["status"], "ok", "{report}");
    assert_went_on(&registry, &proxy);
    let sent = report["bytes"]["uploaded"].as_u64().unwrap();
    assert!(sent < LAYER - CUT + (4 << 20), "{sent} in the second run");
}
