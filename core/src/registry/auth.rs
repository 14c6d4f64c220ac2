//! How to prove to a registry who asks: nothing, a password, or tokens that a password buys
//! (distribution specification, *auth/token* and *auth/oauth2*).

mod challenge;
mod files;
mod helper;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{Method, Uri};

use super::net::{Answer, Ask, Net, Payload};
use super::problem::{Cause, Problem};
use super::refusal::refused;
use super::{Secret, retry, url};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use challenge::Challenge;
#[cfg(test)]
pub(super) use helper::ask_program;

/// What one gets in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// A user and password.
    Basic(String, Secret),
    /// A token that buys others (OAuth2's refresh token).
    Identity(Secret),
}

impl Credentials {
    /// The value of the header `Authorization`.
    fn basic(&self) -> Option<Secret> {
        let Self::Basic(user, password) = self else {
            return None;
        };
        let plain = format!("{user}:{}", password.expose());
        Some(Secret::new(format!("Basic {}", STANDARD.encode(plain))))
    }
}

/// What is known of getting into one registry.
#[derive(Debug)]
pub(super) struct Auth {
    /// The registry as it was asked for.
    host: String,
    /// A password is sent before anybody asks for one.
    eager: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    challenge: Option<Challenge>,
    /// Strangers come in, whatever the challenge says: some registries put one beside a welcome.
    welcomes: bool,
    /// By repository: files may say different things of different ones.
    credentials: HashMap<String, Option<Credentials>>,
    tokens: HashMap<BTreeSet<String>, Token>,
}

#[derive(Debug, Clone)]
struct Token {
    header: Secret,
    good_until: Instant,
}

/// What is known of a registry's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// It wants nothing, or lets strangers in.
    Open,
    /// It wants credentials, which are known.
    Known,
    /// Credentials are known for single repositories only.
    Inside,
    /// It wants a password, and none is known.
    Shut,
}

/// What a request is about, for whoever issues tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The repository whose credentials are used.
    pub(super) repository: String,
    /// `repository:NAME:pull,push`, ….
    pub(super) wanted: BTreeSet<String>,
}

impl Auth {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            eager: false,
            state: Mutex::default(),
        }
    }

    /// For a service that may say 401 without saying what it wants, or let strangers see less.
    pub(super) fn eager(host: &str) -> Self {
        Self {
            eager: true,
            ..Self::new(host)
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of the header `Authorization` for a request, as far as is known what the registry
    /// wants.
    pub(super) fn header(&self, net: &Net, scope: &Scope) -> Result<Option<Secret>> {
        // Held while a token is fetched, so that it is fetched once.
        let mut state = self.state();
        let challenge = match &state.challenge {
            Some(challenge) => challenge.clone(),
            None if self.eager => Challenge::Basic,
            None => return Ok(None),
        };
        let credentials = self.credentials(&mut state, net, &scope.repository)?;
        match challenge {
            Challenge::Basic => Ok(credentials.and_then(|known| known.basic())),
            Challenge::Bearer { realm, service, .. } => {
                if let Some(token) = state.tokens.get(&scope.wanted)
                    && token.good_until > Instant::now()
                {
                    return Ok(Some(token.header.clone()));
                }
                let token = self.fetch(net, &realm, &service, &scope.wanted, credentials)?;
                let header = token.header.clone();
                state.tokens.insert(scope.wanted.clone(), token);
                Ok(Some(header))
            }
        }
    }

    /// The user's name and password for the registry's own interface, where it is about
    /// `repository` and they are known.
    pub(super) fn basic(&self, net: &Net, repository: &str) -> Result<Option<Secret>> {
        let mut state = self.state();
        let known = self.credentials(&mut state, net, repository)?;
        Ok(known.and_then(|known| known.basic()))
    }

    /// Takes in that the registry answered 401: whether it makes sense to ask again with what
    /// [`Auth::header`] then says.
    pub(super) fn refused(
        &self,
        net: &Net,
        answer: &Answer,
        scope: &mut Scope,
        sent: Option<&Secret>,
    ) -> Result<bool> {
        let Some(challenge) = Challenge::of(answer) else {
            return Ok(false);
        };
        let mut state = self.state();
        if let Challenge::Bearer {
            scope: wanted,
            realm,
            ..
        } = &challenge
        {
            self.safe(net, &answer.uri, realm)?;
            // Another thread may have fetched a new one already.
            let stale = state.tokens.get(&scope.wanted).map(|token| &token.header);
            if sent.is_some() && stale == sent {
                state.tokens.remove(&scope.wanted);
            }
            scope.wanted.extend(wanted.iter().cloned());
        }
        let known = self.credentials(&mut state, net, &scope.repository)?;
        // The same password again would be refused again.
        let again = match challenge {
            Challenge::Basic => known.is_some_and(|known| known.basic().as_ref() != sent),
            Challenge::Bearer { .. } => true,
        };
        state.challenge = Some(challenge);
        Ok(again)
    }

    /// What a registry says at its door.
    pub(super) fn learn(&self, net: &Net, answer: &Answer) -> Result<()> {
        let challenge = Challenge::of(answer);
        if let Some(Challenge::Bearer { realm, .. }) = &challenge {
            self.safe(net, &answer.uri, realm)?;
        }
        let mut state = self.state();
        state.challenge = challenge;
        state.welcomes = answer.status != 401;
        Ok(())
    }

    /// Whether what the registry wants at its door is known.
    pub(super) fn door(&self, net: &Net) -> Result<Door> {
        let mut state = self.state();
        let known = match state.challenge {
            None => return Ok(Door::Open),
            Some(_) => self.credentials(&mut state, net, "")?.is_some(),
        };
        let basic = state.challenge == Some(Challenge::Basic);
        Ok(match known {
            true => Door::Known,
            false if files::below(&net.settings, &self.host)? => Door::Inside,
            // Tokens are given to strangers too.
            false if !basic || state.welcomes => Door::Open,
            false => Door::Shut,
        })
    }

    /// A registry reached by HTTPS must not have passwords sent elsewhere in the clear.
    fn safe(&self, net: &Net, registry: &Uri, realm: &Uri) -> Result<()> {
        let clear = realm.scheme_str() != Some("https") && registry.scheme_str() == Some("https");
        if clear && !net.access.insecure {
            let message = format!(
                "`{}` wants credentials sent without encryption to `{}`",
                self.host,
                url::shown(realm)
            );
            return Err(Error::new(ErrorKind::Unauthorized, message)
                .hint("`--insecure`, if that network can be trusted"));
        }
        Ok(())
    }

    fn credentials(
        &self,
        state: &mut State,
        net: &Net,
        repository: &str,
    ) -> Result<Option<Credentials>> {
        if let Some(known) = state.credentials.get(repository) {
            return Ok(known.clone());
        }
        let access = &net.access;
        let found = match (&access.username, &access.password) {
            (Some(user), Some(password))
                if access
                    .only_for
                    .as_ref()
                    .is_none_or(|only| *only == self.host) =>
            {
                Some(Credentials::Basic(user.clone(), password.clone()))
            }
            _ => files::find(&net.settings, &self.host, repository, &net.stop)?,
        };
        state
            .credentials
            .insert(repository.to_owned(), found.clone());
        Ok(found)
    }

    fn fetch(
        &self,
        net: &Net,
        realm: &Uri,
        service: &str,
        scopes: &BTreeSet<String>,
        credentials: Option<Credentials>,
    ) -> Result<Token> {
        let mut failures = 0;
        loop {
            let asked = Instant::now();
            let (seed, wait, failed) =
                match token_request(net, realm, service, scopes, credentials.as_ref()) {
                    Ok(mut answer) if answer.status == 200 => {
                        match answer.bytes(limits::MAX_ANSWER) {
                            Ok(body) => {
                                return token(&body, asked).ok_or_else(|| self.no_token(&answer));
                            }
                            Err(broken) if broken.cause == Cause::Passing => {
                                (url::shown(realm), None, broken.error)
                            }
                            Err(problem) => return Err(problem.error),
                        }
                    }
                    Ok(answer) => {
                        let wait = answer.retry_after();
                        let passes = retry::may_pass(answer.status);
                        let doing = format!("cannot get a token for `{}`", self.host);
                        let seed = url::shown(&answer.uri);
                        let error = refused(answer, &doing);
                        if !passes {
                            return Err(error);
                        }
                        (seed, wait, error)
                    }
                    Err(problem) if problem.cause == Cause::Passing => {
                        (url::shown(realm), None, problem.error)
                    }
                    Err(problem) => return Err(problem.error),
                };
            failures += 1;
            if !net.again(failures, wait, &seed)? {
                return Err(failed);
            }
        }
    }

    fn no_token(&self, answer: &Answer) -> Error {
        let message = format!(
            "cannot get a token for `{}`: `{}` answers without one",
            self.host,
            url::shown(&answer.uri)
        );
        Error::new(ErrorKind::Registry, message)
    }
}

fn token_request(
    net: &Net,
    realm: &Uri,
    service: &str,
    scopes: &BTreeSet<String>,
    credentials: Option<&Credentials>,
) -> Result<Answer, Problem> {
    let service = url::escaped(service);
    let broken = || {
        let error = Error::new(ErrorKind::Registry, "the address for tokens is none");
        Problem::lasting(error)
    };
    if let Some(Credentials::Identity(token)) = credentials {
        let joined: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let form = format!(
            "grant_type=refresh_token&service={service}&client_id=fusion&scope={}&refresh_token={}",
            url::escaped(&joined.join(" ")),
            url::escaped(token.expose()),
        );
        let mut ask = Ask::new(Method::POST, realm.clone());
        let form_type = "application/x-www-form-urlencoded".to_owned();
        ask.headers.push(("Content-Type", form_type));
        ask.payload = Payload::Bytes(form.as_bytes());
        return net.once(ask, None);
    }
    let mut query = format!("service={service}");
    if let Some(Credentials::Basic(user, _)) = credentials {
        query.push_str("&account=");
        query.push_str(&url::escaped(user));
    }
    for scope in scopes {
        query.push_str("&scope=");
        query.push_str(&url::escaped(scope));
    }
    let uri = url::with_query(realm, &query).ok_or_else(broken)?;
    let header = credentials.and_then(Credentials::basic);
    net.once(Ask::new(Method::GET, uri), header.as_ref())
}

/// The token in an answer, and how long it is good, counted from when it was asked for.
fn token(body: &[u8], asked: Instant) -> Option<Token> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let token = text("token").or_else(|| text("access_token"))?;
    let header_safe = token.bytes().all(|byte| byte.is_ascii_graphic());
    if !header_safe {
        return None;
    }
    let seconds = value.get("expires_in").and_then(Value::as_u64);
    let seconds = seconds.unwrap_or(60).min(24 * 3600);
    // A little less: the request has to get there.
    let margin = (seconds / 4).min(10);
    Some(Token {
        header: Secret::new(format!("Bearer {token}")),
        good_until: asked + Duration::from_secs(seconds - margin),
    })
}
