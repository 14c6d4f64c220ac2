//! What Harbor means when it refuses a push.

use std::collections::BTreeSet;

use super::Harbor;
use crate::error::{Error, ErrorKind, Result};

impl Harbor {
    /// The error for projects that are missing: all of them at once.
    #[must_use]
    pub fn without(&self, projects: &[String]) -> Error {
        let named: Vec<_> = projects.iter().map(|name| format!("`{name}`")).collect();
        let (word, them) = match projects.len() {
            1 => ("project", "it"),
            _ => ("projects", "them"),
        };
        let message = format!(
            "`{}` has no {word} {}, or not for this user",
            self.host.name(),
            named.join(", ")
        );
        Error::new(ErrorKind::ProjectMissing, message)
            .hint(format!("`--create-projects` creates {them}"))
    }

    /// An error about `repository` (its whole name), said as what it means: Harbor says
    /// "unauthorized" where there is no such project. Other errors stay as they are.
    pub fn explained(&self, error: Error, repository: &str) -> Result<Error> {
        let project = repository.split('/').next().unwrap_or_default();
        let message = error.message().to_owned();
        match error.get_status() {
            Some(401 | 403 | 404)
                if message.contains("project") && message.contains("not found") =>
            {
                Ok(self.because(error, project))
            }
            // These words may also mean a project that others may push to.
            Some(401 | 403) if message.contains("unauthorized to access repository") => {
                let asked = BTreeSet::from([project.to_owned()]);
                if !self.missing(&asked)?.is_empty() {
                    return Ok(self.because(error, project));
                }
                let hint = format!("this user may not push to project `{project}`");
                Ok(error.with_kind(ErrorKind::Denied).better_hint(hint))
            }
            Some(412) if message.contains("configured as immutable") => {
                let hint = "a rule of the project keeps this tag as it is: push another tag, or \
                            leave what is there with `--on-existing skip`";
                Ok(error.with_kind(ErrorKind::Denied).better_hint(hint))
            }
            Some(_) if message.contains("will exceed the configured upper limit") => {
                let mut hint = format!("raise the quota of project `{project}`, or make room");
                if let Ok(Some(quota)) = self.quota(project)
                    && let Some(hard) = quota.hard
                {
                    hint += &format!(": {} of {hard} bytes are used", quota.used);
                }
                Ok(error.with_kind(ErrorKind::Denied).better_hint(hint))
            }
            _ => Ok(error),
        }
    }

    /// A missing project as the meaning of what the registry said.
    fn because(&self, error: Error, project: &str) -> Error {
        let mut meant = self.without(&[project.to_owned()]);
        if let Some(status) = error.get_status() {
            meant = meant.status(status);
        }
        if let Some(code) = error.get_code() {
            meant = meant.code(code.to_owned());
        }
        meant.source_error(error)
    }
}
