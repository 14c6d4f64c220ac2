//! HARBOR repositories: `/chartrepo/PROJECT` of Harbor before 2.8, a ChartMuseum inside.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::api::ChartApi;
use super::explain::{Remote, warning};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::registry::Harbor;
use crate::report::Warning;

/// The first version without.
const GONE: (u32, u32) = (2, 8);

/// The charts of a project.
#[derive(Debug)]
pub(crate) struct HarborCharts {
    charts: ChartApi,
    project: String,
    api: String,
    /// The project would be made, in a run that does nothing.
    imagined: AtomicBool,
}

impl HarborCharts {
    pub(super) fn new(remote: Remote) -> Result<Self> {
        let address = &remote.address;
        let names: Vec<&str> = address.names().collect();
        let &["chartrepo", project] = &names[..] else {
            let project = names.iter().rfind(|name| **name != "chartrepo");
            let project = project.unwrap_or(&"PROJECT");
            let message = format!(
                "`{}`: `{address}` names no charts of a Harbor",
                remote.url_key()
            );
            return Err(Error::new(ErrorKind::Usage, message).hint(format!(
                "`{}`; from Harbor 2.8 on `kind: OCI` with `{}`",
                address.at(&format!("/chartrepo/{project}")),
                address.at(&format!("/{project}"))
            )));
        };
        Ok(Self {
            project: project.to_owned(),
            api: format!("/api{}/charts", address.path),
            charts: ChartApi::new(remote),
            imagined: AtomicBool::new(false),
        })
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

    pub(super) fn check(&self, create: Option<bool>, dry_run: bool) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        // Harbor before 2.0 does not tell.
        let harbor = Harbor::detect(self.charts.site.host())?;
        if let Some(harbor) = &harbor {
            // What it does not tell strangers would look missing.
            self.remote().enter()?;
            if let Some(version) = self.told(harbor.version())?
                && version >= GONE
            {
                return Err(self.gone(true));
            }
            let missing = self.told(ensure(harbor, &self.project, create, dry_run))?;
            warnings.extend(missing.map(|made| made.warning(self.remote(), dry_run)));
        }
        if dry_run && !warnings.is_empty() {
            self.imagined.store(true, Ordering::Relaxed);
        } else {
            self.reach(harbor.is_some())?;
            self.charts.may_publish(&self.api)?;
        }
        warnings.extend(self.remote().warnings());
        Ok(warnings)
    }

    /// That the charts of the project are listed.
    fn reach(&self, is_harbor: bool) -> Result<()> {
        let page = self.charts.ask(&self.api, limits::MAX_LISTING)?;
        let good = page.is_good();
        match page.status {
            _ if good => Ok(()),
            200..=299 | 404 | 405 if page.location.is_none() => Err(self.gone(is_harbor)),
            _ => {
                let doing = format!("cannot use `{}`", self.location());
                Err(self.charts.refused(&page, &doing))
            }
        }
    }

    fn told<T>(&self, told: Result<T>) -> Result<T> {
        told.map_err(|error| self.remote().explained(error))
    }

    fn gone(&self, is_harbor: bool) -> Error {
        let Remote { address, .. } = self.remote();
        let why = match is_harbor {
            true => "Harbor keeps charts as OCI artifacts, from 2.8 on nowhere else",
            false => "nothing there answers as a Harbor with charts",
        };
        let oci = format!(
            "`kind: OCI` and `url: {}`",
            address.at(&format!("/{}", self.project))
        );
        let hint = match is_harbor {
            true => oci,
            false => format!(
                "check `{}`; a Harbor from 2.8 on: {oci}",
                self.remote().url_key()
            ),
        };
        let message = format!("`{}` has no `/chartrepo/`: {why}", address.host);
        self.remote().misplaced(message, hint)
    }

    pub(super) fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        if self.imagined.load(Ordering::Relaxed) {
            return Ok(None);
        }
        self.charts.get(&self.api, name, version)
    }

    pub(super) fn publish(
        &self,
        name: &str,
        version: &str,
        package: &[u8],
        overwrite: bool,
    ) -> Result<()> {
        self.charts
            .publish(&self.api, name, version, package, overwrite)
    }
}

/// A project that was made for a run, or would be.
#[derive(Debug)]
pub(super) struct Made(String);

impl Made {
    pub(super) fn warning(&self, remote: &Remote, dry_run: bool) -> Warning {
        let verb = match dry_run {
            true => "would be created",
            false => "was created",
        };
        let message = format!("project `{}` of `{}` {verb}", self.0, remote.address.host);
        warning("project-created", message)
    }
}

/// Sees to it that a project is there, if that is asked for; `Some` if it was not.
pub(super) fn ensure(
    harbor: &Harbor,
    project: &str,
    create: Option<bool>,
    dry_run: bool,
) -> Result<Option<Made>> {
    let asked = BTreeSet::from([project.to_owned()]);
    let missing = harbor.missing(&asked)?;
    if missing.is_empty() {
        return Ok(None);
    }
    let Some(public) = create else {
        return Err(harbor.without(&missing));
    };
    if !dry_run {
        harbor.create(project, public)?;
    }
    Ok(Some(Made(project.to_owned())))
}
