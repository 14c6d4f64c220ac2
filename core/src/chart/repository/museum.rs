//! CHARTMUSEUM repositories.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::api::ChartApi;
use super::explain::Remote;
use crate::error::{Error, Result};
use crate::limits;
use crate::registry::{Harbor, Page};
use crate::report::Warning;

/// A ChartMuseum, or what behaves like one.
#[derive(Debug)]
pub(crate) struct Museum {
    charts: ChartApi,
    /// The path of its charts, once it is found.
    found: Mutex<Option<String>>,
}

impl Museum {
    pub(super) fn new(remote: Remote) -> Self {
        Self {
            charts: ChartApi::new(remote),
            found: Mutex::default(),
        }
    }

    pub(super) fn remote(&self) -> &Remote {
        &self.charts.remote
    }

    pub(super) fn location(&self) -> String {
        self.charts.location()
    }

    pub(super) fn location_of(&self, name: &str, version: &str) -> String {
        self.charts.location_of(name, version)
    }

    pub(super) fn check(&self) -> Result<Vec<Warning>> {
        self.charts.may_publish(&self.api()?)?;
        Ok(self.remote().warnings())
    }

    pub(super) fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        self.charts.get(&self.api()?, name, version)
    }

    pub(super) fn publish(
        &self,
        name: &str,
        version: &str,
        package: &[u8],
        overwrite: bool,
    ) -> Result<()> {
        self.charts
            .publish(&self.api()?, name, version, package, overwrite)
    }

    fn api(&self) -> Result<String> {
        // Held while it is searched, so that it is searched once.
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(api) = &*found {
            return Ok(api.clone());
        }
        let api = self.search()?;
        *found = Some(api.clone());
        Ok(api)
    }

    /// Where the charts of the repository are listed. What comes after the host may be names of a
    /// repository (`/api/ORG/REPO/charts`), a prefix of the whole service
    /// (`/prefix/api/charts`), or both.
    fn search(&self) -> Result<String> {
        let doing = format!("cannot use `{}`", self.location());
        let names: Vec<&str> = self.remote().address.names().collect();
        let (mut first, mut refused) = (None, None);
        for prefix in 0..=names.len() {
            let (before, after) = names.split_at(prefix);
            let joined = |names: &[&str]| names.iter().map(|n| format!("/{n}")).collect::<String>();
            let api = format!("{}/api{}/charts", joined(before), joined(after));
            // Older ones know no limit.
            let asked = format!("{api}?offset=0&limit=1");
            let page = self.charts.ask(&asked, limits::MAX_LISTING)?;
            if page.is_good() && lists_charts(&page.body) {
                return Ok(api);
            }
            let absent = page.html || matches!(page.status, 200..=299 | 404 | 405);
            if absent && page.location.is_none() {
                first.get_or_insert(page);
            } else {
                // It may be somebody else's, who has `/api` of that host.
                refused.get_or_insert_with(|| self.charts.refused(&page, &doing));
            }
        }
        Err(refused.unwrap_or_else(|| self.nothing(first, &doing)))
    }

    /// What there is where no charts are listed. Questions that fail tell nothing.
    fn nothing(&self, first: Option<Page>, doing: &str) -> Error {
        let Remote { address, .. } = self.remote();
        let key = self.remote().url_key();
        let says = |path: &str, word: &[u8]| {
            let page = self.charts.ask(path, limits::MAX_LISTING).ok();
            page.is_some_and(|page| {
                page.is_good() && page.body.windows(word.len()).any(|part| part == word)
            })
        };
        if says(&format!("{}/index.yaml", address.path), b"entries:") {
            return self.remote().misplaced(
                format!("{doing}: it lists charts and takes none"),
                "the repository is for reading, or ChartMuseum runs with `--disable-api`"
                    .to_owned(),
            );
        }
        if let Ok(Some(_)) = Harbor::detect(self.charts.site.host()) {
            let names: Vec<&str> = address
                .names()
                .filter(|name| *name != "chartrepo")
                .collect();
            let project = names.first().unwrap_or(&"PROJECT");
            return self.remote().misplaced(
                format!("{doing}: `{}` is a Harbor, no ChartMuseum", address.host),
                format!(
                    "`kind: OCI` and `url: {}`",
                    address.at(&format!("/{project}"))
                ),
            );
        }
        if says("/health", b"healthy") {
            return self.remote().misplaced(
                format!(
                    "{doing}: there is a ChartMuseum, and no repository at `{}/`",
                    address.path
                ),
                format!(
                    "`{key}` ends with as many names as ChartMuseum's `--depth` says: `{}` for 2",
                    address.at("/ORG/REPO")
                ),
            );
        }
        match first {
            Some(page) => {
                let hint = format!("check `{key}` and `kind`: no ChartMuseum answers there");
                self.charts.refused(&page, doing).hint(hint)
            }
            None => self.remote().misplaced(doing.to_owned(), String::new()),
        }
    }
}

/// Whether that is a list of charts: of all by name, or as Harbor gives it. Some services answer
/// whatever they are asked.
fn lists_charts(body: &[u8]) -> bool {
    match serde_json::from_slice(body) {
        Ok(Value::Object(charts)) => charts.values().all(Value::is_array),
        Ok(Value::Array(_)) => true,
        _ => false,
    }
}
