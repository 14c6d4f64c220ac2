//! Debian's registry, through a plain client and skopeo.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::clients::process::{Result, run, run_text};
use crate::clients::skopeo::skopeo;
use crate::registry::client::Client;
use crate::registry::docker::{DockerRegistry, Options};
use crate::registry::stock;

/// `skopeo copy --all` of `reference`, with these options, into a layout.
fn pulled(reference: &str, options: &[&str], layout: &Path) -> Result<Vec<u8>> {
    let to = format!("oci:{}:pulled", layout.display());
    let mut copy = skopeo();
    copy.args(["copy", "--quiet", "--all", "--preserve-digests"]);
    run(copy
        .args(options)
        .args([format!("docker://{reference}"), to]))
}

fn inspected(reference: &str, options: &[&str]) -> Result<String> {
    let mut inspect: Command = skopeo();
    inspect.arg("inspect").args(options).arg("--raw");
    run_text(inspect.arg(format!("docker://{reference}")))
}

#[test]
fn an_open_registry_takes_and_gives_an_image_and_counts_what_arrived() {
    let registry = DockerRegistry::open();
    let mut client = Client::new(registry.host());
    assert_eq!(client.ask("GET", "/v2/").status(), 200);
    let layer = stock::bytes("layer", 100_000);
    let (digest, manifest) = stock::image(&mut client, "t/app", "1.0", &layer);
    let head = client.ask("HEAD", "/v2/t/app/manifests/1.0");
    assert_eq!(head.status(), 200);
    let folder = TempDir::new().unwrap();
    let reference = format!("{}/t/app:1.0", registry.host());
    pulled(&reference, &["--src-tls-verify=false"], folder.path()).unwrap();
    let hex = digest.trim_start_matches("sha256:");
    assert_eq!(
        fs::read(folder.path().join("blobs/sha256").join(hex)).unwrap(),
        manifest
    );

    // The same layer once more, and mounted elsewhere.
    let layer = stock::blob(&mut client, "t/app", &layer);
    let mount = format!("/v2/t/other/blobs/uploads/?mount={layer}&from=t/app");
    assert_eq!(client.ask("POST", &mount).status(), 201);
    assert_eq!(client.connections, 1, "connections are kept");
    let uploads = registry.uploads();
    assert_eq!(
        (uploads.blobs.len(), uploads.repeated()),
        (2, 1),
        "{uploads:?}"
    );
    assert_eq!((uploads.times(&layer), uploads.times("sha256:0")), (2, 0));
    assert_eq!(uploads.manifests[&("t/app".into(), "1.0".into())], 1);
    assert_eq!(uploads.mounts[&("t/other".into(), layer.clone())], 1);
    assert_eq!((uploads.sessions, uploads.patches), (3, 0));
    assert_eq!((uploads.refused, uploads.cancelled), (0, 0));
    let stored = registry
        .storage_path()
        .join("docker/registry/v2/blobs/sha256");
    let hex = layer.trim_start_matches("sha256:");
    assert!(stored.join(&hex[..2]).join(hex).join("data").is_file());
    let refused = client.ask("DELETE", &format!("/v2/t/app/manifests/{digest}"));
    assert_eq!(refused.status(), 405, "{}", registry.whole_log());
}

#[test]
fn a_registry_with_a_password_lets_nobody_else_in() {
    let options = Options {
        delete: true,
        relative_urls: true,
        ..Options::default().auth("robot$ci+push", "pass:w$rd")
    };
    let registry = DockerRegistry::start(&options);
    for mut stranger in [
        Client::new(registry.host()),
        Client::new(registry.host()).basic("robot$ci+push", "wrong"),
    ] {
        let reply = stranger.ask("GET", "/v2/");
        assert_eq!(reply.status(), 401);
        assert!(reply.header("www-authenticate").starts_with("Basic realm="));
    }
    let mut client = Client::new(registry.host()).basic("robot$ci+push", "pass:w$rd");
    let place = client.ask("POST", "/v2/a/blobs/uploads/");
    assert!(place.header("location").starts_with("/v2/a/"), "{place:?}");
    let (digest, _) = stock::image(&mut client, "a", "1", b"layer");
    let creds = ["--tls-verify=false", "--creds", "robot$ci+push:pass:w$rd"];
    let reference = format!("{}/a:1", registry.host());
    assert!(inspected(&reference, &creds).unwrap().contains("layers"));
    assert!(inspected(&reference, &creds[..1]).is_err());
    let gone = client.ask("DELETE", &format!("/v2/a/manifests/{digest}"));
    assert_eq!(gone.status(), 202);
    assert_eq!(client.ask("GET", "/v2/a/manifests/1").status(), 404);
}

#[test]
fn a_registry_with_tls_is_trusted_by_its_authority_only() {
    let options = Options {
        client_certificates: true,
        ..Options::default().tls()
    };
    let registry = DockerRegistry::start(&options);
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    let reference = format!("{}/a:1", registry.host());
    let options = ["--cert-dir", folder.path().to_str().unwrap()];
    let untrusted = inspected(&reference, &options).unwrap_err();
    assert!(untrusted.said().contains("x509"), "{untrusted}");
    fs::copy(registry.ca_file(), place("ca.crt")).unwrap();
    let nameless = inspected(&reference, &options).unwrap_err();
    // Which of the two depends on the version of Go.
    let refused = ["certificate required", "bad certificate"];
    let said = nameless.said();
    assert!(refused.iter().any(|words| said.contains(words)), "{said}");
    fs::copy(&registry.client().certificate, place("client.cert")).unwrap();
    fs::copy(&registry.client().key, place("client.key")).unwrap();
    let absent = inspected(&reference, &options).unwrap_err();
    assert!(absent.said().contains("manifest unknown"), "{absent}");
}

#[test]
fn registries_stand_side_by_side_and_end_with_their_handles() {
    let (one, other) = (DockerRegistry::open(), DockerRegistry::open());
    assert_ne!(one.host(), other.host());
    let (host, storage) = (one.host().to_owned(), one.storage_path());
    drop(one);
    assert!(std::net::TcpStream::connect(&host).is_err());
    assert!(!storage.exists());
    let panicked = std::thread::spawn(move || {
        let host = other.host().to_owned();
        std::panic::set_hook(Box::new(|_| {}));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _held = other;
            panic!("a test fails");
        }));
        assert!(result.is_err());
        host
    });
    let host = panicked.join().unwrap();
    assert!(std::net::TcpStream::connect(&host).is_err());
}
