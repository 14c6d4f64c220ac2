//! HARBOR.

use std::sync::{Arc, Mutex};

use super::*;
use crate::error::ErrorKind;
use crate::registry::testing::Server;

/// A Harbor of a version, with its projects; the password of `robot` is right or not.
fn harbor(version: &'static str, projects: &Arc<Mutex<Vec<String>>>, lets_in: bool) -> Server {
    let projects = Arc::clone(projects);
    Server::start(move |request, _| {
        let mut projects = projects.lock().unwrap();
        let charts = version == "2.7";
        let line = request.line();
        let known = request.header("Authorization") == Some(BASIC) && lets_in;
        match line.as_str() {
            "GET /api/v2.0/ping" => Reply::new(200).body("Pong"),
            "GET /v2/" if known => Reply::new(200),
            "GET /v2/" => Reply::new(401).header("WWW-Authenticate", "Basic realm=\"harbor\""),
            _ if !known => json_reply(401, r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#),
            "GET /api/v2.0/systeminfo" => {
                json_reply(200, format!(r#"{{"harbor_version":"v{version}.1-abc"}}"#))
            }
            "POST /api/v2.0/projects" => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                assert_eq!(asked["metadata"]["public"], "true");
                projects.push(asked["project_name"].as_str().unwrap().to_owned());
                Reply::new(201)
            }
            line if line.starts_with("HEAD /api/v2.0/projects?project_name=") => {
                let there = projects
                    .iter()
                    .any(|project| line.ends_with(&format!("={project}")));
                Reply::new(if there { 200 } else { 404 })
            }
            "GET /api/chartrepo/addon/charts" if charts => json_reply(200, "[]"),
            "GET /api/chartrepo/addon/charts/app/1.0.0%2Bb" if charts => json_reply(
                200,
                r#"{"metadata":{"version":"1.0.0+b","urls":["charts/app-1.0.0+b.tgz"]},"values":{}}"#,
            ),
            "GET /chartrepo/addon/charts/app-1.0.0+b.tgz" if charts => {
                Reply::new(200).body(PACKAGE)
            }
            // As it answers a form without a chart.
            "POST /api/chartrepo/addon/charts" if posted(request).is_none() && charts => {
                json_reply(500, r#"{"error":"missing chart"}"#)
            }
            "POST /api/chartrepo/addon/charts?force" if charts => json_reply(201, "{}"),
            _ => json_reply(404, r#"{"errors":[{"code":"NOT_FOUND"}]}"#),
        }
    })
}

fn addon(server: &Server) -> Repository {
    let url = format!("http://{}/chartrepo/addon", server.host);
    open(RepositoryKind::Harbor, &url)
}

fn projects(names: &[&str]) -> Arc<Mutex<Vec<String>>> {
    Arc::new(Mutex::new(
        names.iter().map(|&name| name.to_owned()).collect(),
    ))
}

#[test]
fn an_old_harbor_takes_charts_by_its_chartrepo() {
    let server = harbor("2.7", &projects(&["addon"]), true);
    let repository = addon(&server);
    assert_eq!(repository.check(None, false).unwrap(), []);
    assert_eq!(repository.get("app", "1.0.0+b").unwrap().unwrap(), PACKAGE);
    let publish = |bytes: &[u8], overwrite| {
        repository.publish("app", "1.0.0+b", bytes, &metadata(), overwrite)
    };
    publish(PACKAGE, false).unwrap();
    // It would replace without being asked.
    let error = publish(b"other", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestinationExists);
    publish(b"other", true).unwrap();
    let chart = server.log().last().and_then(posted);
    assert_eq!(chart.as_deref(), Some(&b"other"[..]));
}

#[test]
fn a_new_harbor_is_told_by_the_kind_and_address_that_work() {
    for version in ["2.8", "2.14", "3.0"] {
        let server = harbor(version, &projects(&[]), true);
        let error = addon(&server).check(None, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Registry);
        let hint = format!("`kind: OCI` and `url: http://{}/addon`", server.host);
        assert!(shown(&error).contains(&hint), "{}", shown(&error));
    }
    // One that does not tell its version, or was installed without charts.
    let server = harbor("x", &projects(&["addon"]), true);
    let error = addon(&server).check(None, false).unwrap_err();
    assert!(shown(&error).contains("has no `/chartrepo/`"), "{error}");
}

#[test]
fn what_is_no_harbor_is_not_called_a_new_one() {
    let server = Server::start(|_, _| Reply::new(404));
    let error = addon(&server).check(None, false).unwrap_err();
    let shown = shown(&error);
    assert!(
        shown.contains("nothing there answers as a Harbor") && shown.contains("`kind: OCI`"),
        "{shown}"
    );
    // A registry that is none at all.
    let error = open(RepositoryKind::Oci, &format!("http://{}/p", server.host));
    let error = error.check(None, false).unwrap_err();
    assert!(
        super::shown(&error).contains("OCI needs a registry"),
        "{error}"
    );
}

#[test]
fn a_missing_project_is_made_if_asked() {
    let there = projects(&[]);
    let server = harbor("2.7", &there, true);
    let repository = addon(&server);
    let error = repository.check(None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProjectMissing);
    assert!(shown(&error).contains("`--create-projects`"));
    let warnings = repository.check(Some(true), true).unwrap();
    assert!(
        warnings[0].message.ends_with("would be created"),
        "{warnings:?}"
    );
    assert!(there.lock().unwrap().is_empty());
    assert_eq!(
        repository.get("app", "1.0.0+b").unwrap(),
        None,
        "nothing is in what is not there"
    );
    let warnings = addon(&server).check(Some(true), false).unwrap();
    assert_eq!(warnings[0].code, "project-created");
    assert_eq!(*there.lock().unwrap(), ["addon"]);
    assert_eq!(addon(&server).check(Some(true), false).unwrap(), []);
}

#[test]
fn a_wrong_password_is_no_missing_project() {
    let server = harbor("2.7", &projects(&["addon"]), false);
    let error = addon(&server).check(Some(true), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(shown(&error).contains("check user and password: `target.repo.auth`"));
}

#[test]
fn an_address_without_the_project_is_told_with_the_right_one() {
    for (path, said) in [
        (
            "/addon",
            "`http://h/chartrepo/addon`; from Harbor 2.8 on `kind: OCI` with `http://h/addon`",
        ),
        ("", "`http://h/chartrepo/PROJECT`"),
        ("/chartrepo", "`http://h/chartrepo/PROJECT`"),
    ] {
        let spec = spec(RepositoryKind::Harbor, &format!("http://h{path}"));
        let error = Repository::open(&spec, Keys::SYNC, &connect(), Stop::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(shown(&error).contains(said), "{}", shown(&error));
    }
}
