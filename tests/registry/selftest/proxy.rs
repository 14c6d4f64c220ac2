//! Each fault, on the way to a real registry and as a client sees it.

use std::io;
use std::time::{Duration, Instant};

use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;
use crate::registry::stock;

const UPLOADS: &str = "/v2/*/blobs/uploads/*";
const OCTETS: &str = "application/octet-stream";

/// A registry with a blob of that length, a proxy in front, and the blob's place.
fn scene(length: usize) -> (DockerRegistry, Proxy, String) {
    let registry = DockerRegistry::open();
    let digest = stock::blob(
        &mut Client::new(registry.host()),
        "a",
        &stock::bytes("blob", length),
    );
    let proxy = Proxy::start(registry.host(), Vec::new());
    (registry, proxy, format!("/v2/a/blobs/{digest}"))
}

fn once(method: &'static str, path: &str, fault: Fault) -> Vec<Rule> {
    vec![Rule::new(method, path, When::Nth(1), fault)]
}

#[test]
fn without_rules_all_goes_through_on_one_connection_and_is_counted() {
    let (registry, proxy, _) = scene(10);
    let mut client = Client::new(&proxy.host());
    let layer = stock::bytes("layer", 3 << 20);
    let (digest, manifest) = stock::image(&mut client, "t/app", "1.0", &layer);
    let reply = client.ask("GET", &format!("/v2/t/app/manifests/{digest}"));
    assert_eq!((reply.status(), &reply.body), (200, &manifest));
    assert_eq!(client.ask("HEAD", "/v2/t/app/manifests/1.0").status(), 200);
    assert_eq!(client.ask("GET", "/v2/t/app/manifests/2.0").status(), 404);
    assert_eq!((client.connections, proxy.connections()), (1, 1));
    let puts = proxy.matching("PUT", UPLOADS);
    assert_eq!(puts.len(), 2);
    assert!(
        puts.iter()
            .any(|put| put.sent == 3 << 20 && put.status == 201)
    );
    assert!(puts[0].query.contains("digest=sha256:") && puts[0].scheme.is_none());
    assert!(proxy.sent() > 3 << 20);
    assert_eq!(proxy.spoiled(), 0);
    assert_eq!(registry.uploads().manifests.len(), 1);
    proxy.forget();
    assert!(proxy.seen().is_empty());
}

#[test]
fn a_chunked_body_goes_through_as_it_is() {
    let (_registry, proxy, _) = scene(10);
    let mut client = Client::new(&proxy.host());
    let place = stock::session(&mut client, "a");
    let mut wire = crate::registry::http::Wire::connect(&proxy.host()).unwrap();
    let head = format!(
        "PATCH {place} HTTP/1.1\r\nHost: {}\r\nContent-Type: {OCTETS}\r\n\
         Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        proxy.host()
    );
    wire.write(head.as_bytes()).unwrap();
    let read = |wire: &mut crate::registry::http::Wire| {
        let head = crate::registry::http::Head::read(wire.reader()).unwrap();
        head.expect("an answer")
    };
    assert_eq!(read(&mut wire).status(), 100);
    wire.write(b"5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n")
        .unwrap();
    let answer = read(&mut wire);
    assert_eq!((answer.status(), answer.get("range")), (202, Some("0-11")));
    assert_eq!(proxy.matching("PATCH", UPLOADS)[0].sent, 12);
}

#[test]
fn a_dropped_request_never_reaches_the_registry_and_a_swallowed_one_does() {
    let (registry, proxy, _) = scene(10);
    let asked = || {
        registry
            .requests()
            .iter()
            .filter(|line| line.method == "POST")
            .count()
    };
    let before = asked();
    let mut client = Client::new(&proxy.host());
    proxy.rules(once("POST", UPLOADS, Fault::Drop));
    let mut post = || client.send("POST", "/v2/a/blobs/uploads/", &[], b"");
    assert_eq!(post().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(asked(), before);
    assert_eq!(post().unwrap().status(), 202);
    proxy.rules(once("POST", UPLOADS, Fault::Swallow));
    assert_eq!(post().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(asked(), before + 2);
    let seen: Vec<_> = proxy
        .seen()
        .iter()
        .map(|one| (one.status, one.spoiled))
        .collect();
    assert_eq!(seen, [(0, true), (202, false), (0, true)]);
}

/// What distribution 2 does with a session that broke in the middle of a request: it compares the
/// size of what it has with the offset in `_state`, and gives all of it up. So only what whole
/// requests have brought can be gone on from.
#[test]
fn a_request_that_is_cut_costs_the_session_and_one_that_is_whole_can_be_gone_on_from() {
    let (registry, proxy, _) = scene(10);
    let mut client = Client::new(&proxy.host());
    let place = stock::session(&mut client, "a");
    let kind = [("Content-Type", OCTETS)];
    let body = stock::bytes("long", 5 << 20);
    let first = client
        .send("PATCH", &place, &kind, &body[..1 << 20])
        .unwrap();
    let place = stock::place(first.header("location"));
    let status = client.ask("GET", &place);
    assert_eq!(
        (status.status(), status.header("range")),
        (204, "0-1048575")
    );

    proxy.rules(once("PATCH", UPLOADS, Fault::CutRequest(1 << 20)));
    let broken = client.send("PATCH", &place, &kind, &body[1 << 20..]);
    let error = broken.unwrap_err().kind();
    let breaks = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    assert!(breaks.contains(&error), "{error:?}");
    let patch = &proxy.matching("PATCH", UPLOADS)[1];
    assert_eq!(
        (patch.status, patch.sent, patch.spoiled),
        (0, 1 << 20, true)
    );
    // The registry notices the end a moment later.
    let start = Instant::now();
    while !registry.whole_log().contains("client disconnected") {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{}",
            registry.whole_log()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = client.ask("GET", &place);
    assert_eq!(status.status(), 404);
    assert_eq!(status.json()["errors"][0]["code"], "BLOB_UPLOAD_INVALID");
    let log = registry.whole_log();
    assert!(log.contains("resumed at wrong"), "{log}");
}

#[test]
fn an_answer_is_cut_by_a_reset_or_ends_too_early() {
    let (_registry, proxy, blob) = scene(1 << 20);
    let mut client = Client::new(&proxy.host());
    for fault in [Fault::CutAnswer(100_000), Fault::Truncate(100_000)] {
        proxy.rules(once("GET", "/v2/*/blobs/*", fault));
        let broken = client.send("GET", &blob, &[], b"").unwrap_err();
        assert!(broken.to_string().contains("From("), "{broken}");
        let seen = proxy.seen().pop().unwrap();
        assert_eq!((seen.status, seen.received), (200, 100_000));
        assert_eq!(client.ask("GET", &blob).body.len(), 1 << 20);
    }
    assert_eq!(proxy.spoiled(), 2);
}

#[test]
fn somebody_in_between_answers_also_in_the_middle_of_an_upload() {
    let (_registry, proxy, _) = scene(10);
    let mut client = Client::new(&proxy.host());
    let place = stock::session(&mut client, "a");
    proxy.rules(vec![
        Rule::new("PATCH", UPLOADS, When::Nth(1), Fault::too_many(7)),
        Rule::new("PATCH", UPLOADS, When::First(2), Fault::page(502)),
    ]);
    let body = stock::bytes("long", 8 << 20);
    let mut patch = || {
        client
            .send("PATCH", &place, &[("Content-Type", OCTETS)], &body)
            .unwrap()
    };
    let (busy, broken, fine) = (patch(), patch(), patch());
    assert_eq!((busy.status(), busy.header("retry-after")), (429, "7"));
    assert_eq!(busy.json()["errors"][0]["code"], "TOOMANYREQUESTS");
    assert_eq!((broken.status(), broken.header("server")), (502, "nginx"));
    assert!(broken.text().starts_with("<html>"));
    assert_eq!(fine.status(), 202);
    assert!(proxy.matching("PATCH", UPLOADS)[0].sent < 8 << 20);
}

#[test]
fn a_delay_delays_and_the_other_requests_do_not_wait() {
    let (_registry, proxy, blob) = scene(10);
    let delay = Duration::from_millis(600);
    proxy.rules(vec![Rule::new(
        "HEAD",
        "*",
        When::Every(2),
        Fault::Delay(delay),
    )]);
    let mut client = Client::new(&proxy.host());
    let mut timed = |method: &str| {
        let start = Instant::now();
        assert_eq!(client.ask(method, &blob).status(), 200);
        start.elapsed() >= delay
    };
    assert_eq!(
        [timed("HEAD"), timed("HEAD"), timed("GET")],
        [false, true, false]
    );
}

#[test]
fn a_registry_that_is_gone_is_a_bad_gateway() {
    let (registry, proxy, blob) = scene(10);
    drop(registry);
    let mut client = Client::new(&proxy.host());
    assert_eq!(client.ask("GET", &blob).status(), 502);
    let host = proxy.host();
    drop(proxy);
    assert!(std::net::TcpStream::connect(host).is_err());
}
