//! Harbor's own API (v2.0), for what its registry does not tell: which projects there are, what
//! fits into them, which tags may not change.
//!
//! Whoever may push may not always ask. What is not told is no error here: the push will find out.

mod explain;
mod pattern;
mod rule;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

pub use rule::Rule;

use super::host::{Host, Reply};
use super::refusal;
use super::url::escaped;
use crate::error::{Error, ErrorKind, Result};

/// The most that Harbor gives at once.
const PAGE: usize = 100;

/// A registry that is a Harbor.
#[derive(Debug, Clone)]
pub struct Harbor {
    host: Host,
}

/// What a project may hold, and holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limit, where there is one.
    pub hard: Option<u64>,
    /// What counts against it.
    pub used: u64,
}

impl Quota {
    /// How many bytes still fit, where there is a limit.
    #[must_use]
    pub fn left(self) -> Option<u64> {
        self.hard.map(|hard| hard.saturating_sub(self.used))
    }
}

/// `GeneralInfo`.
#[derive(Deserialize)]
struct General {
    harbor_version: Option<String>,
}

/// `Project` of the description, as far as it is needed.
#[derive(Deserialize)]
struct Project {
    project_id: i64,
    name: String,
}

/// What the list of projects says of one.
enum Listed {
    There(Project),
    Missing,
    /// The list is not for this user.
    Untold,
}

/// `ProjectSummary`.
#[derive(Deserialize)]
struct Summary {
    quota: Option<SummaryQuota>,
}

#[derive(Deserialize)]
struct SummaryQuota {
    hard: Resources,
    used: Resources,
}

/// `ResourceList`; -1 is no limit.
#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    storage: Option<i64>,
}

/// `Permission`.
#[derive(Deserialize)]
struct Permission {
    resource: String,
    action: String,
}

impl Harbor {
    /// Whether that registry is a Harbor: one question, whose failure says that it is not.
    pub fn detect(host: &Host) -> Result<Option<Self>> {
        // "Pong" says nothing that is secret, and nobody has to log in for it.
        let reply = host.probe("/api/v2.0/ping")?;
        let harbor = reply.is_some_and(|reply| {
            let said = String::from_utf8_lossy(&reply.body);
            reply.status == 200 && said.trim().trim_matches('"') == "Pong"
        });
        Ok(harbor.then(|| Self { host: host.clone() }))
    }

    /// Its version, major and minor, where it is told: newer ones tell those who are logged in.
    pub fn version(&self) -> Result<Option<(u32, u32)>> {
        let general: Option<General> = self.told("", "/api/v2.0/systeminfo")?;
        let version = general.and_then(|general| general.harbor_version);
        Ok(version.as_deref().and_then(release))
    }

    /// Those of the `projects` that do not exist, or not for this user, in their order.
    pub fn missing(&self, projects: &BTreeSet<String>) -> Result<Vec<String>> {
        let mut missing = Vec::new();
        for project in projects {
            let path = format!("/api/v2.0/projects?project_name={}", escaped(project));
            let reply = self.host.api(project, "HEAD", &path, None)?;
            let there = match reply.status {
                200 => true,
                404 => false,
                // Some versions say so of missing ones too, and of all to robots that may only push.
                401 | 403 => !matches!(self.listed(project)?, Listed::Missing),
                _ => {
                    return Err(
                        self.refused(&reply, &format!("cannot look for project `{project}`"))
                    );
                }
            };
            if !there {
                missing.push(project.clone());
            }
        }
        Ok(missing)
    }

    /// Creates a project; `false` if there was one.
    pub fn create(&self, project: &str, public: bool) -> Result<bool> {
        let body = json!({
            "project_name": project, "metadata": {"public": public.to_string()},
        });
        let body = body.to_string();
        let path = "/api/v2.0/projects";
        let reply = self
            .host
            .api(project, "POST", path, Some(body.as_bytes()))?;
        match reply.status {
            201 => Ok(true),
            409 => Ok(false),
            status => {
                let error = self.refused(&reply, &format!("cannot create project `{project}`"));
                Err(match status {
                    401 | 403 => error.better_hint(format!(
                        "ask an administrator of `{}` to create it, or to let you",
                        self.host.name()
                    )),
                    _ => error,
                })
            }
        }
    }

    /// What fits into a project, where Harbor tells this user.
    pub fn quota(&self, project: &str) -> Result<Option<Quota>> {
        let path = format!("/api/v2.0/projects/{}/summary", escaped(project));
        let summary: Option<Summary> = self.told(project, &path)?;
        Ok(summary
            .and_then(|summary| summary.quota)
            .map(|quota| Quota {
                hard: quota.hard.storage.and_then(|hard| hard.try_into().ok()),
                used: quota
                    .used
                    .storage
                    .and_then(|used| used.try_into().ok())
                    .unwrap_or_default(),
            }))
    }

    /// The rules in force that keep tags of a project from changing, as far as this user is told.
    pub fn immutable(&self, project: &str) -> Result<Vec<Rule>> {
        let mut rules = Vec::new();
        for page in 1.. {
            let path = format!(
                "/api/v2.0/projects/{}/immutabletagrules?page={page}&page_size={PAGE}",
                escaped(project)
            );
            let more: Vec<rule::Document> = self.told(project, &path)?.unwrap_or_default();
            let last = more.len() < PAGE;
            rules.extend(more.into_iter().filter_map(Rule::in_force));
            if last {
                break;
            }
        }
        Ok(rules)
    }

    /// Whether this user, or robot, may push to a project, where Harbor tells.
    pub fn may_push(&self, project: &str) -> Result<Option<bool>> {
        let Listed::There(known) = self.listed(project)? else {
            return Ok(None);
        };
        let path = format!(
            "/api/v2.0/users/current/permissions?scope=/project/{}&relative=true",
            known.project_id
        );
        let permissions: Option<Vec<Permission>> = self.told(project, &path)?;
        // Whoever may do nothing at all is rather one whom this version does not tell.
        Ok(permissions.filter(|all| !all.is_empty()).map(|all| {
            let push = |one: &Permission| one.resource == "repository" && one.action == "push";
            all.iter().any(push)
        }))
    }

    /// A project as it is listed to this user: for robots too, which may not ask for it by name.
    fn listed(&self, project: &str) -> Result<Listed> {
        let name = escaped(project);
        let path = format!("/api/v2.0/projects?q=name%3D{name}&page_size={PAGE}");
        let listed: Option<Vec<Project>> = self.told(project, &path)?;
        let Some(listed) = listed else {
            return Ok(Listed::Untold);
        };
        let found = listed.into_iter().find(|known| known.name == project);
        Ok(found.map_or(Listed::Missing, Listed::There))
    }

    /// The document at a path, which is about a project, or none; nothing where it is not for this
    /// user.
    fn told<T: DeserializeOwned>(&self, project: &str, path: &str) -> Result<Option<T>> {
        let reply = self.host.api(project, "GET", path, None)?;
        let doing = "cannot read what Harbor tells";
        match reply.status {
            200 => serde_json::from_slice(&reply.body).map(Some).map_err(|e| {
                let message = format!(
                    "{doing}: `{}` answers something else: {e}",
                    self.host.name()
                );
                Error::new(ErrorKind::Registry, message)
            }),
            401 | 403 | 404 => Ok(None),
            _ => Err(self.refused(&reply, doing)),
        }
    }

    fn refused(&self, reply: &Reply, doing: &str) -> Error {
        refusal::told(reply.status, &reply.body, doing, self.host.name())
    }
}

/// `v2.8.0-89ef156d`, as far as it matters.
fn release(version: &str) -> Option<(u32, u32)> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::release;

    #[test]
    fn releases_are_read_as_numbers() {
        for (text, read) in [
            ("v2.7.1-89ef156d", Some((2, 7))),
            ("2.14", Some((2, 14))),
            ("v2.10-rc", Some((2, 10))),
            ("dev", None),
            ("", None),
        ] {
            assert_eq!(release(text), read, "{text}");
        }
    }
}
