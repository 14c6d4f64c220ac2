//! What services say instead of taking a chart, and what is made of it.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;
use crate::error::ErrorKind;
use crate::registry::testing::Server;

/// A repository that answers every form so.
fn refusing(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Server, Repository) {
    let server = Server::start(move |request, _| match request.line().as_str() {
        "GET /api/r/charts?offset=0&limit=1" => json_reply(200, "{}"),
        "POST /api/r/charts" | "POST /api/r/charts?force" => reply(),
        _ => Reply::new(404),
    });
    let repository = open(
        RepositoryKind::ChartMuseum,
        &format!("http://{}/r", server.host),
    );
    (server, repository)
}

#[test]
fn every_status_is_told_with_what_to_do() {
    for (status, kind, said) in [
        (
            401,
            ErrorKind::Unauthorized,
            "check user and password: `target.repo.auth`",
        ),
        (
            403,
            ErrorKind::Denied,
            "the user in `target.repo.auth` may not do that",
        ),
        (404, ErrorKind::Registry, "`--disable-api`"),
        (405, ErrorKind::Registry, "`--disable-api`"),
        (
            413,
            ErrorKind::Registry,
            "`--max-upload-size`: the chart has 15 bytes",
        ),
        (500, ErrorKind::Registry, "broken pipes (500)"),
        (507, ErrorKind::Registry, "broken pipes (507)"),
    ] {
        let (_server, repository) =
            refusing(move || json_reply(status, r#"{"error":"broken pipes"}"#));
        let error =
            (repository.publish("app", "1.0.0+b", PACKAGE, &metadata(), false)).unwrap_err();
        assert_eq!((error.kind(), error.get_status()), (kind, Some(status)));
        let shown = shown(&error);
        assert!(
            shown.contains(said) && shown.contains("chart `app` 1.0.0+b"),
            "{shown}"
        );
        // The same is found out before anything is sent, where it can be.
        let found = repository
            .check(None, true)
            .map(drop)
            .map_err(|error| error.kind());
        let early = matches!(status, 401 | 403 | 404 | 405);
        assert_eq!(found.err(), early.then_some(kind), "{status}");
    }
}

#[test]
fn a_version_that_may_not_be_replaced_stays() {
    let (_server, repository) = refusing(|| json_reply(409, r#"{"error":"already exists"}"#));
    let publish = |overwrite| {
        (repository.publish("app", "1.0.0+b", PACKAGE, &metadata(), overwrite)).unwrap_err()
    };
    assert_eq!(publish(false).kind(), ErrorKind::DestinationExists);
    let error = publish(true);
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(shown(&error).contains("--disable-force-overwrite"));
}

#[test]
fn redirects_and_pages_are_no_success() {
    let (_server, repository) =
        refusing(|| Reply::new(308).header("Location", "https://other.example/api?token=hunter2"));
    for error in [
        (repository.publish("app", "1.0.0+b", PACKAGE, &metadata(), false)).unwrap_err(),
        repository.check(None, false).unwrap_err(),
    ] {
        let shown = shown(&error);
        assert!(
            shown.contains("redirected to `https://other.example/api`"),
            "{shown}"
        );
        assert!(
            shown.contains("have `target.repo.url` lead there"),
            "{shown}"
        );
    }
    let (_server, repository) = refusing(|| Reply::new(200).body("<html>welcome</html>"));
    let error = (repository.publish("app", "1.0.0+b", PACKAGE, &metadata(), false)).unwrap_err();
    assert!(shown(&error).contains("a web page answers"), "{error}");
}

#[test]
fn garbage_is_told() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/api/charts?offset=0&limit=1" => json_reply(200, "{}"),
        "/api/charts/app/1.0.0" => json_reply(200, "{\"version\": \"1.0"),
        "/api/charts/app/2.0.0" => Reply::new(200).body("<html>"),
        "/api/charts/app/3.0.0" => json_reply(200, "[]").cut(1),
        "/api/charts/app/4.0.0" => json_reply(200, r#"{"version":"4.0.0","urls":["http://"]}"#),
        _ => Reply::new(200).body("<html>"),
    });
    let repository = open(
        RepositoryKind::ChartMuseum,
        &format!("http://{}", server.host),
    );
    for (version, kind, said) in [
        ("1.0.0", ErrorKind::Registry, "answers no JSON"),
        ("2.0.0", ErrorKind::Registry, "a web page answers"),
        ("3.0.0", ErrorKind::Unreachable, "broke"),
        ("4.0.0", ErrorKind::Registry, "a web page answers"),
    ] {
        let error = repository.get("app", version).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(shown(&error).contains(said), "{error}");
    }
}

#[test]
fn what_stands_at_an_address_instead_is_told() {
    /// What answers at a path.
    type There = (&'static str, &'static str);
    let cases: [(&[There], &str); 5] = [
        (
            &[("/a/index.yaml", "apiVersion: v1\nentries: {}\n")],
            "lists charts and takes none",
        ),
        (
            &[("/health", r#"{"healthy":true}"#)],
            "as many names as ChartMuseum's `--depth` says",
        ),
        (
            &[("/api/v2.0/ping", "Pong")],
            "`kind: OCI` and `url: http://",
        ),
        (
            &[("/api/a/charts?offset=0&limit=1", "<html>")],
            "a web page answers",
        ),
        (&[], "check `target.repo.url` and `kind`"),
    ];
    for (there, said) in cases {
        let server = Server::start(move |request, _| {
            let found = there.iter().find(|(path, _)| *path == request.path);
            found.map_or_else(|| Reply::new(404), |(_, body)| Reply::new(200).body(*body))
        });
        let repository = open(
            RepositoryKind::ChartMuseum,
            &format!("http://{}/a", server.host),
        );
        let error = repository.check(None, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Registry);
        assert!(
            shown(&error).contains(said),
            "{} for {there:?}",
            shown(&error)
        );
    }
}

#[test]
fn nothing_is_sent_for_names_that_lead_elsewhere() {
    let server = Server::start(|_, _| json_reply(200, "{}"));
    for kind in [
        RepositoryKind::ChartMuseum,
        RepositoryKind::Oci,
        RepositoryKind::Local,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let spec = RepositorySpec {
            path: Some(folder.path().join("inner")),
            ..spec(kind, &format!("http://{}/a", server.host))
        };
        let repository = Repository::open(&spec, Keys::SYNC, &connect(), Stop::new()).unwrap();
        for (name, version) in [
            ("../x", "1"),
            ("a/b", "1"),
            ("a", "../1"),
            ("", "1"),
            ("a", "1\n"),
        ] {
            let error = repository.get(name, version).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            let error =
                (repository.publish(name, version, PACKAGE, &metadata(), true)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    assert_eq!(server.log().len(), 0);
}

#[test]
fn a_stop_ends_it() {
    let server = Server::start(|_, _| Reply::new(503));
    let stop = Stop::new();
    let url = format!("http://{}", server.host);
    for kind in [RepositoryKind::ChartMuseum, RepositoryKind::Oci] {
        let spec = spec(kind, &url);
        let repository = Repository::open(&spec, Keys::SYNC, &connect(), stop.clone()).unwrap();
        stop.request();
        let error = repository.check(None, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
}

#[test]
fn a_server_of_the_other_scheme_is_told() {
    let server = Server::start(|_, _| {
        Reply::new(400).body("Client sent an HTTP request to an HTTPS server.\n")
    });
    let repository = open(
        RepositoryKind::ChartMuseum,
        &format!("http://{}", server.host),
    );
    let error = repository.check(None, false).unwrap_err();
    assert!(
        shown(&error).contains("| `https://` in `target.repo.url`"),
        "{}",
        shown(&error)
    );
    // An address that says `https` is not left for one without, private or not.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    let plain = std::thread::spawn(move || {
        // What clients of two kinds begin with, and begin with again.
        let mut begun = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut first = [0];
            stream.read_exact(&mut first).unwrap();
            begun.push(first[0]);
            let refusal = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent nonsense\n";
            stream.write_all(refusal).unwrap();
        }
        begun
    });
    for kind in [RepositoryKind::ChartMuseum, RepositoryKind::Oci] {
        let repository = open(kind, &format!("https://{host}/a"));
        let error = repository.check(None, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        let shown = shown(&error);
        assert!(
            shown.contains("| `http://` in `target.repo.url`"),
            "{shown}"
        );
    }
    assert_eq!(plain.join().unwrap(), [0x16, 0x16], "TLS and nothing else");
}

#[test]
fn user_and_password_come_together() {
    let half = RepositorySpec {
        password: None,
        ..spec(RepositoryKind::ChartMuseum, "http://h")
    };
    let error = Repository::open(&half, Keys::SYNC, &connect(), Stop::new()).unwrap_err();
    assert!(
        shown(&error).contains("`target.repo.auth`: a password is missing"),
        "{error}"
    );
    let inside = spec(RepositoryKind::Oci, "https://robot:hunter2@h/x");
    assert!(!format!("{inside:?}").contains(PASSWORD));
    let no_path = spec(RepositoryKind::Local, "");
    let error = Repository::open(&no_path, Keys::SYNC, &connect(), Stop::new()).unwrap_err();
    assert!(shown(&error).contains("`target.repo.path`"), "{error}");
}
