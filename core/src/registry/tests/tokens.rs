//! Getting in.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::testing::{Reply, Request, Server};
use super::super::{Access, Secret};
use crate::error::ErrorKind;
use crate::oci::Digest;
use crate::settings::Settings;

/// A registry whose tokens are good for `uses` requests, whatever it says.
fn registry(uses: usize) -> (Server, Arc<AtomicUsize>) {
    let tokens = Arc::new(AtomicUsize::new(0));
    let (issued, used) = (Arc::clone(&tokens), AtomicUsize::new(0));
    let server = Server::start(move |request, _| {
        let number = issued.load(Ordering::Relaxed);
        if request.path.starts_with("/token") {
            used.store(0, Ordering::Relaxed);
            let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
            return Reply::new(200).body(format!(r#"{{"token":"tok{number}","expires_in":300}}"#));
        }
        let given = request.header("Authorization");
        let good = given == Some(&format!("Bearer tok{number}"));
        if number == 0 || !good || used.fetch_add(1, Ordering::Relaxed) >= uses {
            let wanted = "Bearer realm=\"/token?x=1\",service=\"reg svc\",scope=\"extra:it:pull\"";
            return Reply::new(401).header("WWW-Authenticate", wanted);
        }
        match request.method.as_str() {
            "POST" => Reply::new(201),
            _ => Reply::new(200).body(r#"{"tags":["a"]}"#),
        }
    });
    (server, tokens)
}

fn robot() -> Access {
    Access {
        username: Some("robot$p+ci".to_owned()),
        password: Some(Secret::new("p:w$")),
        ..Access::default()
    }
}

fn token_requests(server: &Server) -> Vec<Request> {
    let log = server.log();
    let tokens = log
        .iter()
        .filter(|request| request.path.starts_with("/token"));
    tokens.cloned().collect()
}

#[test]
fn a_token_is_bought_once_for_each_scope() {
    let (server, tokens) = registry(100);
    let client = server.client_with(robot(), Settings::default());
    let repository = client.repository(&server.host, "t/app");
    for _ in 0..3 {
        assert_eq!(repository.tags().unwrap(), ["a"]);
    }
    assert_eq!(tokens.load(Ordering::Relaxed), 1);
    let bought = &token_requests(&server)[0];
    let expected = "/token?x=1&service=reg%20svc&account=robot%24p%2Bci\
                    &scope=repository:t/app:pull";
    assert_eq!(bought.path, expected);
    let basic = format!("Basic {}", STANDARD.encode("robot$p+ci:p:w$"));
    assert_eq!(bought.header("Authorization"), Some(basic.as_str()));
}

#[test]
fn a_mount_asks_for_both_repositories() {
    let (server, _) = registry(100);
    let client = server.client_with(robot(), Settings::default());
    let repository = client.repository(&server.host, "t/app");
    assert!(repository.mount(&Digest::of(b""), "t/from").unwrap());
    let path = &token_requests(&server)[0].path;
    assert!(path.contains("scope=repository:t/app:pull,push"), "{path}");
    assert!(path.contains("scope=repository:t/from:pull"), "{path}");
}

#[test]
fn a_token_may_go_by_its_other_name_and_its_answer_may_break() {
    let server = Server::start(|request, before| {
        if request.path.starts_with("/token") {
            let reply = Reply::new(200).body(r#"{"token":"","access_token":"good"}"#);
            return if before < 3 { reply.cut(9) } else { reply };
        }
        match request.header("Authorization") {
            Some("Bearer good") => Reply::new(200).body(r#"{"tags":["a"]}"#),
            _ => Reply::new(401).header("WWW-Authenticate", "Bearer realm=\"/token\",service=s"),
        }
    });
    assert_eq!(server.repository().tags().unwrap(), ["a"]);
}

#[test]
fn a_token_that_ends_early_is_replaced() {
    let (server, tokens) = registry(2);
    let client = server.client_with(robot(), Settings::default());
    let repository = client.repository(&server.host, "t/app");
    for _ in 0..6 {
        assert_eq!(repository.tags().unwrap(), ["a"]);
    }
    // The registry knows only the last one, and is asked for two kinds in turn.
    assert_eq!(tokens.load(Ordering::Relaxed), 4);
    assert_eq!(client.traffic().retries, 0);
}

#[test]
fn what_the_registry_wants_besides_is_bought_too() {
    let (server, _) = registry(1);
    let repository = server.repository();
    repository.tags().unwrap();
    repository.tags().unwrap();
    let bought = token_requests(&server);
    assert!(
        bought[1].path.contains("scope=extra:it:pull"),
        "{}",
        bought[1].path
    );
    assert_eq!(bought[0].header("Authorization"), None, "nobody was named");
}

#[test]
fn tokens_that_are_never_good_end_in_an_error() {
    let (server, _) = registry(0);
    let error = server.repository().tags().unwrap_err();
    assert_eq!(
        (error.kind(), error.get_status()),
        (ErrorKind::Unauthorized, Some(401))
    );
}

#[test]
fn a_wrong_password_is_told_by_the_check() {
    for challenge in ["Basic realm=x", "Bearer realm=\"/token\",service=s"] {
        let server = Server::start(move |request, _| match request.path.as_str() {
            path if path.starts_with("/token") => Reply::new(401)
                .body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}"#),
            _ => Reply::new(401).header("WWW-Authenticate", challenge),
        });
        let client = server.client_with(robot(), Settings::default());
        let error = client.host(&server.host).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{challenge}");
        assert!(error.get_hint().is_some());
    }
}

#[test]
fn an_identity_token_buys_tokens_by_a_form() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/token" if request.method == "POST" => {
            Reply::new(200).body(r#"{"access_token":"good","expires_in":300}"#)
        }
        _ if request.header("Authorization") == Some("Bearer good") => {
            Reply::new(200).body(r#"{"tags":[]}"#)
        }
        _ => Reply::new(401).header("WWW-Authenticate", "Bearer realm=\"/token\",service=s"),
    });
    let folder = tempfile::tempdir().unwrap();
    let config = serde_json::json!({
        "auths": { server.host.as_str(): { "identitytoken": "it+1" } }
    });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let settings = Settings {
        docker_config: Some(folder.path().to_owned()),
        ..Settings::default()
    };
    let client = server.client_with(Access::default(), settings);
    assert!(
        client
            .repository(&server.host, "t/app")
            .tags()
            .unwrap()
            .is_empty()
    );
    let form = String::from_utf8(token_requests(&server)[0].body.clone()).unwrap();
    let expected = "grant_type=refresh_token&service=s&client_id=fusion\
                    &scope=repository:t/app:pull&refresh_token=it%2B1";
    assert_eq!(form, expected);
}

#[test]
fn credentials_of_one_repository_are_tried_there() {
    let basic = format!("Basic {}", STANDARD.encode("u:w"));
    let server = Server::start(move |request, _| {
        if request.header("Authorization") == Some(&basic) {
            Reply::new(200).body(r#"{"tags":["a"]}"#)
        } else {
            Reply::new(401).header("WWW-Authenticate", "Basic realm=x")
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{}/t", server.host);
    let config = serde_json::json!({ "auths": { name: { "auth": STANDARD.encode("u:w") } } });
    std::fs::write(folder.path().join("auth.json"), config.to_string()).unwrap();
    let settings = Settings {
        auth_file: Some(folder.path().join("auth.json")),
        ..Settings::default()
    };
    let client = server.client_with(Access::default(), settings);
    client.host(&server.host).check().unwrap();
    let repository = |name: &str| client.repository(&server.host, name);
    repository("t/app").check().unwrap();
    assert_eq!(repository("t/app").tags().unwrap(), ["a"]);
    let error = repository("other/app").check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let error = server.client().host(&server.host).check().unwrap_err();
    assert!(error.message().contains("none are known"), "{error}");
}

#[test]
fn a_challenge_beside_a_welcome_shuts_nobody_out() {
    let server = Server::start(|request, _| {
        let reply = match request.path.as_str() {
            "/v2/" => Reply::new(200),
            _ => Reply::new(200).body(r#"{"tags":["a"]}"#),
        };
        reply.header("WWW-Authenticate", "basic realm=")
    });
    server.client().host(&server.host).check().unwrap();
    assert_eq!(server.repository().tags().unwrap(), ["a"]);
    let basic = format!("Basic {}", STANDARD.encode("u:w"));
    let anonymous = |request: &Request| request.header("Authorization") != Some(&basic);
    assert!(server.log().iter().all(anonymous));
    // Who has a password shows it: there may be more to see.
    let access = Access {
        username: Some("u".to_owned()),
        password: Some(Secret::new("w")),
        ..Access::default()
    };
    let client = server.client_with(access, Settings::default());
    client.host(&server.host).check().unwrap();
    let requests = server.log();
    assert!(!anonymous(requests.last().unwrap()));
}

#[test]
fn half_a_login_makes_no_sense() {
    let access = Access {
        username: Some("u".to_owned()),
        ..Access::default()
    };
    let made = super::super::Client::new(access, Settings::default(), Default::default());
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn every_answer_of_a_token_server_that_is_none_is_an_error() {
    let mut told = String::new();
    for body in ["", "{}", "[]", r#"{"token":""}"#, r#"{"token":"a\nb"}"#] {
        let server = Server::start(move |request, _| match request.path.as_str() {
            path if path.starts_with("/token") => Reply::new(200).body(body),
            _ => Reply::new(401).header("WWW-Authenticate", "Bearer realm=\"/token\""),
        });
        let error = server.repository().tags().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Registry, "{body}");
        writeln!(told, "{error}").unwrap();
    }
    assert_eq!(told.matches("answers without one").count(), 5, "{told}");
}
