//! Who may do what.

use super::Project;

/// Somebody who may log in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// May do everything.
    Admin,
    /// Developer of these projects.
    User(Vec<String>),
    /// Pulls from and pushes to one project, and may do nothing else there: not even read what the
    /// project is like.
    ProjectRobot(String),
}

impl Account {
    pub(crate) fn admin(name: &str, password: &str) -> Self {
        Self::new(name, password, Kind::Admin)
    }

    pub(crate) fn user(name: &str, password: &str, projects: &[&str]) -> Self {
        let projects = projects.iter().map(|name| (*name).to_owned()).collect();
        Self::new(name, password, Kind::User(projects))
    }

    /// `robot$PROJECT+NAME`, as Harbor names the robots of a project.
    pub(crate) fn robot(project: &str, name: &str, password: &str) -> Self {
        let full = format!("robot${project}+{name}");
        Self::new(&full, password, Kind::ProjectRobot(project.to_owned()))
    }

    fn new(name: &str, password: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            kind,
        }
    }

    /// May push to it.
    pub(crate) fn pushes(&self, project: &Project) -> bool {
        match &self.kind {
            Kind::Admin => true,
            Kind::User(projects) => projects.contains(&project.name),
            Kind::ProjectRobot(own) => *own == project.name,
        }
    }

    /// May ask the API about it.
    pub(crate) fn reads(&self, project: &Project) -> bool {
        match &self.kind {
            Kind::ProjectRobot(_) => project.public,
            _ => project.public || self.pushes(project),
        }
    }
}

/// May pull from it.
pub(crate) fn pulls(account: Option<&Account>, project: &Project) -> bool {
    project.public || account.is_some_and(|account| account.pushes(project))
}
