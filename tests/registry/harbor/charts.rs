//! The chart repositories that Harbor had up to 2.7, one for each project: `/chartrepo/PROJECT` to
//! read, `/api/chartrepo/PROJECT/charts` to write. A ChartMuseum behind keeps them.

use std::io;

use super::account::pulls;
use super::{Account, State};
use crate::registry::exchange::{Answer, Exchange, Tamper};
use crate::registry::serve::{Next, lock};

/// What a path is about: the project, if any, and where that is at the ChartMuseum.
pub(super) struct Place {
    project: String,
    target: String,
}

/// Nothing, if the path is not about charts.
pub(super) fn place(path: &str) -> Option<Place> {
    let (rest, api) = match path.strip_prefix("/api/chartrepo/") {
        Some(rest) => (rest, true),
        None => (path.strip_prefix("/chartrepo/")?, false),
    };
    let (project, _) = rest.split_once('/').unwrap_or((rest, ""));
    let target = match (api, rest) {
        (true, "health") => "/health".to_owned(),
        (true, _) => format!("/api/{rest}"),
        (false, _) => format!("/{rest}"),
    };
    Some(Place {
        project: project.to_owned(),
        target,
    })
}

impl State {
    pub(super) fn charts(
        &self,
        exchange: &mut Exchange<'_>,
        museum: &str,
        place: &Place,
    ) -> io::Result<Next> {
        let method = exchange.method();
        let account = self.account(exchange);
        if place.target != "/health"
            && let Some(answer) = self.refuses(account, &method, &place.project)
        {
            return exchange.answer(&answer);
        }
        let (_, query) = exchange.target();
        let query = match query.is_empty() {
            true => query,
            false => format!("?{query}"),
        };
        // Harbor logs in by itself; its ChartMuseum here is open.
        exchange.request.remove("authorization");
        exchange.request.first = format!("{method} {}{query} HTTP/1.1", place.target);
        exchange.forward(museum, Tamper::default())
    }

    /// Who may not, or that there is no such project.
    fn refuses(&self, account: Option<&Account>, method: &str, project: &str) -> Option<Answer> {
        let projects = lock(&self.projects);
        let Some(known) = projects.get(project) else {
            let message = format!("project {project} not found");
            return Some(Answer::error(404, "NOT_FOUND", &message));
        };
        let may = match method {
            "GET" | "HEAD" => pulls(account, known),
            _ => account.is_some_and(|account| account.pushes(known)),
        };
        let unknown = || {
            Answer::error(401, "UNAUTHORIZED", "unauthorized")
                .header("WWW-Authenticate", "Basic realm=\"harbor\"")
        };
        match (may, account) {
            (true, _) => None,
            (false, None) => Some(unknown()),
            (false, Some(_)) => Some(Answer::error(403, "FORBIDDEN", "forbidden")),
        }
    }
}
