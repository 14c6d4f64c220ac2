//! Repositories against servers that answer as they are told.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod artifacts;
mod folder;
mod harbor;
mod museum;
mod refusals;

use super::{Keys, Repository, RepositoryKind, RepositorySpec};
use crate::error::Error;
use crate::progress::Stop;
use crate::registry::testing::{Reply, Request};
use crate::registry::{Access, Connect, Secret};
use serde_json::{Value, json};

/// What a packaged chart begins with; the servers do not look further.
const PACKAGE: &[u8] = b"\x1f\x8b\x08 a chart\r\n--";

const PASSWORD: &str = "hunter2";

/// What `robot` sends.
const BASIC: &str = "Basic cm9ib3Q6aHVudGVyMg==";

fn metadata() -> Value {
    json!({"apiVersion": "v2", "name": "app", "version": "1.0.0+b"})
}

fn spec(kind: RepositoryKind, url: &str) -> RepositorySpec {
    RepositorySpec {
        kind,
        url: url.to_owned(),
        path: None,
        username: Some("robot".to_owned()),
        password: Some(Secret::new(PASSWORD)),
    }
}

/// Repeats once.
fn connect() -> Connect {
    Connect {
        access: Access {
            retries: 1,
            ..Access::default()
        },
        ..Connect::default()
    }
}

fn open(kind: RepositoryKind, url: &str) -> Repository {
    Repository::open(&spec(kind, url), Keys::SYNC, &connect(), Stop::new()).unwrap()
}

/// Everything that is shown of an error.
fn shown(error: &Error) -> String {
    let text = format!("{error} | {}", error.get_hint().unwrap_or_default());
    assert!(!format!("{text} {error:?}").contains(PASSWORD), "{text}");
    text
}

fn json_reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    let reply = Reply::new(status).body(body);
    reply.header("Content-Type", "application/json; charset=utf-8")
}

/// Whether a form holds a chart, and which.
fn posted(request: &Request) -> Option<Vec<u8>> {
    let stated = request.header("Content-Type")?;
    let boundary = stated.strip_prefix("multipart/form-data; boundary=")?;
    let body = &request.body[..];
    let end = format!("--{boundary}--\r\n");
    let parts = body.strip_suffix(end.as_bytes()).expect("an end");
    if parts.is_empty() {
        return None;
    }
    let start = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"chart\"; \
         filename=\"app-1.0.0+b.tgz\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    let part = parts.strip_prefix(start.as_bytes()).expect("a head");
    Some(part.strip_suffix(b"\r\n").expect("a line").to_vec())
}

#[test]
fn an_address_tells_the_host_that_it_is_at() {
    for (url, is_there) in [
        ("oci://h.local:5000/charts", true),
        ("http://h.local:5000", true),
        ("oci://other.local/h.local:5000", false),
        ("oci://h.local/charts", false),
    ] {
        let spec = RepositorySpec {
            kind: RepositoryKind::Oci,
            url: url.to_owned(),
            path: None,
            username: None,
            password: None,
        };
        assert_eq!(spec.is_at("h.local:5000"), is_there, "{url}");
    }
}
