//! The engine's transport, through everything that a proxy can do to it, to a real registry.

use std::time::Duration;

use fusion_core::oci::{Descriptor, Digest, MediaType};
use fusion_core::progress::{Progress, Stop};
use fusion_core::registry::{Access, Client, Repository, Secret};
use fusion_core::settings::Settings;
use fusion_core::store::{Expected, Memory, Transfer};
use fusion_core::{Error, ErrorKind};

use super::client::Client as Plain;
use super::docker::{DockerRegistry, Options};
use super::faults::{Fault, Rule, When};
use super::proxy::Proxy;
use super::stock;
use super::token_auth::{TokenAuth, User};

const ROBOT: (&str, &str) = ("robot$ci+push", "s3cr$t:x");
const UPLOADS: &str = "/v2/*/blobs/uploads/*";

/// Longer than what goes in one piece.
const LENGTH: usize = 24 << 20;

fn client(access: Access) -> Client {
    Client::new(access, Settings::default(), Stop::new()).unwrap()
}

fn robot() -> Access {
    Access {
        username: Some(ROBOT.0.to_owned()),
        password: Some(Secret::new(ROBOT.1)),
        ..Access::default()
    }
}

fn upload(repository: &Repository, bytes: &[u8]) -> Result<u64, Error> {
    let mut memory = Memory::default();
    let digest = memory.insert(bytes.to_vec());
    let blob = Expected {
        digest,
        size: bytes.len() as u64,
        diff_id: None,
    };
    let progress = Progress::new(Stop::new());
    repository.upload(&memory, &blob, &mut Transfer::new(&progress), None)
}

fn put(repository: &Repository, tag: &str, manifest: &[u8]) -> Result<(), Error> {
    let (digest, size) = (Digest::of(manifest), manifest.len() as u64);
    let descriptor = Descriptor::new(MediaType::OCI_MANIFEST, digest, size);
    repository.put(tag, &descriptor, manifest)
}

/// A manifest without any blobs but its config.
fn manifest(config: &[u8]) -> Vec<u8> {
    let config = serde_json::json!({
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": stock::digest(config), "size": config.len(),
    });
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": stock::MANIFEST, "config": config, "layers": [],
    });
    manifest.to_string().into_bytes()
}

#[test]
fn an_upload_arrives_whole_and_once_whatever_happens_on_the_way() {
    let registry = DockerRegistry::open();
    let proxy = Proxy::start(registry.host(), Vec::new());
    let rule = |method, when, fault| Rule::new(method, UPLOADS, when, fault);
    let cases = [
        ("begun late", rule("POST", When::First(2), Fault::page(503))),
        (
            "begun, not heard of",
            rule("POST", When::Nth(1), Fault::Swallow),
        ),
        (
            "asked to wait",
            rule("P*", When::Nth(2), Fault::too_many(1)),
        ),
        ("not taken", rule("P*", When::Nth(2), Fault::Drop)),
        (
            "broken",
            rule("P*", When::Nth(2), Fault::CutRequest(5 << 20)),
        ),
        (
            "broken at once",
            rule("P*", When::Nth(2), Fault::CutRequest(0)),
        ),
        (
            "taken, not heard of",
            rule("P*", When::Nth(2), Fault::Swallow),
        ),
        (
            "closed, not heard of",
            rule("PUT", When::Nth(1), Fault::Swallow),
        ),
        ("closed late", rule("PUT", When::First(2), Fault::page(502))),
    ];
    for (name, rule) in cases {
        let bytes = stock::bytes(name, LENGTH);
        proxy.rules(vec![rule]);
        proxy.forget();
        let client = client(Access::default());
        let repository = client.repository(&proxy.host(), "t/app");
        upload(&repository, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(proxy.spoiled() > 0, "{name}");
        let digest = stock::digest(&bytes);
        let times = registry.uploads().times(&digest);
        assert!((1..=2).contains(&times), "{name}: {times} times");
        let place = format!("/v2/t/app/blobs/{digest}");
        let stored = Plain::new(registry.host()).ask("GET", &place);
        assert!(stored.body == bytes, "{name}");
    }
}

#[test]
fn a_manifest_arrives_whatever_happens_on_the_way() {
    let registry = DockerRegistry::open();
    let proxy = Proxy::start(registry.host(), Vec::new());
    let config = b"{}".to_vec();
    stock::blob(&mut Plain::new(registry.host()), "t/app", &config);
    let manifest = manifest(&config);
    for (tag, fault) in [
        ("drop", Fault::Drop),
        ("swallow", Fault::Swallow),
        ("cut", Fault::CutRequest(10)),
        ("page", Fault::page(500)),
        ("wait", Fault::too_many(1)),
    ] {
        let rule = Rule::new("PUT", "/v2/*/manifests/*", When::Nth(1), fault.clone());
        proxy.rules(vec![rule]);
        proxy.forget();
        let client = client(Access::default());
        let repository = client.repository(&proxy.host(), "t/app");
        put(&repository, tag, &manifest).unwrap_or_else(|e| panic!("{tag}: {e}"));
        assert_eq!(proxy.spoiled(), 1, "{tag}");
        let reader = Rule::new("GET", "/v2/*/manifests/*", When::Nth(1), fault);
        proxy.rules(vec![reader]);
        let read = repository.manifest(tag).unwrap().expect("it is there");
        assert_eq!(read.bytes, manifest, "{tag}");
    }
}

#[test]
fn tokens_that_expire_midway_are_renewed_also_where_passwords_are_odd() {
    let registry = DockerRegistry::open();
    let rules = vec![
        Rule::new("PATCH", UPLOADS, When::Nth(1), Fault::Expire),
        Rule::new("PUT", UPLOADS, When::Nth(1), Fault::Expire),
        Rule::new("PUT", "/v2/*/manifests/*", When::Nth(1), Fault::Expire),
    ];
    let users = vec![User::powerless(ROBOT.0, ROBOT.1).may("t/*", &["pull", "push"])];
    let auth = TokenAuth::new(users, Duration::from_secs(300));
    let proxy = Proxy::demanding(registry.host(), rules, auth);
    let client = client(robot());
    let repository = client.repository(&proxy.host(), "t/app");
    let bytes = stock::bytes("layer", LENGTH);
    upload(&repository, &bytes).unwrap();
    let config = b"{}".to_vec();
    upload(&repository, &config).unwrap();
    put(&repository, "1", &manifest(&config)).unwrap();
    assert!(proxy.spoiled() >= 2, "{:?}", proxy.seen());
    assert!(proxy.tokens() >= 2);
    assert_eq!(registry.uploads().times(&stock::digest(&bytes)), 1);
    let elsewhere = client.repository(&proxy.host(), "secret/app");
    let error = upload(&elsewhere, b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{error:?} {error}").contains(ROBOT.1));
}

#[test]
fn a_registry_with_a_password_and_tls_is_pushed_to() {
    let options = Options::default().auth(ROBOT.0, ROBOT.1).tls();
    let registry = DockerRegistry::start(&options);
    let access = Access {
        tls_ca: Some(registry.ca_file()),
        ..robot()
    };
    let bytes = stock::bytes("layer", LENGTH);
    let host = registry.host();
    upload(&client(access.clone()).repository(host, "t/app"), &bytes).unwrap();
    assert_eq!(registry.uploads().times(&stock::digest(&bytes)), 1);
    let stranger = Access {
        username: None,
        password: None,
        ..access
    };
    let error = client(stranger).host(host).check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let error = client(robot()).host(host).check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let blind = Access {
        insecure: true,
        ..robot()
    };
    client(blind).host(host).check().unwrap();
}
