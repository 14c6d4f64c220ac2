//! How a registry is reached, where one port speaks both HTTPS and plain HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::{Access, Client};
use crate::error::ErrorKind;
use crate::progress::Stop;
use crate::settings::Settings;

/// For 127.0.0.1, until the year 2126, as `openssl req -x509` makes it; and its key.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIURLeJriK30AiJ98Q2mHakQx/fmEYwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEZG9vcjAgFw0yNjExMzAxOTE1MTVaGA8yMTI2MTEwNjE5MTUx
NVowDzENMAsGA1UEAwwEZG9vcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCmF
oYzJt3X8S+MIk0Z1wUGBC6iZErsXvjvjfDRS/gbUWMXMLLwglCvA0Ji6HMCYONsb
Q4aLoU2/HR1CXTgTB8KjYTBfMB0GA1UdDgQWBBRZ5bZatvHu2aHjJXWRTVxC7K1W
gDAfBgNVHSMEGDAWgBRZ5bZatvHu2aHjJXWRTVxC7K1WgDAPBgNVHREECDAGhwR/
AAABMAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDSAAwRQIgXxkuKEAE7uMlbAw3
w5uM6sWK81b27iIk+JQbzYgFitsCIQDbGDvK/xSRmu56NHd0fqkQpas8CGmou8/0
o2OKmTIVmA==
-----END CERTIFICATE-----
";
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+TN68eFeaey7OiZ3
xXyon/efQBXvMEw9WaA0PmBZwO2hRANCAAQphaGMybd1/EvjCJNGdcFBgQuomRK7
F74743w0Uv4G1FjFzCy8IJQrwNCYuhzAmDjbG0OGi6FNvx0dQl04EwfC
-----END PRIVATE KEY-----
";

/// What begins a connection with TLS.
const HANDSHAKE: u8 = 0x16;

/// A port that answers by HTTPS with one text each time, the last for good, and by plain HTTP with
/// another; with neither where there is no text.
struct Door {
    host: String,
    /// How often by HTTPS, and by plain HTTP.
    asked: [Arc<AtomicUsize>; 2],
}

impl Door {
    fn new(secure: &[&'static str], plain: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked: [Arc<AtomicUsize>; 2] = Default::default();
        let counts = asked.clone();
        let secure = Arc::new(Mutex::new(secure.to_vec()));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (counts, secure) = (counts.clone(), Arc::clone(&secure));
                // A client that goes away ends its connection.
                std::thread::spawn(move || answer(stream?, &counts, &secure, plain));
            }
        });
        Self { host, asked }
    }

    fn asked(&self) -> [usize; 2] {
        (self.asked.each_ref()).map(|count| count.load(Ordering::Relaxed))
    }

    fn client(&self, access: Access) -> Client {
        let access = Access {
            insecure: true,
            retries: 1,
            ..access
        };
        Client::new(access, Settings::default(), Stop::new()).unwrap()
    }
}

fn answer(
    mut stream: TcpStream,
    counts: &[Arc<AtomicUsize>; 2],
    secure: &Mutex<Vec<&'static str>>,
    plain: Option<&'static str>,
) -> std::io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    if first[0] != HANDSHAKE {
        return match plain {
            Some(text) => {
                counts[1].fetch_add(1, Ordering::Relaxed);
                once(&mut stream, text)
            }
            None => Ok(()),
        };
    }
    let text = {
        let mut texts = secure.lock().unwrap();
        match texts.len() {
            0 => return Ok(()),
            1 => texts[0],
            _ => texts.remove(0),
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    counts[0].fetch_add(1, Ordering::Relaxed);
    once(&mut StreamOwned::new(connection, stream), text)
}

/// Reads a request, and gives `text` for an answer.
fn once(stream: &mut (impl Read + Write), text: &str) -> std::io::Result<()> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        seen.push(byte[0]);
    }
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

const FINE: &str = "HTTP/1.1 200 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
const UNWELL: &str = "HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const MOVED: &str = "HTTP/1.1 308 X\r\nLocation: https://127.0.0.1/v2/\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n";

#[test]
fn who_speaks_https_is_never_asked_by_plain_http() {
    // However unwell it is, at first or for good.
    let door = Door::new(&[UNWELL, FINE], Some(FINE));
    let client = door.client(Access::default());
    client.host(&door.host).check().expect("well again");
    assert_eq!(door.asked(), [2, 0]);
    assert!(client.notices().is_empty());
    let door = Door::new(&[UNWELL], Some(FINE));
    let client = door.client(Access::default());
    let error = client.host(&door.host).check().expect_err("unwell");
    assert_eq!(
        (error.kind(), error.get_status()),
        (ErrorKind::Registry, Some(503))
    );
    assert_eq!(door.asked(), [2, 0]);
}

#[test]
fn who_speaks_none_is_asked_by_plain_http_and_that_is_said() {
    let door = Door::new(&[], Some(FINE));
    let client = door.client(Access::default());
    client.host(&door.host).check().expect("reached");
    assert_eq!(door.asked(), [0, 1]);
    let notices = client.notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].code, "plain-http");
}

#[test]
fn who_answers_plain_http_only_to_send_elsewhere_is_no_registry_there() {
    let door = Door::new(&[], Some(MOVED));
    for plain_http in [false, true] {
        let client = door.client(Access {
            plain_http,
            ..Access::default()
        });
        let error = client.host(&door.host).check().expect_err("not by HTTP");
        let hint = error.get_hint().unwrap_or_default();
        assert_eq!(hint.contains("--plain-http"), plain_http, "{error:?}");
        assert!(client.notices().is_empty());
    }
}
