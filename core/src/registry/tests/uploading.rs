//! Uploads: in one piece, as a stream, in chunks, and after every kind of break.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::super::testing::{Break, Reply, Request, Server};
use super::super::{Access, Repository, Sessions};
use crate::error::{ErrorKind, Result};
use crate::oci::{Descriptor, Digest, MediaType};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::store::{BlobReader, BlobSource, Expected, Memory, Place, Transfer};

const BIG: usize = 6 << 20;

/// What a registry has of a blob, and how it wants to get it.
#[derive(Default)]
struct Store {
    held: Vec<u8>,
    whole: Option<Vec<u8>>,
    /// No body may be longer.
    most: Option<usize>,
    /// The session is forgotten after a break.
    forgets: bool,
    sessions: usize,
}

impl Store {
    fn answer(&mut self, request: &Request) -> Reply {
        let length: usize = request
            .header("Content-Length")
            .map_or(0, |n| n.parse().unwrap());
        let broken = request.body.len() < length;
        let session = format!("/upload/{}", self.sessions);
        let place = format!("{session}?_state=secret{}", self.held.len());
        let end = self.held.len().saturating_sub(1);
        match request.method.as_str() {
            "GET" if request.path == "/v2/" => Reply::new(200),
            "HEAD" => match &self.whole {
                Some(whole) => Reply::new(200).header("Content-Length", whole.len()),
                None => Reply::new(404),
            },
            "POST" => {
                self.sessions += 1;
                self.held.clear();
                let place = format!("/upload/{}?_state=secret", self.sessions);
                Reply::new(202).header("Location", place)
            }
            _ if !request.path.starts_with(&format!("{session}?")) => {
                Reply::new(404).body(r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#)
            }
            "GET" => Reply::new(204)
                .header("Location", place)
                .header("Range", format!("0-{end}")),
            "DELETE" => {
                self.sessions += 1;
                Reply::new(204)
            }
            "PATCH" | "PUT" if self.most.is_some_and(|most| length > most) => Reply::new(413),
            // Before the body, and after a broken one.
            "PATCH" | "PUT" if request.body.is_empty() && length > 0 => Reply::new(200),
            "PATCH" | "PUT" => {
                if let Some(range) = request.header("Content-Range") {
                    let (start, last) = range.split_once('-').unwrap();
                    assert_eq!(start.parse(), Ok(self.held.len()));
                    assert_eq!(last.parse(), Ok(self.held.len() + length - 1));
                } else {
                    assert!(self.held.is_empty() || length == 0);
                }
                self.held.extend_from_slice(&request.body);
                if broken && self.forgets {
                    self.sessions += 1;
                }
                if broken || request.method == "PATCH" {
                    let end = self.held.len().saturating_sub(1);
                    let place = format!("{session}?_state=secret{}", self.held.len());
                    return Reply::new(202)
                        .header("Location", place)
                        .header("Range", format!("0-{end}"));
                }
                let digest = request.path.split("digest=").nth(1).unwrap();
                if Digest::of(&self.held).to_string() != digest {
                    return Reply::new(400).body(r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
                }
                self.whole = Some(std::mem::take(&mut self.held));
                Reply::new(201)
            }
            _ => Reply::new(405),
        }
    }
}

struct Scene {
    server: Server,
    store: Arc<Mutex<Store>>,
    cut: Break,
}

impl Scene {
    fn new(store: Store) -> Self {
        let (store, cut) = (Arc::new(Mutex::new(store)), Break::default());
        let held = Arc::clone(&store);
        let server = Server::breaking(Arc::clone(&cut), move |request, _| {
            held.lock().unwrap().answer(request)
        });
        Self { server, store, cut }
    }

    fn send(&self, content: &[u8], sessions: Option<&dyn Sessions>) -> Result<u64> {
        send(&self.server.repository(), content, sessions)
    }

    fn got(&self, content: &[u8]) -> bool {
        self.store.lock().unwrap().whole.as_deref() == Some(content)
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8)
        .collect()
}

fn send(to: &Repository, content: &[u8], sessions: Option<&dyn Sessions>) -> Result<u64> {
    let mut memory = Memory::default();
    let digest = memory.insert(content.to_vec());
    let blob = Expected {
        digest,
        size: content.len() as u64,
        diff_id: None,
    };
    let progress = Progress::default();
    to.upload(&memory, &blob, &mut Transfer::new(&progress), sessions)
}

#[derive(Default)]
struct Remembered(Mutex<Option<String>>);

impl Sessions for Remembered {
    fn get(&self, _repository: &str, _digest: &Digest) -> Option<String> {
        self.0.lock().unwrap().clone()
    }

    fn set(&self, _repository: &str, _digest: &Digest, location: Option<&str>) {
        *self.0.lock().unwrap() = location.map(str::to_owned);
    }
}

#[test]
fn small_blobs_go_in_one_piece_and_large_ones_as_a_stream() {
    for (length, methods) in [
        (0, &["POST", "PUT"][..]),
        (1, &["POST", "PUT"]),
        (1000, &["POST", "PUT"]),
        (BIG, &["POST", "PATCH", "PUT"]),
    ] {
        let scene = Scene::new(Store::default());
        let content = content(length);
        assert_eq!(scene.send(&content, None).unwrap(), length as u64);
        assert!(scene.got(&content), "{length}");
        let lines = scene.server.lines();
        let asked: Vec<&str> = lines
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(asked, methods, "{length}");
    }
}

#[test]
fn an_upload_goes_on_where_the_connection_broke() {
    let scene = Scene::new(Store::default());
    *scene.cut.lock().unwrap() = Some(5 << 20);
    let content = content(BIG);
    let sent = scene.send(&content, None).unwrap();
    assert!(scene.got(&content));
    let log = scene.server.log();
    let patches: Vec<_> = log
        .iter()
        .filter(|request| request.method == "PATCH")
        .collect();
    assert_eq!(patches.len(), 2);
    let range = patches[1].header("Content-Range").unwrap();
    assert_eq!(range, format!("{}-{}", 5 << 20, BIG - 1));
    assert_eq!(patches[1].body.len(), 1 << 20);
    assert!(sent >= BIG as u64);
}

#[test]
fn a_session_that_is_lost_begins_anew() {
    for length in [1000, BIG] {
        let scene = Scene::new(Store {
            forgets: true,
            ..Store::default()
        });
        *scene.cut.lock().unwrap() = Some(500);
        let content = content(length);
        scene.send(&content, None).unwrap();
        assert!(scene.got(&content), "{length}");
        assert_eq!(scene.store.lock().unwrap().sessions, 3);
    }
}

#[test]
fn the_next_run_sends_only_what_is_missing() {
    let scene = Scene::new(Store::default());
    let content = content(BIG);
    let remembered = Remembered::default();
    // What an earlier run left: half of the blob.
    {
        let mut store = scene.store.lock().unwrap();
        store.sessions = 1;
        store.held = content[..BIG / 2].to_vec();
    }
    let left = format!("http://{}/upload/1?_state=old", scene.server.host);
    remembered.set("", &Digest::of(b""), Some(&left));
    let sent = scene.send(&content, Some(&remembered)).unwrap();
    assert!(scene.got(&content));
    assert_eq!(sent, (BIG / 2) as u64);
    assert_eq!(remembered.get("", &Digest::of(b"")), None);
    assert!(
        !scene
            .server
            .lines()
            .iter()
            .any(|line| line.starts_with("POST"))
    );
}

#[test]
fn what_is_too_much_at_a_time_goes_in_chunks() {
    let scene = Scene::new(Store {
        most: Some(2 << 20),
        ..Store::default()
    });
    let content = content(BIG);
    let sent = scene.send(&content, None).unwrap();
    assert!(scene.got(&content));
    assert_eq!(sent, BIG as u64, "nothing was sent in vain");
    let log = scene.server.log();
    let taken = log
        .iter()
        .filter(|request| request.method == "PATCH" && !request.body.is_empty());
    assert!(taken.count() >= 3);
}

#[test]
fn what_is_always_too_much_is_an_error() {
    let scene = Scene::new(Store {
        most: Some(1000),
        ..Store::default()
    });
    let error = scene.send(&content(BIG), None).unwrap_err();
    assert_eq!(error.get_status(), Some(413));
    assert!(error.get_hint().is_some());
}

/// Says that its content goes by another digest.
#[derive(Debug)]
struct Lying(Memory, Digest, u64);

impl BlobSource for Lying {
    fn size(&self, _digest: &Digest) -> Option<u64> {
        Some(self.2)
    }

    fn open<'a>(&'a self, _digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        self.0.open(&self.1)
    }

    fn place(&self, _digest: &Digest) -> Place {
        Place {
            path: Some(PathBuf::from("lying.tar")),
            ..Place::default()
        }
    }
}

#[test]
fn content_that_is_not_what_it_goes_by_is_never_completed() {
    for (length, claimed) in [(BIG, BIG), (1000, 1000), (1000, 999), (999, 1000)] {
        let scene = Scene::new(Store::default());
        let mut memory = Memory::default();
        let real = memory.insert(content(length));
        let digest = Digest::of(b"another");
        let lying = Lying(memory, real, claimed as u64);
        let blob = Expected {
            digest,
            size: claimed as u64,
            diff_id: None,
        };
        let progress = Progress::default();
        let mut transfer = Transfer::new(&progress);
        let repository = scene.server.repository();
        let error = repository
            .upload(&lying, &blob, &mut transfer, None)
            .unwrap_err();
        let expected = if length == claimed {
            ErrorKind::DigestMismatch
        } else {
            ErrorKind::InvalidArchive
        };
        assert_eq!(error.kind(), expected);
        assert_eq!(error.get_path(), Some("lying.tar".as_ref()));
        let lines = scene.server.lines();
        assert!(
            lines.last().unwrap().starts_with("DELETE /upload/1"),
            "{lines:?}"
        );
        let log = scene.server.log();
        let got: usize = log.iter().map(|request| request.body.len()).sum();
        assert!(got < claimed, "{got} of {claimed}");
        assert_eq!(scene.store.lock().unwrap().whole, None);
    }
}

#[test]
fn a_registry_that_keeps_failing_is_given_up() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "GET" => Reply::new(200),
        "POST" => Reply::new(202).header("Location", "/upload/1"),
        _ => Reply::new(500),
    });
    let access = super::super::Access {
        retries: 1,
        ..Default::default()
    };
    let client = server.client_with(access, Default::default());
    let repository = client.repository(&server.host, "t/app");
    let error = send(&repository, &content(1000), None).unwrap_err();
    assert_eq!(
        (error.kind(), error.get_status()),
        (ErrorKind::Registry, Some(500))
    );
    // The second time it is asked first.
    assert_eq!(client.traffic().uploaded, 1000);
}

#[test]
fn a_refusal_is_told_at_once() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "GET" => Reply::new(200),
        _ => Reply::new(403).body(r#"{"errors":[{"code":"DENIED","message":"no"}]}"#),
    });
    let error = send(&server.repository(), &content(10), None).unwrap_err();
    assert_eq!(
        (error.kind(), error.get_code()),
        (ErrorKind::Denied, Some("DENIED"))
    );
    assert_eq!(server.lines(), ["POST /v2/t/app/blobs/uploads/"]);
}

#[test]
fn who_cannot_be_asked_first_gets_the_body_at_once_under_the_scope_that_it_names() {
    let content = content(BIG);
    let digest = Digest::of(&content).to_string();
    let server = Server::start(move |request, _| {
        if request.path.starts_with("/token") {
            let wanted = request.path.contains("scope=repository:real/app:pull,push");
            let token = if wanted { "real" } else { "other" };
            return Reply::new(200).body(format!(r#"{{"token":"{token}"}}"#));
        }
        let uploads = request.path.starts_with("/upload/");
        if request.header("Expect").is_some() {
            return Reply::new(417);
        }
        let given = request.header("Authorization");
        let good = ["Bearer real", "Bearer other"];
        if !given.is_some_and(|given| good[..good.len() - usize::from(uploads)].contains(&given)) {
            let wanted =
                "Bearer realm=\"/token\",service=s,scope=\"repository:real/app:pull,push\"";
            return Reply::new(401).header("WWW-Authenticate", wanted);
        }
        match request.method.as_str() {
            "POST" => Reply::new(202).header("Location", "/upload/1"),
            "GET" => Reply::new(204).header("Location", "/upload/1"),
            "PATCH" => Reply::new(202)
                .header("Location", "/upload/1")
                .header("Range", format!("0-{}", BIG - 1)),
            "HEAD" => Reply::new(404),
            "PUT" if request.path.contains(&digest[7..]) => Reply::new(201),
            _ => Reply::new(400),
        }
    });
    send(&server.repository(), &content, None).unwrap();
}

#[test]
fn a_mount_that_becomes_an_upload_is_called_off() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "GET" => Reply::new(200),
        "POST" => Reply::new(202).header("Location", "/upload/7?_state=s"),
        _ => Reply::new(204),
    });
    let repository = server.repository();
    assert!(!repository.mount(&Digest::of(b""), "t/from").unwrap());
    let lines = server.lines();
    let mount = format!(
        "/v2/t/app/blobs/uploads/?mount={}&from=t/from",
        Digest::of(b"")
    );
    assert_eq!(
        lines,
        [
            format!("POST {mount}"),
            "DELETE /upload/7?_state=s".to_owned()
        ]
    );
}

#[test]
fn a_manifest_is_put_again_while_the_registry_does_not_see_what_it_leads_to() {
    let unseen = r#"{"errors":[
        {"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"},
        {"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#;
    let bytes = br#"{"schemaVersion":2,"manifests":[]}"#;
    let descriptor = Descriptor::of(MediaType::OCI_INDEX, bytes);
    // How often it does not, and how often it is asked before that counts.
    for (blind, asked, puts) in [(1, 3, 2), (9, 1, 2), (9, 0, 1)] {
        let answered = AtomicUsize::new(0);
        let server = Server::start(move |request, _| match request.method.as_str() {
            "PUT" if answered.fetch_add(1, Ordering::Relaxed) < blind => {
                Reply::new(400).body(unseen)
            }
            "PUT" => Reply::new(201),
            _ => Reply::new(200),
        });
        let access = Access {
            retries: asked,
            ..Access::default()
        };
        let client = server.client_with(access, Settings::default());
        let repository = client.repository(&server.host, "t/app");
        let outcome = repository.put("1", &descriptor, bytes);
        let lines = server.lines();
        let put = lines.iter().filter(|line| line.starts_with("PUT")).count();
        assert_eq!((outcome.is_ok(), put), (blind == 1, puts), "{outcome:?}");
    }
}
