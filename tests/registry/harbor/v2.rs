//! `/v2/` of a Harbor: who may, and what it refuses before the registry behind hears of it.

use std::io;

use serde_json::json;

use super::account::pulls;
use super::{Account, State};
use crate::registry::client::Client;
use crate::registry::exchange::{Answer, Exchange, Tamper};
use crate::registry::serve::{Next, lock};
use crate::registry::tokens::{Access, asked, covers, needed, repository, scopes};
use crate::registry::words::values;

impl State {
    /// `/service/token`: a token for the part of what is asked that the account may have. Whoever
    /// asks for too much, or for a project that is missing, gets one all the same.
    pub(super) fn token(&self, exchange: &Exchange<'_>, query: &str) -> Answer {
        let account = self.account(exchange);
        if account.is_none() && exchange.request.get("authorization").is_some() {
            return Answer::error(401, "UNAUTHORIZED", "unauthorized");
        }
        let mut access = asked(query);
        for (name, actions) in &mut access {
            actions.retain(|action| self.may(account, name, action));
        }
        let mut token = self.tokens.issue(access);
        token["issued_at"] = json!("2026-01-01T00:00:00Z");
        Answer::json(200, &token)
    }

    pub(super) fn registry(&self, exchange: &mut Exchange<'_>) -> io::Result<Next> {
        let method = exchange.method();
        let (path, query) = exchange.target();
        let needed = needed(&method, &path, &query);
        if let Some(answer) = self.refuse(exchange, &method, &needed) {
            return exchange.answer(&answer);
        }
        exchange.request.remove("authorization");
        let Some(name) = repository(&path).map(str::to_owned) else {
            return exchange.forward(&self.upstream, Tamper::default());
        };
        if let Some(answer) = self.immutable(&method, &path, &name) {
            return exchange.answer(&answer);
        }
        self.counting(exchange, &method, &name, &query)
    }

    /// What Harbor's own check says, by basic authentication or token.
    fn refuse(&self, exchange: &Exchange<'_>, method: &str, needed: &Access) -> Option<Answer> {
        let authorization = exchange.request.get("authorization");
        let bearer = authorization.and_then(|value| value.strip_prefix("Bearer "));
        let granted = bearer.map(|token| self.tokens.grant(token));
        let account = self.account(exchange);
        let known = account.is_some() || matches!(granted, Some(Some(_)));
        let host = exchange.request.get("host").unwrap_or_default();
        let refuse = |message: &str| {
            let mut challenge = "Basic realm=\"harbor\"".to_owned();
            if authorization.is_none() {
                let service = "service=\"harbor-registry\"";
                challenge = format!("Bearer realm=\"http://{host}/service/token\",{service}");
                if !needed.is_empty() {
                    challenge += &format!(",scope=\"{}\"", scopes(needed));
                }
            }
            let answer = Answer::error(401, "UNAUTHORIZED", message);
            let answer = answer.header("Docker-Distribution-Api-Version", "registry/2.0");
            Some(answer.header("WWW-Authenticate", challenge))
        };
        if needed.is_empty() && !known {
            return refuse("unauthorized");
        }
        if method == "HEAD" && authorization.is_none() {
            return refuse("authorize header needed to send HEAD to repository");
        }
        for (name, actions) in needed {
            let project = name.split('/').next().unwrap_or_default();
            if !self.setup.hides && !lock(&self.projects).contains_key(project) {
                return refuse(&format!(
                    "project {project} not found: project {project} not found"
                ));
            }
            for action in actions.iter().rev() {
                let one = Access::from([(name.clone(), [action.clone()].into())]);
                let may = match &granted {
                    Some(granted) => granted.as_ref().is_some_and(|has| covers(has, &one)),
                    None => self.may(account, name, action),
                };
                if !may {
                    let said =
                        format!("unauthorized to access repository: {name}, action: {action}");
                    return refuse(&format!("{said}: {said}"));
                }
            }
        }
        None
    }

    fn may(&self, account: Option<&Account>, name: &str, action: &str) -> bool {
        let projects = lock(&self.projects);
        let project = name.split('/').next().and_then(|name| projects.get(name));
        project.is_some_and(|project| match action {
            "pull" => pulls(account, project),
            _ => account.is_some_and(|account| account.pushes(project)),
        })
    }

    /// 412 where a rule holds a tag that is there, whatever it is to point at.
    fn immutable(&self, method: &str, path: &str, name: &str) -> Option<Answer> {
        let (_, tag) = path.rsplit_once("/manifests/")?;
        let held = {
            let projects = lock(&self.projects);
            let project = projects.get(name.split('/').next()?)?;
            method == "PUT" && !tag.contains(':') && project.holds_still(name, tag)
        };
        if !held || Client::new(&self.upstream).ask("HEAD", path).status() != 200 {
            return None;
        }
        let inside = name.split_once('/').map_or(name, |(_, inside)| inside);
        let message =
            format!("Failed to process request due to '{inside}:{tag}' configured as immutable.");
        Some(Answer::error(412, "PRECONDITION", &message))
    }

    /// Passes the request on, and keeps the quota: what a project holds counts once, when its
    /// upload ends.
    fn counting(
        &self,
        exchange: &mut Exchange<'_>,
        method: &str,
        name: &str,
        query: &str,
    ) -> io::Result<Next> {
        let (path, _) = exchange.target();
        let length = exchange.request.get("content-length");
        let length: u64 = length
            .and_then(|value| value.parse().ok())
            .unwrap_or_default();
        let upload = path.contains("/blobs/uploads/");
        let digest = values(query, "digest").into_iter().next();
        let ends = match (method, upload) {
            ("PUT", true) | ("POST", true) => digest,
            ("PUT", false) => Some(path.clone()),
            _ => None,
        };
        let held = lock(&self.sessions).get(&path).copied().unwrap_or_default();
        if let Some(what) = &ends
            && let Some(message) = self.over(name, what, held + length)
        {
            return exchange.answer(&Answer::error(403, "DENIED", &message));
        }
        let next = exchange.forward(&self.upstream, Tamper::default())?;
        let passed = exchange.passed;
        if passed.status == 202 && upload && method == "PATCH" {
            *lock(&self.sessions).entry(path).or_default() += passed.sent;
        } else if passed.status == 201
            && let Some(what) = ends
        {
            self.keep(name, what, held + passed.sent);
        }
        Ok(next)
    }

    fn over(&self, name: &str, what: &str, more: u64) -> Option<String> {
        let projects = lock(&self.projects);
        let project = projects.get(name.split('/').next()?)?;
        match project.counted.contains(what) {
            true => None,
            false => project.refusal(more),
        }
    }

    fn keep(&self, name: &str, what: String, more: u64) {
        let mut projects = lock(&self.projects);
        let project = name
            .split('/')
            .next()
            .and_then(|name| projects.get_mut(name));
        if let Some(project) = project
            && project.counted.insert(what)
        {
            project.used += more;
        }
    }
}
