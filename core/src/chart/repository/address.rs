//! The address of a repository as a configuration gives it.

use super::{Keys, RepositoryKind};
use crate::error::{Error, ErrorKind, Result};

/// An address without user, query or anything else that does not belong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// `http` or `https`; `None`: `oci`, whichever of them.
    pub(super) scheme: Option<&'static str>,
    /// The host, with its port.
    pub(super) host: String,
    /// Empty, or a slash and names, none at the end.
    pub(super) path: String,
}

impl Address {
    pub(super) fn parse(url: &str, kind: RepositoryKind, keys: Keys) -> Result<Self> {
        let key = keys.url;
        // What is wrong may be a password in it: the address itself is not repeated.
        let wrong = |why: &str| Error::new(ErrorKind::Usage, format!("`{key}`: {why}"));
        let url = url.trim();
        if url.is_empty() {
            return Err(wrong("the address of the chart repository is missing"));
        }
        let schemes = match kind {
            RepositoryKind::Oci => "`oci://`, `https://` or `http://`",
            _ => "`https://` or `http://`",
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong("the address has no scheme").hint(format!("begin it with {schemes}")));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Some("https"),
            "http" => Some("http"),
            "oci" if kind == RepositoryKind::Oci => None,
            "oci" => {
                return Err(wrong("`oci://` is for registries").hint("write `kind: OCI`"));
            }
            _ => {
                let hint = format!("begin it with {schemes}");
                return Err(wrong("the address has a scheme that is not known here").hint(hint));
            }
        };
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if host.contains('@') {
            return Err(wrong("the address has a user or a password in it")
                .hint(format!("they belong into `{}`", keys.auth)));
        }
        if path.contains(['?', '#']) {
            return Err(wrong("the address has a query, which no repository has"));
        }
        let in_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if !host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            || !host.chars().all(in_host)
        {
            return Err(wrong("the address names no host")
                .hint("a host is a name or an address, with its port where it has another"));
        }
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let in_name = |c: char| c.is_ascii_alphanumeric() || "-._~%+@!,=:".contains(c);
        for name in &names {
            if *name == "." || *name == ".." || !name.chars().all(in_name) {
                return Err(wrong(&format!("`{name}` in the address is no name")));
            }
        }
        Ok(Self {
            scheme,
            host: host.to_owned(),
            path: names.iter().map(|name| format!("/{name}")).collect(),
        })
    }

    /// The names of the path.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter(|name| !name.is_empty())
    }

    /// The address with another path.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme.unwrap_or("oci"), self.host)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.at(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, kind: RepositoryKind) -> Result<String> {
        Address::parse(url, kind, Keys::SYNC).map(|address| address.to_string())
    }

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        for (url, kind, read) in [
            (
                " http://10.5.14.40:8081/ ",
                RepositoryKind::ChartMuseum,
                "http://10.5.14.40:8081",
            ),
            (
                "HTTPS://h.local//chartrepo/addon/",
                RepositoryKind::Harbor,
                "https://h.local/chartrepo/addon",
            ),
            (
                "oci://[::1]:5000/a/b",
                RepositoryKind::Oci,
                "oci://[::1]:5000/a/b",
            ),
            ("http://h/p", RepositoryKind::Oci, "http://h/p"),
        ] {
            assert_eq!(parse(url, kind).expect("an address"), read);
        }
    }

    #[test]
    fn what_is_no_address_is_told_by_its_key_and_never_repeated() {
        for (url, why) in [
            ("", "is missing"),
            ("harbor.local/chartrepo/x", "has no scheme"),
            ("ftp://h/x", "scheme that is not known"),
            ("oci://h/x", "is for registries"),
            ("http://me:hunter2@h/x", "a user or a password"),
            ("http://h/x?token=hunter2", "a query"),
            ("http://h?token=hunter2", "a query"),
            ("http:///x", "names no host"),
            ("http://h h/x", "names no host"),
            ("http://h/../x", "`..` in the address"),
            ("http://h/a b", "`a b` in the address"),
        ] {
            let error = parse(url, RepositoryKind::ChartMuseum).expect_err(url);
            let shown = format!("{error:?} {error}");
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(
                shown.contains(why) && shown.contains("target.repo.url"),
                "{shown}"
            );
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
