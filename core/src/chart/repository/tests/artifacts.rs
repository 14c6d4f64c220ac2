//! OCI.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::error::ErrorKind;
use crate::oci::Digest;
use crate::registry::testing::Server;

/// What a registry holds: blobs by digest, manifests by tag, with their types.
#[derive(Default)]
struct Held {
    blobs: BTreeMap<String, Vec<u8>>,
    tags: BTreeMap<String, (String, Vec<u8>)>,
}

type Shared = Arc<Mutex<Held>>;

/// A registry with the repository `p/app`.
fn registry(held: &Shared) -> Server {
    let held = Arc::clone(held);
    Server::start(move |request, _| {
        let mut held = held.lock().unwrap();
        let path = request.path.as_str();
        if let Some(tag) = path.strip_prefix("/v2/p/app/manifests/") {
            if request.method == "PUT" {
                let kind = request.header("Content-Type").unwrap().to_owned();
                held.tags
                    .insert(tag.to_owned(), (kind, request.body.clone()));
                return Reply::new(201);
            }
            return match held.tags.get(tag) {
                Some((kind, body)) => Reply::new(200)
                    .header("Content-Type", kind)
                    .body(body.clone()),
                None => Reply::new(404),
            };
        }
        if let Some(digest) = path.strip_prefix("/v2/p/app/blobs/sha256:") {
            return match held.blobs.get(digest) {
                Some(blob) => Reply::new(200).body(blob.clone()),
                None => Reply::new(404),
            };
        }
        match (request.method.as_str(), path) {
            ("GET", "/v2/") => Reply::new(200),
            ("POST", _) => Reply::new(202).header("Location", "/up"),
            ("PUT", _) if !request.body.is_empty() => {
                let digest = Digest::of(&request.body).hex();
                assert!(path.ends_with(&digest), "{path}");
                held.blobs.insert(digest, request.body.clone());
                Reply::new(201)
            }
            ("PUT", _) => Reply::new(200),
            _ => Reply::new(404),
        }
    })
}

fn at(server: &Server) -> Repository {
    open(RepositoryKind::Oci, &format!("http://{}/p", server.host))
}

#[test]
fn a_chart_goes_into_a_registry_and_comes_back() {
    let held = Shared::default();
    let server = registry(&held);
    let repository = at(&server);
    assert_eq!(repository.check(None, false).unwrap(), []);
    assert_eq!(repository.get("app", "1.0.0+b").unwrap(), None);
    let publish = |bytes: &[u8], overwrite| {
        repository.publish("app", "1.0.0+b", bytes, &metadata(), overwrite)
    };
    let location = format!("oci://{}/p/app:1.0.0_b", server.host);
    assert_eq!(publish(PACKAGE, false).unwrap(), location);
    assert_eq!(repository.get("app", "1.0.0+b").unwrap().unwrap(), PACKAGE);
    let first = held.lock().unwrap().tags["1.0.0_b"].clone();
    assert_eq!(first.0, "application/vnd.oci.image.manifest.v1+json");
    let puts = || {
        server
            .lines()
            .iter()
            .filter(|l| l.starts_with("PUT"))
            .count()
    };
    let before = puts();
    publish(PACKAGE, true).unwrap();
    assert_eq!(puts(), before, "what is there is not sent again");
    let error = publish(b"other", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestinationExists);
    publish(b"other", true).unwrap();
    assert_eq!(repository.get("app", "1.0.0+b").unwrap().unwrap(), b"other");
    assert_eq!(
        held.lock().unwrap().blobs.len(),
        3,
        "`Chart.yaml` is the same"
    );
    publish(PACKAGE, true).unwrap();
    assert_eq!(
        held.lock().unwrap().tags["1.0.0_b"],
        first,
        "the same chart, the same artifact"
    );
}

#[test]
fn an_image_of_the_same_name_is_never_replaced() {
    let held = Shared::default();
    let image = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
    let kind = "application/vnd.oci.image.index.v1+json".to_owned();
    held.lock()
        .unwrap()
        .tags
        .insert("1.0.0_b".to_owned(), (kind, image.clone()));
    let server = registry(&held);
    let repository = at(&server);
    for error in [
        repository.get("app", "1.0.0+b").unwrap_err(),
        (repository.publish("app", "1.0.0+b", PACKAGE, &metadata(), true)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            shown(&error).contains("is no chart | charts and images share"),
            "{error}"
        );
    }
    assert_eq!(held.lock().unwrap().tags["1.0.0_b"].1, image);
}

#[test]
fn a_package_that_is_not_what_it_should_be_is_told() {
    let held = Shared::default();
    let server = registry(&held);
    let repository = at(&server);
    repository
        .publish("app", "1.0.0+b", PACKAGE, &metadata(), false)
        .unwrap();
    let digest = Digest::of(PACKAGE).hex();
    held.lock()
        .unwrap()
        .blobs
        .insert(digest, vec![0; PACKAGE.len()]);
    let error = repository.get("app", "1.0.0+b").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch);
}

#[test]
fn names_that_registries_do_not_take_are_told_before() {
    let server = registry(&Shared::default());
    let error = at(&server).get("MyApp", "1.0.0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(shown(&error).contains("lower case"), "{error}");
    assert_eq!(server.log().len(), 0);
}

/// A Harbor in which `robot` may push or not.
fn harbor(there: bool, may_push: bool) -> Server {
    Server::start(move |request, _| match request.line().as_str() {
        "GET /v2/" => Reply::new(200),
        "GET /api/v2.0/ping" => Reply::new(200).body("Pong"),
        "HEAD /api/v2.0/projects?project_name=p" => Reply::new(if there { 200 } else { 404 }),
        "GET /api/v2.0/projects?q=name%3Dp&page_size=100" => {
            json_reply(200, r#"[{"project_id":7,"name":"p"}]"#)
        }
        "GET /api/v2.0/users/current/permissions?scope=/project/7&relative=true" => {
            let action = if may_push { "push" } else { "pull" };
            json_reply(
                200,
                format!(r#"[{{"resource":"repository","action":"{action}"}}]"#),
            )
        }
        _ => json_reply(
            401,
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized to access repository: p"}]}"#,
        ),
    })
}

#[test]
fn what_harbor_will_say_is_said_before() {
    assert_eq!(at(&harbor(true, true)).check(None, false).unwrap(), []);
    let error = at(&harbor(true, false)).check(None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(shown(&error).contains("`target.repo.auth`"), "{error}");
    let server = harbor(false, true);
    let missing = at(&server);
    let error = missing.check(None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProjectMissing);
    // Without asking before it is said as well.
    let error = missing.get("app", "1.0.0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProjectMissing, "{error}");
    let warnings = missing.check(Some(false), true).unwrap();
    assert!(warnings[0].message.contains("project `p`"), "{warnings:?}");
    assert_eq!(missing.get("app", "1.0.0").unwrap(), None);
}

#[test]
fn addresses_of_other_kinds_are_told() {
    let server = harbor(true, true);
    for (path, said) in [
        ("", "`target.repo.url`: `http://HOST/PROJECT`"),
        ("/chartrepo/p", "`target.repo.url`: `http://HOST/p`"),
    ] {
        let url = format!("http://{}{path}", server.host);
        let error = open(RepositoryKind::Oci, &url)
            .check(None, false)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let said = said.replace("HOST", &server.host);
        assert!(shown(&error).contains(&said), "{}", shown(&error));
    }
}
