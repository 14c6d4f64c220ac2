//! The credentials that docker and podman keep: `config.json`, `auth.json`.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::{Credentials, helper};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Stop;
use crate::registry::Secret;
use crate::settings::Settings;
use crate::{fsx, limits};

/// Docker Hub, as docker writes it.
const HUB: &str = "https://index.docker.io/v1/";

/// What is known of a repository of `host`. The most explicit file goes first: one that a variable
/// names, then podman's, then docker's.
pub(super) fn find(
    settings: &Settings,
    host: &str,
    repository: &str,
    stop: &Stop,
) -> Result<Option<Credentials>> {
    for (path, named) in paths(settings) {
        if !named && fsx::metadata_if_any(&path)?.is_none() {
            continue;
        }
        let bytes = fsx::read_small(&path, limits::MAX_JSON)?;
        let file = File::parse(&path, &bytes)?;
        if let Some(found) = file.find(host, repository, stop)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether something is known of single repositories of `host`.
pub(super) fn below(settings: &Settings, host: &str) -> Result<bool> {
    let prefix = format!("{host}/");
    for (path, named) in paths(settings) {
        if !named && fsx::metadata_if_any(&path)?.is_none() {
            continue;
        }
        let bytes = fsx::read_small(&path, limits::MAX_JSON)?;
        let file = File::parse(&path, &bytes)?;
        let lists = ["auths", "credHelpers"];
        let keys = lists.iter().filter_map(|list| file.object(list));
        let mut keys = keys.flat_map(Map::keys);
        if keys.any(|key| plain(key).starts_with(&prefix)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files, and whether somebody named that very file.
fn paths(settings: &Settings) -> Vec<(PathBuf, bool)> {
    let mut paths = Vec::new();
    let mut add = |folder: Option<&PathBuf>, name: &str| {
        paths.extend(folder.map(|folder| (folder.join(name), false)));
    };
    add(settings.docker_config.as_ref(), "config.json");
    add(settings.runtime_dir.as_ref(), "containers/auth.json");
    match &settings.config_home {
        Some(folder) => add(Some(folder), "containers/auth.json"),
        None => add(settings.home.as_ref(), ".config/containers/auth.json"),
    }
    if settings.docker_config.is_none() {
        add(settings.home.as_ref(), ".docker/config.json");
    }
    if let Some(file) = &settings.auth_file {
        paths.insert(0, (file.clone(), true));
    }
    paths
}

struct File<'a> {
    path: &'a Path,
    value: Value,
}

impl<'a> File<'a> {
    fn parse(path: &'a Path, bytes: &[u8]) -> Result<Self> {
        // Not the parser's message, which may quote what it stumbles over.
        let wrong = |_| unreadable(path, "it is not JSON");
        let value = match bytes.trim_ascii() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes).map_err(wrong)?,
        };
        Ok(Self { path, value })
    }

    fn object(&self, key: &str) -> Option<&Map<String, Value>> {
        self.value.get(key)?.as_object()
    }

    fn find(&self, host: &str, repository: &str, stop: &Stop) -> Result<Option<Credentials>> {
        let names = names(host, repository);
        let helpers = self.object("credHelpers");
        let mut store = self.value.get("credsStore").and_then(Value::as_str);
        for name in &names {
            let listed = helpers.and_then(|all| by_name(all, name));
            match listed.and_then(Value::as_str) {
                // No helper for this one, whatever the others have: the password is in the file.
                Some("") => store = None,
                Some(helper) => {
                    if let Some(found) = helper::ask(helper, address(name), stop)? {
                        return Ok(Some(found));
                    }
                }
                None => {}
            }
        }
        if let Some(store) = store.filter(|store| !store.is_empty())
            && let Some(found) = helper::ask(store, address(host), stop)?
        {
            return Ok(Some(found));
        }
        let known = self.object("auths");
        for name in &names {
            if let Some(entry) = known.and_then(|all| by_name(all, name))
                && let Some(found) = self.entry(entry)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// One entry of `auths`. Where a helper keeps the password, it is empty.
    fn entry(&self, entry: &Value) -> Result<Option<Credentials>> {
        let text = |key: &str| {
            let text = entry.get(key).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        if let Some(token) = text("identitytoken") {
            return Ok(Some(Credentials::Identity(Secret::new(token))));
        }
        if let Some(auth) = text("auth") {
            let config = GeneralPurposeConfig::new()
                .with_decode_padding_mode(DecodePaddingMode::Indifferent);
            let engine = GeneralPurpose::new(&STANDARD, config);
            let wrong = || {
                unreadable(
                    self.path,
                    "an `auth` in it is not base64 of `user:password`",
                )
            };
            let plain = engine.decode(auth.trim()).map_err(|_| wrong())?;
            let plain = String::from_utf8(plain).map_err(|_| wrong())?;
            let (user, password) = plain.split_once(':').ok_or_else(wrong)?;
            let password = password.trim_end_matches('\0');
            return Ok(Some(basic(user, password)));
        }
        match (text("username"), text("password")) {
            (Some(user), Some(password)) => Ok(Some(basic(user, password))),
            _ => Ok(None),
        }
    }
}

/// `<token>` in place of a user says that the password is an identity token.
pub(super) fn basic(user: &str, password: &str) -> Credentials {
    match user {
        "<token>" => Credentials::Identity(Secret::new(password)),
        user => Credentials::Basic(user.to_owned(), Secret::new(password)),
    }
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Usage, why)
        .operation("cannot use the credentials in")
        .path(path)
        .hint("log in again with `docker login` or `podman login`")
}

/// The names that credentials for a repository may stand under, the longest first.
fn names(host: &str, repository: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut path = repository;
    while !path.is_empty() {
        names.push(format!("{host}/{path}"));
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    names.push(host.to_owned());
    names
}

/// What a helper is asked for.
fn address(name: &str) -> &str {
    match name {
        "docker.io" => HUB,
        name => name,
    }
}

/// The entry of `all` whose name, in whatever spelling, is `name`.
fn by_name<'m>(all: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    all.get(name).or_else(|| {
        all.iter()
            .find(|(key, _)| plain(key) == name)
            .map(|(_, entry)| entry)
    })
}

/// `https://host/v1/` is `host`; Docker Hub has many names.
fn plain(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let key = key.trim_end_matches('/');
    let key = key
        .strip_suffix("/v1")
        .or_else(|| key.strip_suffix("/v2"))
        .unwrap_or(key);
    match key {
        "index.docker.io" | "registry-1.docker.io" | "hub.docker.com" => "docker.io",
        key => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as BASE64;

    fn find_in(text: &str, host: &str, repository: &str) -> Option<Credentials> {
        let file = File::parse(Path::new("config.json"), text.as_bytes()).expect("valid");
        file.find(host, repository, &Stop::new()).expect("valid")
    }

    fn auth(user: &str, password: &str) -> String {
        BASE64.encode(format!("{user}:{password}"))
    }

    #[test]
    fn every_way_to_write_an_entry_is_understood() {
        let robot = auth("robot$p+ci", "p:w");
        for (entry, expected) in [
            (
                format!(r#"{{"auth":"{robot}"}}"#),
                Some(basic("robot$p+ci", "p:w")),
            ),
            (
                format!(r#"{{"auth":"{}"}}"#, robot.trim_end_matches('=')),
                Some(basic("robot$p+ci", "p:w")),
            ),
            (
                r#"{"username":"u","password":"w"}"#.to_owned(),
                Some(basic("u", "w")),
            ),
            (
                format!(r#"{{"auth":"{}","identitytoken":"i"}}"#, auth("00", "")),
                Some(Credentials::Identity(Secret::new("i"))),
            ),
            ("{}".to_owned(), None),
        ] {
            let text = format!(r#"{{"auths":{{"h:5000":{entry}}}}}"#);
            assert_eq!(find_in(&text, "h:5000", "a/b"), expected, "{text}");
        }
    }

    #[test]
    fn the_longest_name_wins() {
        let text = format!(
            r#"{{"auths":{{"h":{{"auth":"{}"}},"h/a":{{"auth":"{}"}},"h/a/b":{{"auth":"{}"}}}}}}"#,
            auth("host", "1"),
            auth("folder", "2"),
            auth("repository", "3")
        );
        for (repository, user) in [
            ("a/b", "repository"),
            ("a/b/c", "repository"),
            ("a/bc", "folder"),
            ("x", "host"),
            ("", "host"),
        ] {
            let Some(Credentials::Basic(found, _)) = find_in(&text, "h", repository) else {
                panic!("nothing for {repository}");
            };
            assert_eq!(found, user, "{repository}");
        }
        assert_eq!(find_in(&text, "other", "a/b"), None);
    }

    #[test]
    fn addresses_are_names_and_docker_hub_has_many() {
        for (key, host) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "docker.io"),
            ("https://h:8443", "h:8443"),
            ("http://h/v2/", "h"),
        ] {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"{}"}}}}}}"#, auth("u", "w"));
            assert_eq!(find_in(&text, host, "a/b"), Some(basic("u", "w")), "{key}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_without_being_quoted() {
        for text in [
            "{\"auths\": secret",
            r#"{"auths":{"h":{"auth":"c2VjcmV0"}}}"#,
        ] {
            let found = File::parse(Path::new("config.json"), text.as_bytes())
                .and_then(|file| file.find("h", "a", &Stop::new()));
            let error = format!("{:?}", found.expect_err("wrong"));
            assert!(
                error.contains("config.json") && !error.contains("secret"),
                "{error}"
            );
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let settings = Settings {
            auth_file: Some(PathBuf::from("/nowhere/auth.json")),
            ..Settings::default()
        };
        let error = find(&settings, "h", "a", &Stop::new()).expect_err("missing");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let settings = Settings {
            docker_config: Some(PathBuf::from("/nowhere")),
            ..Settings::default()
        };
        assert_eq!(
            find(&settings, "h", "a", &Stop::new()).expect("nothing"),
            None
        );
    }
}
