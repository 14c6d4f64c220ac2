//! A small Harbor, written from its published API description (API v2.0), in front of a real
//! registry that is open.
//!
//! Paths, fields and status codes are the description's; each answer in `harbor/` names the
//! operation it follows. What the description leaves open — the words of errors, what Harbor says
//! to clients of `/v2/` — follows what Harbor is known to answer.

mod account;
mod api;
mod charts;
mod pattern;
mod project;
mod v2;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) use account::Account;
pub(crate) use project::{Immutable, Project};

use super::exchange::{Answer, Exchange};
use super::serve::{Server, lock};
use super::tokens::Tokens;

/// How this Harbor is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) accounts: Vec<Account>,
    pub(crate) projects: Vec<Project>,
    /// `project_creation_restriction`: administrators only, or everyone who has logged in.
    pub(crate) everyone_creates: bool,
    /// Says nothing that tells a missing project from a forbidden one, as some versions do: 403
    /// where others say 404, and "unauthorized to access repository" to clients of `/v2/`.
    pub(crate) hides: bool,
    /// The quota that new projects get.
    pub(crate) default_quota: Option<u64>,
    /// The address has a registry, but no API.
    pub(crate) no_api: bool,
    /// Where its ChartMuseum is (with `depth` 1): a Harbor before 2.8, which still had one.
    pub(crate) chartrepo: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            accounts: vec![Account::admin("admin", "Harbor12345")],
            projects: vec![Project::new("library").public()],
            everyone_creates: false,
            hides: true,
            default_quota: None,
            no_api: false,
            chartrepo: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Harbor {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    upstream: String,
    setup: Setup,
    tokens: Tokens,
    projects: Mutex<BTreeMap<String, Project>>,
    /// Bytes that upload sessions hold, by their path.
    sessions: Mutex<HashMap<String, u64>>,
    requests: Mutex<Vec<String>>,
}

impl Harbor {
    /// In front of `upstream` (`HOST:PORT`, plain HTTP, open).
    pub(crate) fn start(upstream: &str, setup: Setup) -> Self {
        let mut projects = BTreeMap::new();
        for mut project in setup.projects.clone() {
            project.id = projects.len() + 1;
            projects.insert(project.name.clone(), project);
        }
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            setup,
            tokens: Tokens::new(Duration::from_secs(1800)),
            projects: Mutex::new(projects),
            sessions: Mutex::default(),
            requests: Mutex::default(),
        });
        let keep = Arc::clone(&state);
        let server = Server::start(move |exchange| keep.request(exchange));
        Self { server, state }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.server.host()
    }

    /// A project as it is now.
    pub(crate) fn project(&self, name: &str) -> Option<Project> {
        lock(&self.state.projects).get(name).cloned()
    }

    /// `METHOD TARGET` of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        lock(&self.state.requests).clone()
    }
}

impl State {
    fn request(&self, exchange: &mut Exchange<'_>) -> std::io::Result<super::serve::Next> {
        let (path, query) = exchange.target();
        let (method, target) = (exchange.method(), exchange.request.word(1).to_owned());
        lock(&self.requests).push(format!("{method} {target}"));
        if path == "/service/token" {
            let answer = self.token(exchange, &query);
            return exchange.answer(&answer);
        }
        if path == "/v2" || path.starts_with("/v2/") {
            return self.registry(exchange);
        }
        if let Some(museum) = &self.setup.chartrepo
            && let Some(place) = charts::place(&path)
        {
            return self.charts(exchange, museum, &place);
        }
        let answer = match path.strip_prefix("/api/v2.0/") {
            Some(path) if !self.setup.no_api => {
                let body = exchange.body()?;
                self.api(exchange, &method, path, &query, &body)
            }
            _ if path.starts_with("/api/") => {
                Answer::error(404, "NOT_FOUND", &format!("path {path} was not found"))
            }
            // The portal answers whatever nobody else knows with its page.
            _ if !self.setup.no_api => Answer::text(200, "<!doctype html><title>Harbor</title>\n")
                .header("Content-Type", "text/html"),
            _ => Answer::text(404, "404 page not found\n"),
        };
        exchange.answer(&answer)
    }

    /// Who asks, by basic authentication: nobody, if that is wrong.
    fn account(&self, exchange: &Exchange<'_>) -> Option<&Account> {
        let pair = exchange.request.get("authorization");
        let (name, password) = pair.and_then(super::words::basic)?;
        let mut accounts = self.setup.accounts.iter();
        accounts.find(|account| account.name == name && account.password == password)
    }
}
