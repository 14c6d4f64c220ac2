//! Killed at any time: tags stay whole, and the next run sends only what is missing.

use std::process::Stdio;
use std::time::Duration;

use super::{Yard, there};
use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;

const NAMES: [&str; 3] = [
    "docker.io/acme/app:1",
    "docker.io/acme/other:1",
    "docker.io/acme/third:1",
];

#[test]
fn the_next_run_sends_only_what_is_missing() {
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&NAMES, 400_000);
    // So slow that it can be killed between any two requests.
    let slow = || {
        vec![Rule::new(
            "*",
            "*",
            When::Always,
            Fault::Delay(Duration::from_millis(15)),
        )]
    };
    let fresh = DockerRegistry::open();
    let plan = [("dry-run", "true")];
    let plan = yard.push(&[&amd, &arm], &format!("{}/p", fresh.host()), &plan);
    let all = plan["bytes"]["uploaded"].as_u64().unwrap();
    let mut interrupted = 0;
    for round in 0..16 {
        let registry = DockerRegistry::open();
        let proxy = Proxy::start(registry.host(), slow());
        let to = format!("{}/p", proxy.host());
        let words = [
            "push",
            amd.to_str().unwrap(),
            arm.to_str().unwrap(),
            "--to",
            &to,
        ];
        let mut child = yard
            .fusion(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(30 + round * 60));
        child.kill().unwrap();
        interrupted += u32::from(!child.wait().unwrap().success());
        // What was under way may arrive yet.
        proxy.forget();
        let arrived = registry.uploads().blobs;
        for name in ["app", "other", "third"] {
            if let Some((_, index)) = there(registry.host(), &format!("p/acme/{name}"), "1") {
                assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2));
            }
        }
        proxy.rules(Vec::new());
        proxy.forget();
        let report = yard.push(&[&amd, &arm], &to, &[]);
        // Whatever arrived whole is not sent again.
        for (_, digest) in arrived.keys() {
            assert_eq!(
                registry.uploads().times(digest),
                1,
                "round {round}: {digest}"
            );
        }
        // To the byte.
        let size = |repository: &str, digest: &str| -> u64 {
            let path = format!("/v2/{repository}/blobs/{digest}");
            let reply = Client::new(registry.host()).ask("HEAD", &path);
            reply.header("content-length").parse().unwrap()
        };
        let had: u64 = arrived
            .keys()
            .map(|(name, digest)| size(name, digest))
            .sum();
        let sent = report["bytes"]["uploaded"].as_u64().unwrap();
        assert_eq!(sent + had, all, "round {round}");
        assert!(proxy.sent() >= sent);
    }
    assert!(
        interrupted > 5,
        "only {interrupted} runs were killed in time"
    );
}
