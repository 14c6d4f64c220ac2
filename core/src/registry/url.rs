//! Addresses: what a `Location` means, and how much of one may be shown.

use ureq::http::Uri;

/// Where `location`, given by `base`, leads to.
pub(super) fn join(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default().trim();
    let authority = base.authority()?.as_str();
    let scheme = base.scheme_str()?;
    let lower = location.to_ascii_lowercase();
    let text = if lower.starts_with("http://") || lower.starts_with("https://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let uri: Uri = text.parse().ok()?;
    // An address with a user in it would send that along.
    let plain = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    plain.then_some(uri)
}

/// Where an upload goes on. A registry behind a proxy that ends TLS may give its own address with
/// the wrong scheme: what was asked is kept, so that nothing goes over the network in the clear.
pub(super) fn continued(base: &Uri, location: &str) -> Option<Uri> {
    let uri = join(base, location)?;
    let same_host = match (uri.host(), base.host()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    };
    if same_host && !same_origin(base, &uri) {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        return join(base, path);
    }
    Some(uri)
}

/// Whether credentials for one are good for the other.
pub(super) fn same_origin(a: &Uri, b: &Uri) -> bool {
    a.scheme_str() == b.scheme_str() && super::wire::endpoint(a) == super::wire::endpoint(b)
}

/// The address with `query` added.
pub(super) fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let mark = if uri.query().is_some() { '&' } else { '?' };
    format!("{uri}{mark}{query}").parse().ok()
}

/// The address without its query, which may let whoever knows it in.
pub(super) fn shown(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let authority = authority.rsplit('@').next().unwrap_or_default();
    format!(
        "{}://{authority}{}",
        uri.scheme_str().unwrap_or("http"),
        uri.path()
    )
}

/// Text as part of a query.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `HOST:PORT`, with brackets around an address of version 6.
pub(super) fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_relative_to_what_gave_them() {
        let base: Uri = "https://h:5000/v2/a/blobs/uploads/?x=1"
            .parse()
            .expect("valid");
        for (location, expected) in [
            (
                "/v2/a/blobs/uploads/7?_state=s",
                "https://h:5000/v2/a/blobs/uploads/7?_state=s",
            ),
            ("7?_state=s", "https://h:5000/v2/a/blobs/uploads/7?_state=s"),
            ("?_state=s", "https://h:5000/v2/a/blobs/uploads/?_state=s"),
            ("//o/p", "https://o/p"),
            ("http://o/p#f", "http://o/p"),
        ] {
            let joined = join(&base, location).map(|uri| uri.to_string());
            assert_eq!(joined.as_deref(), Some(expected), "{location}");
        }
        assert_eq!(join(&base, "https://user:pass@o/p"), None);
    }

    #[test]
    fn an_upload_stays_on_the_connection_that_was_asked_for() {
        let base: Uri = "https://h/v2/".parse().expect("valid");
        let go_on = |location| continued(&base, location).map(|uri| uri.to_string());
        assert_eq!(go_on("http://h/u?s=1").as_deref(), Some("https://h/u?s=1"));
        assert_eq!(go_on("https://h:443/u").as_deref(), Some("https://h:443/u"));
        assert_eq!(go_on("https://o/u").as_deref(), Some("https://o/u"));
    }

    #[test]
    fn what_is_shown_lets_nobody_in() {
        let uri: Uri = "https://s3/bucket/x?X-Amz-Signature=secret"
            .parse()
            .expect("valid");
        assert_eq!(shown(&uri), "https://s3/bucket/x");
        assert_eq!(escaped("robot$p+ci"), "robot%24p%2Bci");
    }

    #[test]
    fn addresses_of_version_6_have_brackets() {
        assert_eq!(authority("::1", 5000), "[::1]:5000");
        assert_eq!(authority("harbor.local", 443), "harbor.local:443");
    }
}
