//! Through a proxy, as sites without a way out of their own have: with its password, unless
//! `NO_PROXY` says that there is another way.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use fusion_core::ErrorKind;
use fusion_core::deliver::push;
use fusion_core::location::Location;
use fusion_core::progress::Stop;

use super::{Yard, there};
use crate::registry::docker::{DockerRegistry, Options};
use crate::registry::words::base64;

/// A name that only the proxy knows.
const NAME: &str = "registry.test";

/// What tunnels to this machine's ports, under whatever name they are asked for.
struct Tunnel {
    host: String,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Tunnel {
    fn start(user: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let over: Arc<AtomicBool> = Arc::default();
        let (keep, ended) = (Arc::clone(&asked), Arc::clone(&over));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let keep = Arc::clone(&keep);
                std::thread::spawn(move || tunnel(client.unwrap(), user, &keep));
            }
        });
        Self { host, asked, over }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.host);
    }
}

fn tunnel(mut client: TcpStream, user: &str, asked: &Mutex<Vec<String>>) {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(client.try_clone().unwrap());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let Some(first) = lines.first() else { return };
    asked.lock().unwrap().push(first.clone());
    let wanted = format!("proxy-authorization: basic {}", base64(user.as_bytes()));
    let known = lines.iter().any(|line| line.eq_ignore_ascii_case(&wanted));
    let port = first.strip_prefix("CONNECT ").and_then(|rest| {
        rest.split(' ')
            .next()?
            .rsplit_once(':')?
            .1
            .parse::<u16>()
            .ok()
    });
    let (Some(port), true) = (port, known) else {
        let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        return;
    };
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .unwrap();
    let (mut back, mut from) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let answers = std::thread::spawn(move || std::io::copy(&mut from, &mut back));
    let _ = std::io::copy(&mut reader, &mut server);
    let _ = server.shutdown(std::net::Shutdown::Write);
    let _ = answers.join();
}

#[test]
fn a_registry_that_only_the_proxy_reaches() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let proxy = Tunnel::start("me:Pr0xy-Pa55");
    let (_, port) = registry.host().rsplit_once(':').unwrap();
    let to = format!("{NAME}:{port}/p");
    let [amd, arm] = yard.pair(&["docker.io/acme/app:1"], 30_000);
    let sources = [&amd, &arm].map(|path| Location::parse(path).unwrap());
    let run = |address: String, direct: Option<&str>| {
        let mut options = yard.options(&[("plain-http", "true"), ("retries", "0")]);
        options.fuse.connect.settings.http_proxy = Some(address);
        options.fuse.connect.settings.no_proxy = direct.map(str::to_owned);
        push(&sources, &to, &options, None, &Stop::new())
    };
    let address = format!("http://me:Pr0xy-Pa55@{}", proxy.host);
    run(address.clone(), None).unwrap_or_else(|failure| panic!("{:?}", failure.error));
    assert!(there(registry.host(), "p/acme/app", "1").is_some());
    let asked = proxy.asked.lock().unwrap().clone();
    assert!(
        asked
            .iter()
            .all(|line| line.contains(&format!("{NAME}:{port}"))),
        "{asked:?}"
    );
    assert!(!asked.is_empty());

    // The proxy refuses: it is named, its password is not.
    let failure = run(format!("http://me:other-Pa55@{}", proxy.host), None).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Unreachable,
        "{:?}",
        failure.error
    );
    let told = format!("{:?} {}", failure.error, failure.report.to_json());
    assert!(
        told.contains(&proxy.host) && !told.contains("other-Pa55"),
        "{told}"
    );

    // Another way is said to be there, and is not: nobody asks the proxy.
    let before = proxy.asked.lock().unwrap().len();
    let failure = run(address, Some(".test")).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Unreachable,
        "{:?}",
        failure.error
    );
    assert_eq!(proxy.asked.lock().unwrap().len(), before);
}

/// With TLS from end to end: the proxy sees nothing of it.
#[test]
fn a_registry_with_tls_that_only_the_proxy_reaches() {
    let (registry, yard) = (
        DockerRegistry::start(&Options::default().tls()),
        Yard::new(),
    );
    let proxy = Tunnel::start("me:Pr0xy-Pa55");
    let (_, port) = registry.host().rsplit_once(':').unwrap();
    let to = format!("{NAME}:{port}/p");
    let [amd, _] = yard.pair(&["docker.io/acme/app:1"], 30_000);
    let sources = [Location::parse(&amd).unwrap()];
    let ca = registry.ca_file();
    let run = |chosen: &[(&str, &str)]| {
        let mut options = yard.options(chosen);
        let address = format!("http://me:Pr0xy-Pa55@{}", proxy.host);
        options.fuse.connect.settings.https_proxy = Some(address);
        push(&sources, &to, &options, None, &Stop::new())
    };
    let trusted = [("tls-ca", ca.to_str().unwrap()), ("retries", "0")];
    run(&trusted).unwrap_or_else(|failure| panic!("{:?}", failure.error));
    assert!(!proxy.asked.lock().unwrap().is_empty());
    // Who is not trusted may be the proxy itself.
    let error = run(&[("retries", "0")]).unwrap_err().error;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let told = format!("{error:?}");
    assert!(
        told.contains(&proxy.host) && !told.contains("Pr0xy-Pa55"),
        "{told}"
    );
    assert!(error.get_hint().unwrap().contains("--tls-ca"), "{told}");
}
