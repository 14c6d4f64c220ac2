//! Which proxy leads to a host, if any: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, as
//! curl and Go understand them.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Settings, without_user};

/// The proxies of the environment.
#[derive(Debug)]
pub(super) struct Proxies {
    settings: Settings,
}

/// A proxy. Shown without its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authorization: Option<Secret>,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl Proxies {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
        }
    }

    /// The proxy on the way to `host`; an error if it cannot be used.
    pub(super) fn of(&self, tls: bool, host: &str, port: u16) -> Option<Result<Proxy>> {
        let settings = &self.settings;
        let own = if tls {
            &settings.https_proxy
        } else {
            &settings.http_proxy
        };
        let address = own.as_ref().or(settings.all_proxy.as_ref())?;
        let direct = settings.no_proxy.as_deref().unwrap_or_default();
        if is_local(host) || excepted(direct, host, port) {
            return None;
        }
        Some(parse(address))
    }
}

/// This machine is never reached by a proxy.
fn is_local(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Whether `list` (`NO_PROXY`) names the host: as `*`, an address, a network, a name that it is or
/// ends in, each with or without a port.
fn excepted(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    list.split([',', ' ', '\t'])
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            if entry == "*" {
                return true;
            }
            if let (Some((network, bits)), Some(address)) = (entry.split_once('/'), address) {
                return within(address, network, bits);
            }
            let (name, wanted) = with_port(&entry);
            if wanted.is_some_and(|wanted| wanted != port) {
                return false;
            }
            if let Ok(listed) = name.parse::<IpAddr>() {
                return address == Some(listed);
            }
            let name = name.trim_start_matches('*').trim_start_matches('.');
            let parent = host.strip_suffix(name);
            !name.is_empty()
                && parent.is_some_and(|parent| parent.is_empty() || parent.ends_with('.'))
        })
}

/// An entry's name, without brackets, and port.
fn with_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((name, rest)) = entry.strip_prefix('[').and_then(|e| e.split_once(']')) {
        return (name, rest.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn within(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let first = |value: u128, width: u32| value.checked_shr(width - bits).unwrap_or(0);
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) if bits <= 32 => {
            first(u32::from(a).into(), 32) == first(u32::from(n).into(), 32)
        }
        (IpAddr::V6(a), IpAddr::V6(n)) if bits <= 128 => {
            first(a.into(), 128) == first(n.into(), 128)
        }
        _ => false,
    }
}

/// A proxy's address: `[http://][user[:password]@]host[:port]`.
fn parse(address: &str) -> Result<Proxy> {
    let shown = without_user(address);
    let wrong = |why: &str| {
        Error::new(ErrorKind::Usage, format!("the proxy `{shown}` {why}"))
            .hint("a proxy is `http://[user:password@]host:port`")
    };
    let rest = match address.split_once("://") {
        None => address,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some(_) => return Err(wrong("is of a kind that is not supported")),
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|e| e.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| wrong("has no usable port"))?,
        None => 80,
    };
    if host.is_empty() {
        return Err(wrong("has no host"));
    }
    let authorization = user.map(|user| {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let plain = format!("{}:{}", unescaped(name), unescaped(password));
        Secret::new(format!("Basic {}", STANDARD.encode(plain)))
    });
    Ok(Proxy {
        host: host.to_owned(),
        port,
        authorization,
    })
}

/// Text without percent escapes; what is none stays.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_understood_as_elsewhere() {
        for (list, host, port, direct) in [
            ("", "harbor.local", 443, false),
            ("*", "harbor.local", 443, true),
            ("harbor.local", "harbor.local", 443, true),
            ("harbor.local", "a.harbor.local", 443, true),
            ("harbor.local", "myharbor.local", 443, false),
            (".local", "harbor.local", 443, true),
            ("*.local", "harbor.local", 443, true),
            ("LOCAL", "Harbor.Local", 443, true),
            ("other, harbor.local", "harbor.local", 443, true),
            ("other harbor.local", "harbor.local", 443, true),
            ("harbor.local:8443", "harbor.local", 443, false),
            ("harbor.local:8443", "harbor.local", 8443, true),
            ("10.0.0.0/8", "10.5.14.40", 443, true),
            ("10.0.0.0/8", "11.5.14.40", 443, false),
            ("10.0.0.0/8", "ten.local", 443, false),
            ("10.5.14.40", "10.5.14.40", 443, true),
            ("10.5.14.4", "10.5.14.40", 443, false),
            ("10.5.14.40:80", "10.5.14.40", 443, false),
            ("0.0.0.0/0", "10.5.14.40", 443, true),
            ("fd00::/8", "fd12::1", 443, true),
            ("[fd12::1]:5000", "fd12::1", 5000, true),
            ("fd12::1", "fd12::1", 443, true),
            ("10.0.0.0/99", "10.5.14.40", 443, false),
        ] {
            assert_eq!(
                excepted(list, host, port),
                direct,
                "`{list}` `{host}:{port}`"
            );
        }
    }

    #[test]
    fn the_proxy_of_the_scheme_wins_and_this_machine_needs_none() {
        let proxies = Proxies::new(&Settings {
            https_proxy: Some("http://u%40x:p%24@secure:3128".to_owned()),
            all_proxy: Some("any:8080".to_owned()),
            ..Settings::default()
        });
        let of = |tls, host| {
            let found = proxies.of(tls, host, 443);
            found.map(|proxy| proxy.expect("usable"))
        };
        let secure = of(true, "harbor.local").expect("a proxy");
        assert_eq!(secure.to_string(), "http://secure:3128");
        let authorization = secure.authorization.expect("a user");
        let expected = format!("Basic {}", STANDARD.encode("u@x:p$"));
        assert_eq!(authorization.expose(), expected);
        let plain = of(false, "harbor.local").expect("a proxy");
        assert_eq!(plain.to_string(), "http://any:8080");
        for local in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(of(true, local), None, "{local}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
        for wrong in [
            "socks5://u:secret@p:1",
            "http://u:secret@p:port",
            "http://u:secret@:1",
        ] {
            let error = parse(wrong).expect_err(wrong);
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
