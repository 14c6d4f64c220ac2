//! A repository across the network: what is shared by its kinds, and how its refusals are said.

use super::address::Address;
use super::{Keys, RepositorySpec};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Stop;
use crate::registry::{Access, Client, Connect, Host, Page, Site, is_private};
use crate::report::Warning;

/// The way into a repository across the network.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) address: Address,
    keys: Keys,
    /// The configuration says who logs in.
    logs_in: bool,
}

impl Remote {
    pub(super) fn new(
        spec: &RepositorySpec,
        address: Address,
        keys: Keys,
        connect: &Connect,
        stop: Stop,
    ) -> Result<Self> {
        if spec.username.is_some() != spec.password.is_some() {
            let missing = match spec.username {
                Some(_) => "password",
                None => "user",
            };
            let message = format!(
                "`{}`: a {missing} is missing: user and password are given together or not at all",
                keys.auth
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let mut access = Access {
            // What the address says is meant.
            plain_http: false,
            ..connect.access.clone()
        };
        if spec.username.is_some() {
            access.username.clone_from(&spec.username);
            access.password.clone_from(&spec.password);
            access.only_for = Some(address.host.clone());
        } else if access.only_for.as_ref() != Some(&address.host) {
            // Another registry's.
            (access.username, access.password) = (None, None);
        }
        let logs_in = access.username.is_some();
        if address.scheme.is_none() {
            access.plain_http = connect.access.plain_http;
        }
        let client = Client::new(access, connect.settings.clone(), stop)?;
        if let Some(scheme) = address.scheme {
            client.reach_by(&address.host, scheme);
        }
        Ok(Self {
            client,
            address,
            keys,
            logs_in,
        })
    }

    pub(super) fn site(&self) -> Site {
        let scheme = self.address.scheme.unwrap_or("https");
        self.client.site(&self.address.host, scheme)
    }

    /// Reaches the host as a registry, which tries user and password.
    pub(super) fn enter(&self) -> Result<Host> {
        let host = self.client.host(&self.address.host);
        host.check().map_err(|error| self.explained(error))?;
        Ok(host)
    }

    /// What somebody should know about the connection.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let notices = self.client.notices().into_iter();
        let mut warnings: Vec<Warning> = notices
            .map(|notice| warning(notice.code, notice.message))
            .collect();
        let Address { scheme, host, .. } = &self.address;
        if *scheme == Some("http") && self.logs_in && !is_private(host) {
            warnings.push(warning(
                "plain-http",
                format!(
                    "user and password go to `{host}` without encryption: `{}` says `http://`",
                    self.keys.url
                ),
            ));
        }
        warnings
    }

    /// `error`, with what to mend in the configuration.
    pub(super) fn explained(&self, error: Error) -> Error {
        let Keys { auth, url, .. } = self.keys;
        let message = error.message();
        match error.kind() {
            ErrorKind::Unauthorized if self.logs_in => {
                error.better_hint(format!("check user and password: `{auth}`"))
            }
            ErrorKind::Unauthorized => error.better_hint(format!(
                "say who logs in: `{auth}` (`username`, `password`)"
            )),
            ErrorKind::Denied => error.hint(match self.logs_in {
                true => format!("the user in `{auth}` may not do that: name another, or let it"),
                false => format!("say who logs in: `{auth}` (`username`, `password`)"),
            }),
            ErrorKind::ProjectMissing if !self.logs_in => error.better_hint(format!(
                "say who logs in: `{auth}`; `--create-projects` creates what is missing"
            )),
            ErrorKind::Registry if message.contains("is no registry") => {
                error.hint(format!("check `{url}` and `kind`: OCI needs a registry"))
            }
            ErrorKind::Unreachable if message.contains("does not speak TLS") => error.better_hint(
                format!("`http://` in `{url}`, if that is how it is meant to be reached"),
            ),
            // What Go's servers and nginx say.
            ErrorKind::Registry
                if error.get_status() == Some(400)
                    && self.address.scheme == Some("http")
                    && message.contains("HTTPS") =>
            {
                error.better_hint(format!("`https://` in `{url}`"))
            }
            _ => error,
        }
    }

    /// The error of an answer that is no success, or none of a program.
    pub(super) fn refused(&self, site: &Site, page: &Page, doing: &str) -> Error {
        let url = self.keys.url;
        if let Some(location) = &page.location {
            let message = format!("{doing}: it is redirected to `{location}`");
            return Error::new(ErrorKind::Registry, message)
                .status(page.status)
                .hint(format!("have `{url}` lead there directly"));
        }
        if page.html && (200..300).contains(&page.status) {
            let message = format!("{doing}: a web page answers, no chart repository");
            return Error::new(ErrorKind::Registry, message)
                .status(page.status)
                .hint(format!("check `{url}`: {}", self.address));
        }
        self.explained(site.refused(page, doing))
    }

    /// An error about the address itself.
    pub(super) fn misplaced(&self, message: String, hint: String) -> Error {
        Error::new(ErrorKind::Registry, message).hint(hint)
    }

    pub(super) fn url_key(&self) -> &'static str {
        self.keys.url
    }
}

pub(super) fn warning(code: &'static str, message: String) -> Warning {
    Warning {
        reference: None,
        code,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::super::RepositoryKind;
    use super::*;
    use crate::registry::Secret;

    fn remote(url: &str, logs_in: bool, connect: &Connect) -> Remote {
        let kind = RepositoryKind::Oci;
        let spec = RepositorySpec {
            kind,
            url: url.to_owned(),
            path: None,
            username: logs_in.then(|| "robot".to_owned()),
            password: logs_in.then(|| Secret::new("hunter2")),
        };
        let address = Address::parse(url, kind, Keys::SYNC).expect("an address");
        Remote::new(&spec, address, Keys::SYNC, connect, Stop::new()).expect("a remote")
    }

    #[test]
    fn a_password_that_goes_over_a_public_network_is_questioned() {
        let codes = |url: &str, logs_in| {
            let warnings = remote(url, logs_in, &Connect::default()).warnings();
            warnings.iter().map(|w| w.code).collect::<Vec<_>>()
        };
        assert_eq!(codes("http://charts.example/x", true), ["plain-http"]);
        assert_eq!(codes("http://charts.example/x", false), [] as [&str; 0]);
        assert_eq!(codes("http://10.1.2.3:8080/x", true), [] as [&str; 0]);
        assert_eq!(codes("https://charts.example/x", true), [] as [&str; 0]);
    }

    #[test]
    fn the_password_of_another_registry_is_not_for_this_one() {
        let connect = |host: Option<&str>| Connect {
            access: Access {
                username: Some("pusher".to_owned()),
                password: Some(Secret::new("hunter2")),
                only_for: host.map(str::to_owned),
                ..Access::default()
            },
            ..Connect::default()
        };
        let url = "https://charts.example:8443/x";
        for (host, used) in [
            (None, false),
            (Some("charts.example"), false),
            (Some("charts.example:8443"), true),
        ] {
            assert_eq!(remote(url, false, &connect(host)).logs_in, used, "{host:?}");
        }
    }
}
