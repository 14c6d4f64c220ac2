//! The interface that ChartMuseum has for charts, and Harbor took over: a form is posted, a
//! document tells of one version and names the address of its package.

use serde_json::Value;

use super::explain::Remote;
use super::{MAX_PACKAGE, exists, file_name};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::registry::{Form, Page, Site};

/// A service that has the interface. `api` is the path of its charts, without a slash at the end.
#[derive(Debug)]
pub(super) struct ChartApi {
    pub(super) remote: Remote,
    pub(super) site: Site,
}

impl ChartApi {
    pub(super) fn new(remote: Remote) -> Self {
        let site = remote.site();
        Self { remote, site }
    }

    pub(super) fn location(&self) -> String {
        self.remote.address.to_string()
    }

    pub(super) fn location_of(&self, name: &str, version: &str) -> String {
        format!("{}/charts/{}", self.location(), file_name(name, version))
    }

    /// An answer of the service, whatever it says.
    pub(super) fn ask(&self, path: &str, most: u64) -> Result<Page> {
        (self.site.get(path, most)).map_err(|error| self.remote.explained(error))
    }

    pub(super) fn refused(&self, page: &Page, doing: &str) -> Error {
        self.remote.refused(&self.site, page, doing)
    }

    pub(super) fn get(&self, api: &str, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let doing = format!("cannot look for chart `{name}` {version}");
        let path = format!("{api}/{name}/{}", escaped(version));
        let page = self.ask(&path, limits::MAX_ANSWER)?;
        if page.status == 404 {
            return Ok(None);
        }
        if !page.is_good() {
            return Err(self.refused(&page, &doing));
        }
        let told: Value = serde_json::from_slice(&page.body).map_err(|e| {
            let message = format!("{doing}: `{}` answers no JSON: {e}", self.location());
            Error::new(ErrorKind::Registry, message)
        })?;
        // Harbor wraps it.
        let told = told.get("metadata").unwrap_or(&told);
        // A version stands for every other that fits it, if it is not there itself.
        if told.get("version").and_then(Value::as_str) != Some(version) {
            return Ok(None);
        }
        let urls = told.get("urls").and_then(Value::as_array);
        let urls = urls.into_iter().flatten().filter_map(Value::as_str);
        self.package(&urls.collect::<Vec<_>>(), name, version)
    }

    /// The package, from where such services have it or from the addresses that are told, which
    /// may be meant for another network.
    fn package(&self, urls: &[&str], name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let doing = format!("cannot get chart `{name}` {version}");
        let own = format!("charts/{}", file_name(name, &escaped(version)));
        let base = format!("{}/", self.remote.address.path);
        let mut failed = None;
        let told = urls.iter().copied().filter(|url| *url != own);
        for url in [own.as_str()].into_iter().chain(told) {
            match self.site.fetch(&base, url, MAX_PACKAGE) {
                Ok(page) if page.is_good() => return Ok(Some(page.body)),
                Ok(page) if page.status == 404 => {}
                Ok(page) => {
                    failed.get_or_insert_with(|| self.refused(&page, &doing));
                }
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(error) => {
                    failed.get_or_insert_with(|| self.remote.explained(error));
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            // Listed, and gone: the list may be older.
            None => Ok(None),
        }
    }

    pub(super) fn publish(
        &self,
        api: &str,
        name: &str,
        version: &str,
        package: &[u8],
        overwrite: bool,
    ) -> Result<()> {
        // Not every service refuses by itself.
        if !overwrite && let Some(there) = self.get(api, name, version)? {
            return self.same(&there, name, version, package);
        }
        let doing = format!(
            "cannot publish chart `{name}` {version} to `{}`",
            self.location()
        );
        let file = file_name(name, version);
        let form = Form::default().file("chart", &file, package);
        let path = match overwrite {
            true => format!("{api}?force"),
            false => api.to_owned(),
        };
        let page = (self.site.send(&path, form, limits::MAX_ANSWER))
            .map_err(|error| self.remote.explained(error))?;
        if page.is_good() {
            return Ok(());
        }
        let refused = self.refused(&page, &doing);
        match page.status {
            // A form that had to be sent twice may have arrived the first time.
            409 => match self.get(api, name, version)? {
                Some(there) if there == package => Ok(()),
                _ if overwrite => Err(refused.with_kind(ErrorKind::Denied).better_hint(
                    "the service lets no version be replaced: publish another version, or run \
                     ChartMuseum without `--disable-force-overwrite`",
                )),
                _ => Err(exists(name, version, &self.location()).status(409)),
            },
            404 | 405 => Err(refused.hint(format!(
                "check `{}`; ChartMuseum takes charts unless it runs with `--disable-api`",
                self.remote.url_key()
            ))),
            413 => Err(refused.better_hint(format!(
                "raise the limit of whatever stands before it, or ChartMuseum's \
                 `--max-upload-size`: the chart has {} bytes",
                package.len()
            ))),
            _ => Err(refused),
        }
    }

    fn same(&self, there: &[u8], name: &str, version: &str, package: &[u8]) -> Result<()> {
        match there == package {
            true => Ok(()),
            false => Err(exists(name, version, &self.location())),
        }
    }

    /// Whether charts are taken from us, found out by a form without any: nobody can store that.
    pub(super) fn may_publish(&self, api: &str) -> Result<()> {
        let doing = format!("cannot publish charts to `{}`", self.location());
        let asked = (self.site).try_send(api, Form::default(), limits::MAX_ANSWER);
        let Some(page) = asked.map_err(|error| self.remote.explained(error))? else {
            return Ok(());
        };
        match page.status {
            401 | 403 => Err(self.refused(&page, &doing)),
            404 | 405 => Err(self.refused(&page, &doing).hint(
                "the service lists charts and takes none: ChartMuseum runs with `--disable-api`, \
                 or a proxy lets no `POST` through",
            )),
            _ if page.location.is_some() => Err(self.refused(&page, &doing)),
            _ => Ok(()),
        }
    }
}

/// A version in an address, where `+` may mean a space.
fn escaped(version: &str) -> String {
    version.replace('+', "%2B")
}
