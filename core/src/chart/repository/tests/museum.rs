//! CHARTMUSEUM.

use std::sync::{Arc, Mutex};

use super::*;
use crate::error::ErrorKind;
use crate::registry::testing::Server;

/// A ChartMuseum with the repository `/org/repo`, that lets `robot` in.
fn museum(there: &Arc<Mutex<Option<Vec<u8>>>>) -> Server {
    let there = Arc::clone(there);
    Server::start(move |request, _| {
        let mut there = there.lock().unwrap();
        if request.header("Authorization") != Some(BASIC) {
            // Without a word on what would be wanted.
            return json_reply(401, r#"{"error":"unauthorized"}"#);
        }
        match (request.line().as_str(), &*there) {
            ("GET /api/org/repo/charts?offset=0&limit=1", _) => json_reply(200, "{}"),
            ("GET /api/org/repo/charts/app/1.0.0%2Bb", Some(_)) => json_reply(
                200,
                r#"{"name":"app","version":"1.0.0+b","urls":["charts/app-1.0.0+b.tgz"]}"#,
            ),
            ("GET /org/repo/charts/app-1.0.0+b.tgz", Some(package)) => {
                Reply::new(200).body(package.clone())
            }
            ("POST /api/org/repo/charts" | "POST /api/org/repo/charts?force", held) => {
                let forced = request.path.ends_with("?force");
                match posted(request) {
                    None => json_reply(400, r#"{"error":"no package found"}"#),
                    Some(_) if held.is_some() && !forced => {
                        json_reply(409, r#"{"error":"app-1.0.0+b.tgz already exists"}"#)
                    }
                    Some(package) => {
                        *there = Some(package);
                        json_reply(201, r#"{"saved":true}"#)
                    }
                }
            }
            _ => json_reply(404, r#"{"error":"not found"}"#),
        }
    })
}

#[test]
fn a_chart_is_published_once_and_replaced_only_if_asked() {
    let there = Arc::default();
    let server = museum(&there);
    let url = format!("http://{}/org/repo/", server.host);
    let repository = open(RepositoryKind::ChartMuseum, &url);
    assert_eq!(repository.check(None, false).unwrap(), []);
    assert_eq!(repository.get("app", "1.0.0+b").unwrap(), None);
    let publish = |bytes: &[u8], overwrite| {
        repository.publish("app", "1.0.0+b", bytes, &metadata(), overwrite)
    };
    let location = format!("{url}charts/app-1.0.0+b.tgz");
    assert_eq!(publish(PACKAGE, false).unwrap(), location);
    assert_eq!(there.lock().unwrap().as_deref(), Some(PACKAGE));
    assert_eq!(repository.get("app", "1.0.0+b").unwrap().unwrap(), PACKAGE);
    let sent = |word: &str| server.lines().iter().filter(|l| l.contains(word)).count();
    assert_eq!(sent("POST"), 2);
    publish(PACKAGE, false).unwrap();
    assert_eq!(sent("POST"), 2, "what is there is not sent again");
    let error = publish(b"\x1f\x8b\x08 another", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestinationExists);
    assert!(shown(&error).contains("--on-existing-chart replace"));
    publish(b"\x1f\x8b\x08 another", true).unwrap();
    assert_eq!((sent("POST"), sent("?force")), (3, 1));
    assert_eq!(
        there.lock().unwrap().as_deref(),
        Some(&b"\x1f\x8b\x08 another"[..])
    );
    assert_eq!(sent("limit=1"), 1, "the service is searched for once");
    repository.settle().unwrap();
    assert!(repository.traffic().requests > 5);
}

#[test]
fn a_prefix_of_the_service_is_found() {
    let server = Server::start(|request, _| match request.line().as_str() {
        "GET /x/api/y/z/charts?offset=0&limit=1" => json_reply(200, " {\"app\": []}"),
        "POST /x/api/y/z/charts" => json_reply(400, ""),
        // A proxy in front that has a page for everything.
        line if line.starts_with("GET /api/") => Reply::new(200)
            .header("Content-Type", "text/html")
            .body("<!DOCTYPE html>"),
        _ => Reply::new(404),
    });
    let url = format!("http://{}/x/y/z", server.host);
    open(RepositoryKind::ChartMuseum, &url)
        .check(None, false)
        .unwrap();
    let prefix = "GET /api/x/y/z/charts?offset=0&limit=1";
    assert_eq!(
        server.lines(),
        [
            prefix,
            "GET /x/api/y/z/charts?offset=0&limit=1",
            "POST /x/api/y/z/charts"
        ]
    );
}

#[test]
fn others_that_have_the_api_of_a_host_are_passed_by() {
    let server = Server::start(|request, _| match request.line().as_str() {
        "GET /charts/api/charts?offset=0&limit=1" => json_reply(200, "{}"),
        "POST /charts/api/charts" => json_reply(400, ""),
        "GET /all/api/charts?offset=0&limit=1" => json_reply(200, r#"{"code": 0, "data": []}"#),
        _ => json_reply(401, "{}"),
    });
    let check = |path: &str| {
        let url = format!("http://{}/{path}", server.host);
        open(RepositoryKind::ChartMuseum, &url).check(None, false)
    };
    check("charts").unwrap();
    // Nobody else's: then that was the refusal.
    for path in ["else", "all"] {
        let error = check(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    }
}

#[test]
fn another_version_that_would_fit_is_not_the_one() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/api/charts/app/1.0.0" => json_reply(
            200,
            r#"{"name":"app","version":"1.0.0+b","urls":["charts/x.tgz"]}"#,
        ),
        "/api/charts/app/2.0.0" => json_reply(200, r#"{"version":"2.0.0"}"#),
        "/api/charts?offset=0&limit=1" => json_reply(200, "{}"),
        _ => Reply::new(404),
    });
    let repository = open(
        RepositoryKind::ChartMuseum,
        &format!("http://{}", server.host),
    );
    assert_eq!(repository.get("app", "1.0.0").unwrap(), None);
    // Listed, and gone.
    assert_eq!(repository.get("app", "2.0.0").unwrap(), None);
    assert_eq!(server.lines().last().unwrap(), "GET /charts/app-2.0.0.tgz");
}

#[test]
fn packages_come_from_elsewhere_without_the_password() {
    let store = Server::start(|request, _| match request.path.as_str() {
        "/moved" => Reply::new(200).body(PACKAGE),
        _ => Reply::new(302).header("Location", "/moved"),
    });
    let broken = Server::start(|_, _| Reply::new(503));
    let (elsewhere, dead) = (store.host.clone(), broken.host.clone());
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/api/charts/app/1.0.0" => json_reply(
            200,
            format!(r#"{{"version":"1.0.0","urls":["http://{elsewhere}/a"]}}"#),
        ),
        "/api/charts/app/2.0.0" => json_reply(
            200,
            format!(r#"{{"version":"2.0.0","urls":["http://{dead}/a"]}}"#),
        ),
        "/charts/app-3.0.0.tgz" => Reply::new(200).body("its own"),
        "/api/charts/app/3.0.0" => json_reply(
            200,
            r#"{"version":"3.0.0","urls":["http://not-meant-for-us.invalid/a"]}"#,
        ),
        "/api/charts?offset=0&limit=1" => json_reply(200, "{}"),
        _ => Reply::new(404),
    });
    let repository = open(
        RepositoryKind::ChartMuseum,
        &format!("http://{}", server.host),
    );
    assert_eq!(repository.get("app", "1.0.0").unwrap().unwrap(), PACKAGE);
    let error = repository.get("app", "2.0.0").unwrap_err();
    assert_eq!(
        error.get_status(),
        Some(503),
        "not told to be absent: {error}"
    );
    assert_eq!(repository.get("app", "3.0.0").unwrap().unwrap(), b"its own");
    for request in store.log().iter().chain(broken.log().iter()) {
        assert_eq!(request.header("Authorization"), None);
    }
    let own = server.log();
    assert!(own.iter().all(|r| r.header("Authorization") == Some(BASIC)));
}

#[test]
fn a_token_is_fetched_where_one_is_wanted() {
    let server = Server::start(|request, _| {
        let action = match request.method.as_str() {
            "POST" => "push",
            _ => "pull",
        };
        match request.path.as_str() {
            path if path.starts_with("/token") => {
                assert_eq!(request.header("Authorization"), Some(BASIC));
                let token = match path.contains("repo:push") {
                    true => "push",
                    false => "pull",
                };
                json_reply(200, format!(r#"{{"access_token":"{token}"}}"#))
            }
            path if request.header("Authorization") == Some(&format!("Bearer {action}")) => {
                match path {
                    "/api/charts?offset=0&limit=1" => json_reply(200, "{}"),
                    "/api/charts" if posted(request).is_some() => json_reply(201, "{}"),
                    _ => json_reply(404, "{}"),
                }
            }
            _ => Reply::new(401).header(
                "WWW-Authenticate",
                format!(
                    "Bearer realm=\"/token\",service=\"s\",scope=\"artifact-repository:repo:{action}\""
                ),
            ),
        }
    });
    let repository = open(
        RepositoryKind::ChartMuseum,
        &format!("http://{}", server.host),
    );
    repository
        .publish("app", "1.0.0+b", PACKAGE, &metadata(), false)
        .unwrap();
}

#[test]
fn a_chart_that_arrived_before_the_connection_broke_is_published() {
    // A proxy's, that lost patience; the service's own, of which not all came.
    for first in [Reply::new(504), json_reply(201, r#"{"saved":true}"#).cut(1)] {
        let there = Arc::new(Mutex::new(false));
        let server = Server::start(move |request, _| {
            let mut there = there.lock().unwrap();
            match (request.line().as_str(), *there) {
                ("GET /api/charts?offset=0&limit=1", _) => json_reply(200, "{}"),
                ("GET /api/charts/app/1.0.0%2Bb", true) => {
                    json_reply(200, r#"{"version":"1.0.0+b","urls":[]}"#)
                }
                ("GET /charts/app-1.0.0%2Bb.tgz", true) => Reply::new(200).body(PACKAGE),
                ("POST /api/charts", false) => {
                    *there = true;
                    first.clone()
                }
                ("POST /api/charts", true) => json_reply(409, r#"{"error":"exists"}"#),
                _ => Reply::new(404),
            }
        });
        let repository = open(
            RepositoryKind::ChartMuseum,
            &format!("http://{}", server.host),
        );
        repository
            .publish("app", "1.0.0+b", PACKAGE, &metadata(), false)
            .unwrap();
        let lines = server.lines();
        let posts = lines.iter().filter(|line| line.starts_with("POST"));
        assert_eq!(posts.count(), 2);
    }
}
