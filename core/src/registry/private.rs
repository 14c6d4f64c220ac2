//! Which names are of this machine or of private networks.

use std::net::IpAddr;

/// Loopback, `.local` and private addresses (RFC 1918): where plain HTTP is tried.
pub(crate) fn is_private(name: &str) -> bool {
    let host = match name.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => name.split(':').next().unwrap_or_default(),
    };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback(),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn plain_http_is_for_this_machine_and_private_networks() {
        for name in [
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
            "harbor.local",
            "10.5.14.40",
            "172.31.0.1:80",
            "192.168.1.1",
        ] {
            assert!(is_private(name), "{name}");
        }
        for name in [
            "docker.io",
            "172.32.0.1",
            "8.8.8.8:5000",
            "local",
            "harbor.local.io",
            "[fd00::1]",
        ] {
            assert!(!is_private(name), "{name}");
        }
    }
}
