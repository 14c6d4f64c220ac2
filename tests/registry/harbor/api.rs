//! Harbor's own API, `/api/v2.0/`. Comments name the operations of its description.

use serde_json::{Value, json};

use super::account::{Account, Kind, pulls};
use super::{Project, State};
use crate::registry::exchange::{Answer, Exchange};
use crate::registry::serve::lock;
use crate::registry::words::{percent_decoded, values};

/// `page_size` where nothing is said, and the most that may be said.
const PAGE: (usize, usize) = (10, 100);

impl State {
    pub(super) fn api(
        &self,
        exchange: &Exchange<'_>,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Answer {
        let account = self.account(exchange);
        let parts: Vec<String> = path.split('/').map(percent_decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let answer = match (method, &parts[..]) {
            // getPing: plain text, and nobody has to log in.
            ("GET", ["ping"]) => Answer::text(200, "Pong"),
            ("GET", ["systeminfo"]) => self.system(account),
            ("GET", ["projects"]) => self.list(account, query),
            ("HEAD", ["projects"]) => self.exists(account, query),
            ("POST", ["projects"]) => self.create(account, body),
            ("GET", ["projects", name, rest @ ..]) => self.about(account, name, rest),
            ("GET", ["users", "current", "permissions"]) => self.permissions(account, query),
            ("GET", ["quotas"]) => self.quotas(account, query),
            _ => Answer::error(404, "NOT_FOUND", &format!("path {path} was not found")),
        };
        answer.header("X-Request-Id", "00000000-0000-0000-0000-000000000000")
    }

    /// getSystemInfo → `GeneralInfo`; those who have not logged in are not told the version.
    fn system(&self, account: Option<&Account>) -> Answer {
        let restriction = match self.setup.everyone_creates {
            true => "everyone",
            false => "adminonly",
        };
        let mut info = json!({
            "auth_mode": "db_auth", "primary_auth_mode": false, "self_registration": false,
            "project_creation_restriction": restriction, "has_ca_root": false,
        });
        if self.setup.chartrepo.is_some() {
            info["with_chartmuseum"] = json!(true);
        }
        if account.is_some() {
            info["harbor_version"] = match self.setup.chartrepo {
                Some(_) => json!("v2.7.4-f8ff6fbd"),
                None => json!("v2.11.1-6b7ecba1"),
            };
            info["read_only"] = json!(false);
        }
        Answer::json(200, &info)
    }

    /// listProjects → `Project`s whose name has `name` in it, or is the one in `q=name=…`, as far as
    /// the account sees them, in pages with `X-Total-Count` and `Link`.
    fn list(&self, account: Option<&Account>, query: &str) -> Answer {
        let one = |key: &str| values(query, key).into_iter().next();
        let number = |key: &str| one(key).and_then(|value| value.parse().ok());
        let (page, size) = (number("page").unwrap_or(1), number("page_size"));
        let size: usize = size.unwrap_or(PAGE.0);
        if page < 1 || !(1..=PAGE.1).contains(&size) {
            return Answer::error(422, "UNPROCESSABLE_ENTITY", "page_size in query is invalid");
        }
        let part = one("name").unwrap_or_default();
        let exact = one("q").and_then(|q| q.strip_prefix("name=").map(str::to_owned));
        let named = |project: &Project| match &exact {
            Some(name) => project.name == *name,
            None => project.name.contains(&part),
        };
        let projects = lock(&self.projects);
        let seen: Vec<Value> = projects
            .values()
            .filter(|project| named(project) && self.sees(account, project))
            .map(Project::json)
            .collect();
        let shown: Value = seen
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .cloned()
            .collect();
        let mut answer = Answer::json(200, &shown).header("X-Total-Count", seen.len().to_string());
        if page * size < seen.len() {
            let next = format!(
                "/api/v2.0/projects?name={part}&page={}&page_size={size}",
                page + 1
            );
            answer = answer.header("Link", format!("<{next}>; rel=\"next\""));
        }
        answer
    }

    /// Robots see the project that they are of in lists, though they may not ask about it.
    fn sees(&self, account: Option<&Account>, project: &Project) -> bool {
        project.public || account.is_some_and(|account| account.pushes(project))
    }

    /// headProject: 200, or 404 where there is none.
    fn exists(&self, account: Option<&Account>, query: &str) -> Answer {
        match values(query, "project_name").first() {
            None => Answer::error(
                422,
                "UNPROCESSABLE_ENTITY",
                "project_name in query is required",
            ),
            Some(name) => match self.readable(account, name) {
                Ok(_) => Answer::new(200),
                Err(answer) => answer,
            },
        }
    }

    /// createProject: 201 with a Location, 400, 401, 403, 409.
    fn create(&self, account: Option<&Account>, body: &[u8]) -> Answer {
        let forbidden = |message: &str| Answer::error(403, "FORBIDDEN", message);
        match account.map(|account| &account.kind) {
            None => return unauthorized(),
            Some(Kind::ProjectRobot(_)) => {
                return forbidden("Only system level robot can create project");
            }
            Some(Kind::User(_)) if !self.setup.everyone_creates => {
                return forbidden("Only system admin can create project");
            }
            Some(_) => {}
        }
        let Ok(asked) = serde_json::from_slice::<Value>(body) else {
            return Answer::error(400, "BAD_REQUEST", "parsing project body failed");
        };
        let name = asked["project_name"].as_str().unwrap_or_default();
        if !valid(name) {
            let message = format!(
                "project name {name} is not valid: it must start and end with a lower case letter \
                 or digit, and have only those and '._-' between"
            );
            return Answer::error(400, "BAD_REQUEST", &message);
        }
        let mut projects = lock(&self.projects);
        if projects.contains_key(name) {
            let message = format!("The project named {name} already exists");
            return Answer::error(409, "CONFLICT", &message);
        }
        let mut project = Project::new(name);
        project.id = projects.len() + 1;
        project.public = asked["metadata"]["public"] == "true";
        project.hard = self.setup.default_quota;
        let place = format!("/api/v2.0/projects/{}", project.id);
        projects.insert(name.to_owned(), project);
        Answer::new(201).header("Location", place)
    }

    /// getProject, getProjectSummary, ListImmuRules.
    fn about(&self, account: Option<&Account>, name: &str, rest: &[&str]) -> Answer {
        let project = match self.readable(account, name) {
            Ok(project) => project,
            Err(answer) => return answer,
        };
        match rest {
            [] => Answer::json(200, &project.json()),
            // The quota is only for those who are more than guests.
            ["summary"] => {
                let mut summary = json!({"repo_count": 0});
                if account.is_some_and(|account| account.pushes(&project)) {
                    summary["quota"] = project.quota_json();
                }
                Answer::json(200, &summary)
            }
            ["immutabletagrules"] if account.is_some_and(|account| account.pushes(&project)) => {
                let count = project.immutable.len().to_string();
                Answer::json(200, &project.rules_json()).header("X-Total-Count", count)
            }
            ["immutabletagrules"] => refused(account),
            _ => Answer::error(404, "NOT_FOUND", "the path was not found"),
        }
    }

    /// listQuotas, by `reference=project` and `reference_id`: for administrators.
    fn quotas(&self, account: Option<&Account>, query: &str) -> Answer {
        if !account.is_some_and(|account| matches!(account.kind, Kind::Admin)) {
            return refused(account);
        }
        let ids = values(query, "reference_id");
        let projects = lock(&self.projects);
        let one = |project: &Project| {
            let mut quota = project.quota_json();
            quota["id"] = json!(project.id);
            quota["ref"] = json!({"id": project.id, "name": project.name});
            quota
        };
        let found = projects
            .values()
            .filter(|project| ids.is_empty() || ids.contains(&project.id.to_string()));
        Answer::json(200, &found.map(one).collect())
    }

    /// getCurrentUserPermissions: `Permission`s in a project, by `scope=/project/ID`; here always
    /// as with `relative=true`.
    fn permissions(&self, account: Option<&Account>, query: &str) -> Answer {
        let Some(account) = account else {
            return unauthorized();
        };
        let scope = values(query, "scope")
            .into_iter()
            .next()
            .unwrap_or_default();
        let id = scope
            .strip_prefix("/project/")
            .and_then(|id| id.parse().ok());
        let projects = lock(&self.projects);
        let project = projects.values().find(|project| Some(project.id) == id);
        let mut actions = Vec::new();
        if let Some(project) = project {
            actions.extend(pulls(Some(account), project).then_some("pull"));
            actions.extend(account.pushes(project).then_some("push"));
        }
        let one = |action: &str| json!({"resource": "repository", "action": action});
        Answer::json(200, &actions.into_iter().map(one).collect())
    }

    /// A project that the account may ask about, or why not.
    fn readable(&self, account: Option<&Account>, name: &str) -> Result<Project, Answer> {
        let project = lock(&self.projects).get(name).cloned();
        let open = |project: &Project| {
            project.public || account.is_some_and(|account| account.reads(project))
        };
        match project {
            Some(project) if open(&project) => Ok(project),
            None if !self.setup.hides => {
                let message = format!("project {name} not found");
                Err(Answer::error(404, "NOT_FOUND", &message))
            }
            _ => Err(refused(account)),
        }
    }
}

fn unauthorized() -> Answer {
    Answer::error(401, "UNAUTHORIZED", "unauthorized")
}

/// 401 to strangers, 403 to those who are known.
fn refused(account: Option<&Account>) -> Answer {
    match account {
        None => unauthorized(),
        Some(_) => Answer::error(403, "FORBIDDEN", "forbidden"),
    }
}

fn valid(name: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (1..=255).contains(&name.len())
        && name.starts_with(inner)
        && name.ends_with(inner)
        && name
            .chars()
            .all(|letter| inner(letter) || "._-".contains(letter))
}
