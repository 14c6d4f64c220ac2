//! Reading: manifests, blobs, tags; what passes and what stays.

use std::time::{Duration, Instant};

use super::super::testing::{Reply, Server, empty};
use super::super::{Access, Client, Image, Shelf};
use crate::error::ErrorKind;
use crate::oci::{Digest, MediaType};
use crate::progress::Stop;
use crate::settings::Settings;
use crate::store::{BlobReader, BlobSource};

fn all(reader: &mut dyn BlobReader) -> crate::Result<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 1000]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

#[test]
fn what_passes_is_waited_out_and_a_server_says_how_long() {
    let server = Server::start(|request, before| match (request.path.as_str(), before) {
        ("/v2/", _) => Reply::new(200),
        (_, 1) => Reply::new(429).header("Retry-After", "1"),
        (_, 2) => Reply::new(503),
        _ => Reply::new(200).body(r#"{"tags":["b","a"]}"#),
    });
    let client = server.client();
    let begun = Instant::now();
    let tags = client.repository(&server.host, "t/app").tags().unwrap();
    assert_eq!(tags, ["a", "b"]);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        (client.traffic().retries, client.traffic().requests),
        (2, 4)
    );
}

#[test]
fn what_does_not_pass_is_told_in_the_registrys_words() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/v2/" => Reply::new(200),
        _ => Reply::new(503).body(r#"{"errors":[{"code":"UNAVAILABLE","message":"read only"}]}"#),
    });
    let access = Access {
        retries: 1,
        ..Access::default()
    };
    let client = server.client_with(access, Settings::default());
    let error = client.repository(&server.host, "t/app").tags().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Registry);
    assert_eq!(
        (error.get_status(), error.get_code()),
        (Some(503), Some("UNAVAILABLE"))
    );
    assert!(
        error.message().ends_with("read only (503 UNAVAILABLE)"),
        "{error}"
    );
    assert_eq!(server.lines().len(), 2);
}

#[test]
fn only_a_plain_404_is_absent() {
    for (status, kind) in [
        (401, Some(ErrorKind::Unauthorized)),
        (403, Some(ErrorKind::Denied)),
        (412, Some(ErrorKind::Denied)),
        (400, Some(ErrorKind::Registry)),
        (302, Some(ErrorKind::Registry)),
        (404, None),
    ] {
        let server = Server::start(move |request, _| match request.path.as_str() {
            "/v2/" => Reply::new(200),
            _ => Reply::new(status),
        });
        let repository = server.repository();
        let found = [
            repository.manifest("1").map(|found| found.is_none()),
            repository.head("1").map(|found| found.is_none()),
            repository.has(&empty()).map(|found| !found),
        ];
        for found in found {
            assert_eq!(found.map_err(|e| e.kind()).err(), kind, "{status}");
        }
    }
}

#[test]
fn a_blob_is_there_unless_it_is_told_to_have_another_size() {
    let server = Server::start(|request, _| match request.path.split('/').nth(3) {
        Some("fitting") => Reply::new(200).header("Content-Length", 0),
        Some("longer") => Reply::new(200).header("Content-Length", 1),
        // As nginx does with `gzip on`.
        Some("untold") => Reply::new(200).header("Transfer-Encoding", "chunked"),
        _ => Reply::new(200),
    });
    let client = server.client();
    let has = |name| client.repository(&server.host, name).has(&empty()).unwrap();
    assert!(has("t/fitting"));
    assert!(!has("t/longer"));
    assert!(has("t/untold"));
}

#[test]
fn a_manifest_is_what_its_digest_says() {
    let body = r#"{"schemaVersion":2}"#;
    let digest = Digest::of(body.as_bytes());
    let other = Digest::of(b"other");
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/v2/" => Reply::new(200),
        "/v2/t/app/manifests/lying" => Reply::new(200)
            .header("Docker-Content-Digest", other)
            .body(body),
        _ => Reply::new(200)
            .header("Docker-Content-Digest", digest)
            .header(
                "Content-Type",
                "application/vnd.oci.image.index.v1+json; charset=utf-8",
            )
            .body(body),
    });
    let repository = server.repository();
    let found = repository.manifest("1").unwrap().unwrap();
    assert_eq!(
        (found.descriptor.digest, found.bytes),
        (digest, body.into())
    );
    assert_eq!(found.descriptor.media_type, MediaType::OCI_INDEX);
    assert_eq!(repository.head("1").unwrap(), Some(found.descriptor));
    for reference in ["lying".to_owned(), other.to_string()] {
        let error = repository.manifest(&reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{reference}");
    }
}

#[test]
fn a_blob_goes_on_where_the_connection_broke() {
    let content: Vec<u8> = (0..200_000u32).map(|n| (n * 7) as u8).collect();
    for ranges in [true, false] {
        let all_of_it = content.clone();
        let server = Server::start(move |request, before| {
            let start = request.header("Range").map_or(0, |range| {
                range["bytes=".len()..range.len() - 1].parse().unwrap()
            });
            match request.path.as_str() {
                "/v2/" => Reply::new(200),
                _ if before == 1 => Reply::new(200).body(&*all_of_it).cut(150_000),
                // In what is known already, too.
                _ if !ranges && before == 2 => Reply::new(200).body(&*all_of_it).cut(50_000),
                _ if ranges => Reply::new(206)
                    .header("Content-Range", format!("bytes {start}-199999/200000"))
                    .body(&all_of_it[start..]),
                _ => Reply::new(200).body(&*all_of_it),
            }
        });
        let repository = server.repository();
        let mut reader = repository.reader(&Digest::of(&content), 200_000).unwrap();
        assert!(all(&mut *reader).unwrap() == content);
        let log = server.log();
        let range = log[2].header("Range").unwrap();
        let start: usize = range["bytes=".len()..range.len() - 1].parse().unwrap();
        assert!(start > 0 && start <= 150_000, "{range}");
    }
}

#[test]
fn a_registry_that_always_breaks_off_is_given_up() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/v2/" => Reply::new(200),
        _ => Reply::new(200).body([1; 100]).cut(0),
    });
    let access = Access {
        retries: 1,
        ..Access::default()
    };
    let client = server.client_with(access, Settings::default());
    let repository = client.repository(&server.host, "t/app");
    let mut reader = repository.reader(&Digest::of(b""), 100).unwrap();
    let error = all(&mut *reader).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}

#[test]
fn a_redirect_gets_no_credentials() {
    let storage = Server::start(|_, _| Reply::new(200).body("content"));
    let location = format!("http://{}/bucket/x?signature=s", storage.host);
    let server = Server::start(move |request, _| match request.header("Authorization") {
        None => Reply::new(401).header("WWW-Authenticate", "Basic realm=x"),
        Some(_) if request.path == "/v2/" => Reply::new(200),
        Some(_) => Reply::new(307).header("Location", &location),
    });
    let access = Access {
        username: Some("robot$p".to_owned()),
        password: Some("secret".to_owned().into()),
        ..Access::default()
    };
    let client = server.client_with(access, Settings::default());
    let repository = client.repository(&server.host, "t/app");
    let mut reader = repository.reader(&Digest::of(b"content"), 7).unwrap();
    assert_eq!(all(&mut *reader).unwrap(), b"content");
    let log = storage.log();
    assert_eq!((log.len(), log[0].header("Authorization")), (1, None));
    assert_eq!(log[0].path, "/bucket/x?signature=s");
}

#[test]
fn redirects_in_circles_end() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/v2/" => Reply::new(200),
        path => Reply::new(302).header("Location", path),
    });
    let error = server.repository().tags().unwrap_err();
    assert!(error.message().contains("in circles"), "{error}");
}

#[test]
fn tags_come_page_by_page() {
    let server = Server::start(|request, _| {
        let link = |to: &str| format!("<{to}>; rel=\"next\"");
        match request.path.as_str() {
            "/v2/" => Reply::new(200),
            "/v2/t/app/tags/list?n=1000" => Reply::new(200)
                .header("Link", link("/v2/t/app/tags/list?n=1000&last=b"))
                .body(r#"{"tags":["a","b"]}"#),
            "/v2/t/app/tags/list?n=1000&last=b" => Reply::new(200)
                .header("Link", link("?n=1000&last=c"))
                .body(r#"{"tags":["c"]}"#),
            "/v2/t/app/tags/list?n=1000&last=c" => Reply::new(200).body(r#"{"tags":null}"#),
            "/v2/t/away/tags/list?n=1000" => Reply::new(200)
                .header("Link", link("http://elsewhere.invalid/"))
                .body(r#"{"tags":["a"]}"#),
            "/v2/t/round/tags/list?n=1000" => Reply::new(200)
                .header("Link", link("/v2/t/round/tags/list?n=1000"))
                .body(r#"{"tags":["a"]}"#),
            "/v2/t/odd/tags/list?n=1000" => Reply::new(200).body("[]"),
            _ => Reply::new(404),
        }
    });
    let client = server.client();
    let tags = |name: &str| client.repository(&server.host, name).tags();
    assert_eq!(tags("t/app").unwrap(), ["a", "b", "c"]);
    assert_eq!(tags("t/round").unwrap(), ["a"]);
    assert!(tags("t/none").unwrap().is_empty());
    assert_eq!(tags("t/away").unwrap_err().kind(), ErrorKind::Registry);
    assert_eq!(tags("t/odd").unwrap_err().kind(), ErrorKind::Registry);
}

#[test]
fn pages_with_nothing_new_are_passed_and_answers_cut_short_asked_for_again() {
    let server = Server::start(|request, before| {
        let path = request.path.as_str();
        let next = "</v2/t/app/tags/list?n=1000&page=1,2>; rel=\"next\"";
        match path {
            "/v2/" => Reply::new(200),
            "/v2/t/app/tags/list?n=1000" => Reply::new(200)
                .header("Link", "</v2/t/app/tags/list>; rel=\"first\"")
                .header("Link", next)
                .body(r#"{"tags":[]}"#),
            "/v2/t/app/tags/list?n=1000&page=1,2" => {
                let reply = Reply::new(200).body(r#"{"tags":["a","b"]}"#);
                if before < 3 { reply.cut(5) } else { reply }
            }
            path if path.starts_with("/v2/t/endless/tags/list?n=1000") => Reply::new(200)
                .header("Link", format!("<{path}0>; rel=\"next\""))
                .body(r#"{"tags":null}"#),
            _ => Reply::new(404),
        }
    });
    let client = server.client();
    let tags = |name: &str| client.repository(&server.host, name).tags();
    assert_eq!(tags("t/app").unwrap(), ["a", "b"]);
    assert_eq!(tags("t/endless").unwrap_err().kind(), ErrorKind::Registry);
}

#[test]
fn a_full_page_without_a_link_leads_on_by_its_last() {
    let server = Server::start(|request, _| {
        let first: Vec<String> = (0..1000).map(|n| format!("t{n:04}")).collect();
        match request.path.as_str() {
            "/v2/" => Reply::new(200),
            "/v2/t/app/tags/list?n=1000" => {
                Reply::new(200).body(serde_json::json!({ "tags": first }).to_string())
            }
            "/v2/t/app/tags/list?n=1000&last=t0999" => Reply::new(200).body(r#"{"tags":["z"]}"#),
            _ => Reply::new(404),
        }
    });
    assert_eq!(server.repository().tags().unwrap().len(), 1001);
}

#[test]
fn an_image_is_a_source_whose_missing_children_are_absent() {
    let config = b"{}";
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[]}}"#,
        MediaType::OCI_CONFIG,
        Digest::of(config)
    );
    let (here, gone) = (Digest::of(manifest.as_bytes()), Digest::of(b"gone"));
    let child = |digest: &Digest, size: usize| {
        let kind = MediaType::OCI_MANIFEST;
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        child(&here, manifest.len()),
        child(&gone, 3)
    );
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/v2/" => Reply::new(200),
        "/v2/t/app/manifests/1" => Reply::new(200)
            .header("Content-Type", MediaType::OCI_INDEX)
            .body(&*index),
        path if path.ends_with(&here.to_string()) => Reply::new(200)
            .header("Content-Type", MediaType::OCI_MANIFEST)
            .body(&*manifest),
        path if path.contains("/blobs/") => Reply::new(200).body(config),
        _ => Reply::new(404),
    });
    let shelf = Shelf::default();
    let open = || Image::open_with(server.repository(), "1", &shelf).unwrap();
    let image = open().unwrap();
    assert!(image.root().media_type.is_index());
    assert_eq!(image.size(&gone), None);
    assert_eq!(image.size(&Digest::of(b"unknown")), None);
    // Known only once the manifest is.
    assert_eq!(image.size(&Digest::of(config)), None);
    assert!(image.size(&here).is_some());
    assert_eq!(image.size(&Digest::of(config)), Some(2));
    let mut reader = image.open(&Digest::of(config)).unwrap();
    assert_eq!(all(&mut *reader).unwrap(), config);
    let asked = server.lines().len();
    assert!(image.size(&here).is_some() && image.size(&gone).is_none());
    assert_eq!(
        all(&mut *image.open(&Digest::of(config)).unwrap()).unwrap(),
        config
    );
    assert_eq!(server.lines().len(), asked, "documents are fetched once");
    // So do images that share a shelf; what was not there is asked for again, since it may have come.
    let again = open().unwrap();
    assert_eq!(
        (again.size(&Digest::of(config)), again.size(&gone)),
        (Some(2), None)
    );
    assert_eq!(
        all(&mut *again.open(&Digest::of(config)).unwrap()).unwrap(),
        config
    );
    let lines = server.lines().split_off(asked);
    let missing = format!("GET /v2/t/app/manifests/{gone}");
    assert_eq!(lines, ["GET /v2/t/app/manifests/1".to_owned(), missing]);
    let place = image.place(&here).path.unwrap();
    assert_eq!(
        place.to_str().unwrap(),
        format!("docker://{}/t/app:1", server.host)
    );
}

#[test]
fn a_stop_ends_a_wait_soon() {
    let server = Server::start(|request, _| {
        if request.path != "/v2/" {
            std::thread::sleep(Duration::from_secs(20));
        }
        Reply::new(200)
    });
    let stop = Stop::new();
    let access = Access {
        plain_http: true,
        ..Access::default()
    };
    let client = Client::new(access, Settings::default(), stop.clone()).unwrap();
    let repository = client.repository(&server.host, "t/app");
    let begun = Instant::now();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        stop.request();
    });
    let error = repository.tags().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(
        begun.elapsed() < Duration::from_millis(700),
        "{:?}",
        begun.elapsed()
    );
    stopper.join().unwrap();
}

#[test]
fn plain_http_is_found_out_on_this_machine_and_told() {
    let server = Server::start(|_, _| Reply::new(200));
    let access = Access {
        retries: 0,
        ..Access::default()
    };
    let client = Client::new(access, Settings::default(), Stop::new()).unwrap();
    // The server takes the beginning of TLS for a request, and gives no answer that is TLS.
    client.host(&server.host).check().unwrap();
    let notices = client.notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(
        (notices[0].code, &notices[0].host),
        ("plain-http", &server.host)
    );
}

#[test]
fn what_is_no_registry_is_said_to_be_none() {
    let server = Server::start(|_, _| Reply::new(404).body("<html>"));
    let client = server.client();
    let error = client
        .repository(&server.host, "t/app")
        .manifest("1")
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.get_status()),
        (ErrorKind::Registry, Some(404))
    );
    assert!(error.message().contains("no registry"), "{error}");
}
