//! What the environment says, read in one place: everything else is told.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, ErrorKind};

/// What the environment of the process says.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where temporary files go: `TMPDIR`.
    pub temp_dir: PathBuf,
    /// The home folder of the user.
    pub home: Option<PathBuf>,
    /// The folder of docker's `config.json`, where it is not `~/.docker`: `DOCKER_CONFIG`.
    pub docker_config: Option<PathBuf>,
    /// The `auth.json` of podman and skopeo: `REGISTRY_AUTH_FILE`.
    pub auth_file: Option<PathBuf>,
    /// Where podman and skopeo keep `containers/auth.json`: `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// Where the user's settings lie, where that is not `~/.config`: `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// The folders of certificates for single registries, of the system.
    pub certificates: Vec<PathBuf>,
    /// Certificate authorities instead of the system's: `SSL_CERT_FILE`.
    pub tls_ca_file: Option<PathBuf>,
    /// The same, a folder: `SSL_CERT_DIR`.
    pub tls_ca_dir: Option<PathBuf>,
    /// The proxy for `http:` addresses; may carry a password.
    pub http_proxy: Option<String>,
    /// The proxy for `https:` addresses; may carry a password.
    pub https_proxy: Option<String>,
    /// The proxy for everything else; may carry a password.
    pub all_proxy: Option<String>,
    /// What is reached without a proxy.
    pub no_proxy: Option<String>,
    /// The account for the chart repository of a `sync`, which goes before what its file says:
    /// `TARGET_REPO_AUTH_USERNAME` and `…_PASSWORD`, formerly `TARGET_AUTH_…`.
    pub target_repository: Account,
    /// The same for the registry: `TARGET_CONTAINERS_AUTH_USERNAME` and `…_PASSWORD`.
    pub target_registry: Account,
}

/// A user and a password, as far as the environment names them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub username: Option<String>,
    /// The user's password; `Debug` does not show it.
    pub password: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

impl Settings {
    /// What this process was told.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from(|name| std::env::var_os(name))
    }

    /// What `get` says of each variable. An empty one is an absent one.
    fn from(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let folder = |name: &str| set(name).map(PathBuf::from);
        // The lower-case name wins, as in curl.
        let text = |name: &str| {
            let value = set(name).or_else(|| set(&name.to_uppercase()))?;
            value.into_string().ok()
        };
        // A server that runs scripts for others' requests turns their header `Proxy:` into
        // `HTTP_PROXY` (CVE-2016-5385).
        let http_proxy = match set("REQUEST_METHOD") {
            Some(_) => set("http_proxy").and_then(|value| value.into_string().ok()),
            None => text("http_proxy"),
        };
        // The first of `prefixes` that says something.
        let account = |prefixes: &[&str]| {
            let value = |what: &str| {
                let names = prefixes.iter().map(|prefix| format!("{prefix}_{what}"));
                names
                    .into_iter()
                    .find_map(|name| set(&name)?.into_string().ok())
            };
            Account {
                username: value("USERNAME"),
                password: value("PASSWORD"),
            }
        };
        let plain = Self::default();
        Self {
            temp_dir: folder("TMPDIR").unwrap_or(plain.temp_dir),
            home: folder("HOME"),
            docker_config: folder("DOCKER_CONFIG"),
            auth_file: folder("REGISTRY_AUTH_FILE"),
            runtime_dir: folder("XDG_RUNTIME_DIR"),
            config_home: folder("XDG_CONFIG_HOME"),
            certificates: vec![
                PathBuf::from("/etc/docker/certs.d"),
                PathBuf::from("/etc/containers/certs.d"),
            ],
            tls_ca_file: folder("SSL_CERT_FILE"),
            tls_ca_dir: folder("SSL_CERT_DIR"),
            http_proxy,
            https_proxy: text("https_proxy"),
            all_proxy: text("all_proxy"),
            no_proxy: text("no_proxy"),
            target_repository: account(&["TARGET_REPO_AUTH", "TARGET_AUTH"]),
            target_registry: account(&["TARGET_CONTAINERS_AUTH"]),
        }
    }
}

impl Default for Settings {
    /// An environment that says nothing.
    fn default() -> Self {
        Self {
            temp_dir: PathBuf::from("/tmp"),
            home: None,
            docker_config: None,
            auth_file: None,
            runtime_dir: None,
            config_home: None,
            certificates: Vec::new(),
            tls_ca_file: None,
            tls_ca_dir: None,
            http_proxy: None,
            https_proxy: None,
            all_proxy: None,
            no_proxy: None,
            target_repository: Account::default(),
            target_registry: Account::default(),
        }
    }
}

/// Proxies are shown without user and password, accounts without password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |proxy: &Option<String>| proxy.as_deref().map(without_user);
        f.debug_struct("Settings")
            .field("temp_dir", &self.temp_dir)
            .field("home", &self.home)
            .field("docker_config", &self.docker_config)
            .field("auth_file", &self.auth_file)
            .field("runtime_dir", &self.runtime_dir)
            .field("config_home", &self.config_home)
            .field("certificates", &self.certificates)
            .field("tls_ca_file", &self.tls_ca_file)
            .field("tls_ca_dir", &self.tls_ca_dir)
            .field("http_proxy", &shown(&self.http_proxy))
            .field("https_proxy", &shown(&self.https_proxy))
            .field("all_proxy", &shown(&self.all_proxy))
            .field("no_proxy", &self.no_proxy)
            .field("target_repository", &self.target_repository)
            .field("target_registry", &self.target_registry)
            .finish()
    }
}

/// An address without what stands before the `@`, which may be a password.
pub(crate) fn without_user(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    // A password may hold `/` or `@` that should have been escaped: all up to the last `@` goes.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    format!("{scheme}{rest}")
}

/// Whether the name of something in a registry has a user in it, and perhaps a password. What stands
/// behind its only `@` may be a digest instead.
pub(crate) fn has_user(name: &str) -> bool {
    let Some((before, digest)) = name.rsplit_once('@') else {
        return false;
    };
    let is_digest = digest.starts_with("sha") && !digest.contains('/');
    before.contains('@') || !is_digest
}

/// The error of such a name, which is not repeated.
pub(crate) fn user_in_name() -> Error {
    Error::new(
        ErrorKind::Usage,
        "registries are named without user and password",
    )
    .hint("log in by `--username` and `--password-stdin`, or `docker login`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Settings {
        Settings::from(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn lower_case_wins_and_empty_is_absent() {
        let settings = of(&[
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "http://lower:1"),
            ("ALL_PROXY", "http://all:1"),
            ("no_proxy", ""),
            ("NO_PROXY", "local"),
            ("TMPDIR", ""),
        ]);
        assert_eq!(settings.https_proxy.as_deref(), Some("http://lower:1"));
        assert_eq!(settings.all_proxy.as_deref(), Some("http://all:1"));
        assert_eq!(settings.no_proxy.as_deref(), Some("local"));
        assert_eq!(settings.temp_dir, PathBuf::from("/tmp"));
    }

    #[test]
    fn a_script_on_a_server_takes_no_proxy_from_a_header() {
        let settings = of(&[("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(settings.http_proxy, None);
    }

    #[test]
    fn nobody_sees_the_password_of_a_proxy() {
        let settings = of(&[("http_proxy", "http://alice:pa@ss/w@proxy:3128/")]);
        let shown = format!("{settings:?}");
        assert!(shown.contains("http://proxy:3128/"), "{shown}");
        assert!(
            !shown.contains("pa@ss") && !shown.contains("alice"),
            "{shown}"
        );
    }

    #[test]
    fn charts_syncers_variables_are_read_by_their_new_and_old_names() {
        let settings = of(&[
            ("TARGET_AUTH_USERNAME", "old"),
            ("TARGET_AUTH_PASSWORD", "old-secret"),
            ("TARGET_REPO_AUTH_USERNAME", "new"),
            ("TARGET_REPO_AUTH_PASSWORD", ""),
            ("TARGET_CONTAINERS_AUTH_PASSWORD", "registry-secret"),
            ("SOURCE_REPO_AUTH_PASSWORD", "nobody asks"),
        ]);
        let (repository, registry) = (&settings.target_repository, &settings.target_registry);
        assert_eq!(repository.username.as_deref(), Some("new"));
        assert_eq!(repository.password.as_deref(), Some("old-secret"));
        assert_eq!(registry.username, None);
        assert_eq!(registry.password.as_deref(), Some("registry-secret"));
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("new") && !shown.contains("secret"),
            "{shown}"
        );
    }

    #[test]
    fn users_in_names_are_told_from_digests() {
        let digest = "0123456789abcdef".repeat(4);
        for (name, has) in [
            ("h.local/t/app:1".to_owned(), false),
            (format!("h.local/t/app@sha256:{digest}"), false),
            ("me:pw@h.local/t/app:1".to_owned(), true),
            ("h.local/t/app@sha256:0".to_owned(), false),
            ("me@h.local".to_owned(), true),
            ("me:p/w@h.local:5000/app".to_owned(), true),
            (format!("me:pw@h.local/t/app@sha256:{digest}"), true),
        ] {
            assert_eq!(has_user(&name), has, "{name}");
        }
    }
}
