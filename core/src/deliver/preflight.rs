//! What can be found out before the first byte is sent: whether the registry is reached, whether
//! Harbor's projects exist, take pushes, have room, and let tags change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::findings::Findings;
use super::send::Spot;
use super::target::{Target, Under};
use super::{DeliverOptions, Names, Visibility};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Client, Harbor};
use crate::report::Warning;

/// The longest name that distribution takes for a repository, and Harbor.
const LONGEST: usize = 255;

/// What was found out about registries so far.
#[derive(Debug, Default)]
pub(super) struct Preflight {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Registries that were reached, and which of them are Harbors.
    hosts: BTreeMap<String, Option<Harbor>>,
    /// Projects by registry and name, and whether they are there.
    projects: BTreeMap<(String, String), bool>,
    /// Projects that this run made, or would make.
    made: BTreeSet<(String, String)>,
}

/// A project that something is sent to: its registry and its name.
type Project = (String, String);

/// The project that a repository is in.
pub(super) fn project(spot: &Spot) -> Project {
    let first = spot.repository.split('/').next().unwrap_or_default();
    (spot.host.clone(), first.to_owned())
}

impl Preflight {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Harbor that the registry `host` is, once it is reached.
    fn harbor(&self, client: &Client, host: &str) -> Result<Option<Harbor>> {
        if let Some(known) = self.known().hosts.get(host) {
            return Ok(known.clone());
        }
        let reached = client.host(host);
        reached.check()?;
        let harbor = Harbor::detect(&reached)?;
        self.known().hosts.insert(host.to_owned(), harbor.clone());
        Ok(harbor)
    }

    /// Whether what is in `spot` can be written, as far as that is told. A project that is missing
    /// is made if that is asked for.
    pub(super) fn allows(
        &self,
        client: &Client,
        spot: &Spot,
        options: &DeliverOptions,
    ) -> Result<bool> {
        let Some(harbor) = self.harbor(client, &spot.host)? else {
            return Ok(true);
        };
        let project = project(spot);
        if let Some(there) = self.known().projects.get(&project) {
            return Ok(*there);
        }
        let asked = BTreeSet::from([project.1.clone()]);
        let mut there = harbor.missing(&asked)?.is_empty();
        if !there && let Some(visibility) = options.create_projects {
            if !options.fuse.dry_run {
                harbor.create(&project.1, visibility == Visibility::Public)?;
            }
            self.known().made.insert(project.clone());
            there = true;
        }
        self.known().projects.insert(project, there);
        Ok(there)
    }

    /// Whether `spot` is in a project that this run would create, if it did anything.
    pub(super) fn is_imagined(&self, spot: &Spot, dry_run: bool) -> bool {
        dry_run && self.known().made.contains(&project(spot))
    }

    /// Checks everything that `targets` name. All that stands in the way is told at once.
    pub(super) fn check(
        &self,
        client: &Client,
        targets: &[Target],
        options: &DeliverOptions,
    ) -> Result<()> {
        let spots: BTreeSet<Spot> = targets.iter().map(Spot::of).collect();
        let hosts: BTreeSet<&String> = spots.iter().map(|spot| &spot.host).collect();
        let mut findings = Findings::default();
        for host in hosts {
            findings.note(self.harbor(client, host))?;
        }
        findings.settle()?;
        // Before anything is created for names that are none.
        let mut findings = Findings::default();
        for spot in &spots {
            findings.note(self.nameable(client, spot))?;
        }
        findings.settle()?;
        let mut findings = Findings::default();
        let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for spot in &spots {
            if !self.allows(client, spot, options)? {
                let (host, project) = project(spot);
                missing.entry(host).or_default().insert(project);
            }
        }
        for (host, projects) in &missing {
            findings.note(self.without(client, host, projects, options))?;
        }
        let projects: BTreeSet<Project> = spots.iter().map(project).collect();
        for (host, project) in projects {
            let lacks = missing.get(&host).is_some_and(|all| all.contains(&project));
            if !lacks {
                findings.note(self.may_push(client, host, project))?;
            }
        }
        findings.settle()
    }

    /// That a registry takes the name of the repository.
    fn nameable(&self, client: &Client, spot: &Spot) -> Result<()> {
        let Spot { host, repository } = spot;
        if repository.len() > LONGEST {
            let message = format!(
                "`{repository}` has {} characters; registries take repositories of {LONGEST}",
                repository.len()
            );
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("shorten it with `--rename`, or all of them with `--names last`"));
        }
        if repository.contains('/') || self.harbor(client, host)?.is_none() {
            return Ok(());
        }
        let message = format!(
            "`{host}` is a Harbor, which keeps repositories in projects, and `{repository}` is in \
             none"
        );
        Err(Error::new(ErrorKind::Usage, message).hint(format!(
            "name the project: `{host}/PROJECT`; what podman calls `localhost/…` gets into \
             `library` by `--rename localhost=library`"
        )))
    }

    /// The error of projects that a Harbor does not have.
    fn without(
        &self,
        client: &Client,
        host: &str,
        projects: &BTreeSet<String>,
        options: &DeliverOptions,
    ) -> Result<()> {
        let Some(harbor) = self.harbor(client, host)? else {
            return Ok(());
        };
        let error = harbor.without(&projects.iter().cloned().collect::<Vec<_>>());
        Err(match projects.contains("localhost") {
            true => error.better_hint(format!(
                "podman puts `localhost/` before names without a registry: {}; \
                 `--create-projects` creates what is missing",
                without_localhost(options.names)
            )),
            false => error,
        })
    }

    /// That the user may push to a project, as far as that is told.
    fn may_push(&self, client: &Client, host: String, project: String) -> Result<()> {
        let Some(harbor) = self.harbor(client, &host)? else {
            return Ok(());
        };
        if self.known().made.contains(&(host.clone(), project.clone()))
            || harbor.may_push(&project)? != Some(false)
        {
            return Ok(());
        }
        let message = format!("this user may not push to project `{project}` of `{host}`");
        Err(Error::new(ErrorKind::Denied, message)
            .hint("ask its administrator, or log in as somebody who may"))
    }

    /// That `bytes` more, by project, fit into the quotas.
    pub(super) fn room(&self, client: &Client, bytes: &BTreeMap<Project, u64>) -> Result<()> {
        for ((host, project), bytes) in bytes {
            let Some(harbor) = self.harbor(client, host)? else {
                continue;
            };
            if *bytes == 0 || self.known().made.contains(&(host.clone(), project.clone())) {
                continue;
            }
            let Some(quota) = harbor.quota(project)? else {
                continue;
            };
            if let Some(left) = quota.left()
                && left < *bytes
            {
                let message = format!(
                    "project `{project}` of `{host}` has room for {left} bytes, {bytes} are to be \
                     sent"
                );
                return Err(Error::new(ErrorKind::Denied, message)
                    .hint("raise the quota of the project, or make room in it"));
            }
        }
        Ok(())
    }

    /// That those of `targets`, all of which would change, may.
    pub(super) fn mutable(&self, client: &Client, targets: &[&Target]) -> Result<()> {
        let mut rules = BTreeMap::new();
        let mut fixed = Vec::new();
        for target in targets {
            let Under::Tag(tag) = &target.under else {
                continue;
            };
            let Some(harbor) = self.harbor(client, &target.host)? else {
                continue;
            };
            let (host, project) = project(&Spot::of(target));
            let key = (host, project.clone());
            if !rules.contains_key(&key) {
                rules.insert(key.clone(), harbor.immutable(&project)?);
            }
            let strikes = |rules: &Vec<crate::registry::Rule>| {
                let mut rules = rules.iter();
                rules.any(|rule| rule.matches(&target.repository, tag))
            };
            if rules.get(&key).is_some_and(strikes) {
                fixed.push(target.to_string());
            }
        }
        if fixed.is_empty() {
            return Ok(());
        }
        let message = format!(
            "rules of the registry keep these tags as they are: {}",
            fixed.join(", ")
        );
        Err(Error::new(ErrorKind::Denied, message)
            .hint("push other tags, or leave what is there with `--on-existing skip`"))
    }

    /// `error` about `spot`, said as what it means where the registry is a Harbor.
    pub(super) fn explain(&self, error: Error, spot: &Spot) -> Error {
        let harbor = self.known().hosts.get(&spot.host).cloned().flatten();
        match harbor {
            Some(harbor) if error.get_status().is_some() => {
                // A question that fails leaves the error as it was told.
                let told = (error.kind(), error.to_string());
                harbor
                    .explained(error, &spot.repository)
                    .unwrap_or_else(|_| Error::new(told.0, told.1))
            }
            _ => error,
        }
    }

    /// What was made, or would be, and what looks wrong in `targets`.
    pub(super) fn warnings(&self, targets: &[Target], options: &DeliverOptions) -> Vec<Warning> {
        let mut warnings = question_localhost(targets, options.names);
        let known = self.known();
        if options.create_projects.is_some() {
            let others = known.hosts.iter().filter(|(_, harbor)| harbor.is_none());
            warnings.extend(others.map(|(host, _)| Warning {
                reference: None,
                code: "no-harbor",
                message: format!(
                    "`{host}` is no Harbor, so that `--create-projects` has nothing to create there"
                ),
            }));
        }
        for (host, project) in &known.made {
            let verb = match options.fuse.dry_run {
                true => "would be created",
                false => "was created",
            };
            warnings.push(Warning {
                reference: None,
                code: "project-created",
                message: format!("project `{project}` of `{host}` {verb}"),
            });
        }
        warnings
    }
}

/// podman puts `localhost/` before names without a registry; a project of that name is hardly
/// what anybody wants.
fn question_localhost(targets: &[Target], names: Option<Names>) -> Vec<Warning> {
    let places: BTreeSet<&str> = (targets.iter())
        .map(|target| target.repository.as_str())
        .filter(|repository| repository.split('/').any(|part| part == "localhost"))
        .collect();
    (places.into_iter())
        .map(|place| Warning {
            reference: None,
            code: "localhost",
            message: format!(
                "`{place}` has `localhost` in its path, which podman puts before names without a \
                 registry: {}",
                without_localhost(names)
            ),
        })
        .collect()
}

/// How to have images named without it. Where registries are part of the path, they get there as
/// those of Docker Hub do.
fn without_localhost(names: Option<Names>) -> &'static str {
    match names {
        Some(Names::Origin) => {
            "`--rename localhost=docker.io/library` puts it where images of Docker Hub go, \
             `--names path` leaves registries out"
        }
        _ => "`--rename localhost=library` takes it out",
    }
}
