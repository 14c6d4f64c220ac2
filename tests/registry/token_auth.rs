//! The token server of a proxy: users, what they may do, and the bearer flow of the distribution
//! specification (GET with basic authentication) and of OAuth2 (POST with a password or a refresh
//! token, which docker's `config.json` calls identity token).

use std::io;
use std::time::Duration;

use serde_json::json;

use super::exchange::{Answer, Exchange};
use super::tokens::{Access, Tokens, asked, covers, needed, scopes};
use super::words::{basic, fits, values};

/// Where tokens are given out.
const PLACE: &str = "/token";

/// What the challenges call the registry.
const SERVICE: &str = "registry.test";

/// Somebody who may log in.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    /// Patterns of repositories, and the actions there.
    pub(crate) may: Vec<(String, Vec<String>)>,
}

impl User {
    /// May do everything everywhere.
    pub(crate) fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            may: Vec::new(),
        }
        .may("*", &["pull", "push", "delete"])
    }

    /// May do nothing.
    pub(crate) fn powerless(name: &str, password: &str) -> Self {
        Self {
            may: Vec::new(),
            ..Self::new(name, password)
        }
    }

    pub(crate) fn may(mut self, repositories: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        self.may.push((repositories.to_owned(), actions));
        self
    }

    /// The part of `asked` that it may have.
    fn granted(&self, asked: &Access) -> Access {
        let mut granted = asked.clone();
        for (name, actions) in &mut granted {
            let mut rules = self.may.iter().filter(|(pattern, _)| fits(pattern, name));
            let may: Vec<_> = rules.by_ref().flat_map(|(_, actions)| actions).collect();
            actions.retain(|action| may.contains(&action));
        }
        granted.retain(|_, actions| !actions.is_empty());
        granted
    }
}

#[derive(Debug)]
pub(crate) struct TokenAuth {
    users: Vec<User>,
    /// What those may do who do not log in.
    anonymous: User,
    tokens: Tokens,
}

impl TokenAuth {
    /// Tokens that are good for `lifetime`.
    pub(crate) fn new(users: Vec<User>, lifetime: Duration) -> Self {
        Self {
            users,
            anonymous: User::powerless("", ""),
            tokens: Tokens::new(lifetime),
        }
    }

    /// Anybody may read.
    pub(crate) fn readable(mut self) -> Self {
        self.anonymous = self.anonymous.may("*", &["pull"]);
        self
    }

    pub(crate) fn count(&self) -> u64 {
        self.tokens.count()
    }

    pub(crate) fn expire(&self) {
        self.tokens.expire();
    }

    /// What is answered here instead of by the registry: a token, or that one is needed.
    pub(crate) fn refuse(&self, exchange: &mut Exchange<'_>) -> io::Result<Option<Answer>> {
        let (path, query) = exchange.target();
        if path == PLACE {
            return self.give(exchange, &query).map(Some);
        }
        let method = exchange.method();
        let needed = needed(&method, &path, &query);
        let token = exchange.request.get("authorization");
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let host = exchange.request.get("host").unwrap_or_default();
        let problem = match token.map(|token| self.tokens.grant(token)) {
            Some(Some(access)) if covers(&access, &needed) => return Ok(None),
            Some(Some(_)) => ",error=\"insufficient_scope\"",
            Some(None) => ",error=\"invalid_token\"",
            None => "",
        };
        let scope = match needed.is_empty() {
            true => String::new(),
            false => format!(",scope=\"{}\"", scopes(&needed)),
        };
        let challenge =
            format!("Bearer realm=\"http://{host}{PLACE}\",service=\"{SERVICE}\"{scope}{problem}");
        let answer = Answer::error(401, "UNAUTHORIZED", "authentication required");
        Ok(Some(answer.header("WWW-Authenticate", challenge)))
    }

    fn give(&self, exchange: &mut Exchange<'_>, query: &str) -> io::Result<Answer> {
        let refused = || {
            let answer = Answer::error(401, "UNAUTHORIZED", "incorrect username or password");
            Ok(answer.header("WWW-Authenticate", "Basic realm=\"token server\""))
        };
        let (user, form) = if exchange.method() == "POST" {
            let form = String::from_utf8_lossy(&exchange.body()?).into_owned();
            (self.by_form(&form), form)
        } else {
            let user = match exchange.request.get("authorization").map(basic) {
                None => Some(&self.anonymous),
                Some(pair) => pair.and_then(|(name, password)| self.user(&name, &password)),
            };
            (user, query.to_owned())
        };
        let Some(user) = user.filter(|_| values(&form, "service") == [SERVICE]) else {
            return refused();
        };
        let mut document = self.tokens.issue(user.granted(&asked(&form)));
        let lasting = values(&form, "offline_token") == ["true"]
            || values(&form, "access_type") == ["offline"];
        if lasting && !user.name.is_empty() {
            document["refresh_token"] = json!(self.refresh_token(&user.name));
        }
        Ok(Answer::json(200, &document))
    }

    fn by_form(&self, form: &str) -> Option<&User> {
        let field = |name: &str| values(form, name).into_iter().next().unwrap_or_default();
        match field("grant_type").as_str() {
            "password" => self.user(&field("username"), &field("password")),
            "refresh_token" => {
                let token = field("refresh_token");
                let mut users = self.users.iter();
                users.find(|user| self.refresh_token(&user.name) == token)
            }
            _ => None,
        }
    }

    /// The refresh token of a user, which never changes.
    pub(crate) fn refresh_token(&self, name: &str) -> String {
        let place = self.users.iter().position(|user| user.name == name);
        format!(
            "test-refresh-token-{}",
            place.expect("a user of this server")
        )
    }

    fn user(&self, name: &str, password: &str) -> Option<&User> {
        let mut users = self.users.iter();
        users.find(|user| user.name == name && user.password == password)
    }
}
