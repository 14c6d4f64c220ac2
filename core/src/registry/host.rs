//! One registry: what was learned of it, and how a request gets there and back.

mod door;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{Method, Uri};

use super::auth::{Auth, Door, Scope};
use super::gate::{Gate, Permit};
use super::net::{Answer, Ask, Net, Payload};
use super::problem::{Cause, Problem};
use super::refusal::refused;
use super::{retry, url};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// How many requests one registry gets at once. Blobs that are read count by themselves: whoever
/// reads one may wait for a place to send it.
const AT_ONCE: usize = 8;

/// How many redirects are followed.
const REDIRECTS: u32 = 5;

/// How often one request asks for other credentials: once because they ran out, and once more if
/// those that were kept for what the registry then wants did too.
const RENEWALS: u32 = 2;

/// One registry. Clones share what was learned of it.
#[derive(Debug, Clone)]
pub struct Host(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: String,
    net: Arc<Net>,
    auth: Auth,
    /// `https` or `http`, once it is known.
    scheme: Mutex<Option<&'static str>>,
    /// The one of them that may be used, where that was said.
    only: Option<&'static str>,
    /// Whether it forgets manifests, once somebody had to know.
    forgets: Mutex<Option<bool>>,
    requests: Gate,
    reads: Gate,
}

/// An answer of a registry's own API: the status, and a bounded body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// A request that may be repeated.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Where to: a path, or what a registry gave.
    pub(super) target: Target,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a [u8]>,
    pub(super) scope: Scope,
    /// Redirects are followed. Without `checked` none that gives up encryption is.
    pub(super) follow: bool,
    /// What comes back is compared with a digest.
    pub(super) checked: bool,
    pub(super) patience: Option<Duration>,
}

/// Where a request goes.
#[derive(Clone)]
pub(super) enum Target {
    Path(String),
    Given(Uri),
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, target: Target, scope: &Scope) -> Self {
        let reads = matches!(method, Method::GET | Method::HEAD);
        // Without a body these say that theirs is empty.
        let empty: Option<&'a [u8]> = match method {
            Method::POST | Method::PUT | Method::PATCH => Some(b""),
            _ => None,
        };
        Self {
            method,
            target,
            headers: Vec::new(),
            body: empty,
            scope: scope.clone(),
            follow: reads,
            checked: false,
            patience: None,
        }
    }
}

impl Host {
    /// A registry: how it is reached is found out, unless `only` says it.
    pub(super) fn new(name: &str, only: Option<&'static str>, net: Arc<Net>) -> Self {
        Self::with(Auth::new(name), None, only, net)
    }

    /// A service that is no registry, reached by `scheme`: nobody knocks there.
    pub(super) fn service(name: &str, scheme: &'static str, net: Arc<Net>) -> Self {
        Self::with(Auth::eager(name), Some(scheme), Some(scheme), net)
    }

    fn with(
        auth: Auth,
        scheme: Option<&'static str>,
        only: Option<&'static str>,
        net: Arc<Net>,
    ) -> Self {
        Self(Arc::new(Shared {
            name: auth.host().to_owned(),
            net,
            auth,
            scheme: Mutex::new(scheme),
            only,
            forgets: Mutex::default(),
            requests: Gate::new(AT_ONCE),
            reads: Gate::new(AT_ONCE),
        }))
    }

    /// The name it was asked for by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn net(&self) -> &Net {
        &self.0.net
    }

    /// Whether it forgets manifests: what `ask` says, which is called once.
    pub(super) fn forgetful(&self, ask: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let mut known = (self.0.forgets.lock()).unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = *known {
            return Ok(known);
        }
        let found = ask()?;
        *known = Some(found);
        Ok(found)
    }

    /// A place among those who read blobs.
    pub(super) fn reading(&self) -> Result<Permit> {
        self.0.reads.enter(&self.net().stop)
    }

    /// Reaches the registry, settles whether it speaks HTTPS, and tries the credentials.
    ///
    /// Credentials that are for single repositories are tried by
    /// [`Repository::check`](super::Repository::check).
    pub fn check(&self) -> Result<()> {
        self.scheme()?;
        match self.0.auth.door(self.net())? {
            Door::Known => self.enter(&Scope::default()),
            Door::Open | Door::Inside => Ok(()),
            Door::Shut => {
                let name = self.name();
                let message = format!("`{name}` wants a user and a password, and none are known");
                Err(Error::new(ErrorKind::Unauthorized, message)
                    .hint(format!(
                        "`--username` with `--password-stdin`, or `docker login {name}`"
                    ))
                    .status(401))
            }
        }
    }

    /// Asks at the door with what `scope` is about.
    pub(super) fn enter(&self, scope: &Scope) -> Result<()> {
        let answer = self.call(&Call::new(
            Method::GET,
            Target::Path("/v2/".to_owned()),
            scope,
        ))?;
        if answer.status == 401 {
            return Err(refused(
                answer,
                &format!("cannot log in to `{}`", self.name()),
            ));
        }
        answer.discard();
        Ok(())
    }

    /// Calls the registry's own API with the user's name and password that are for `repository`:
    /// `path` begins with a slash, `body` is JSON. Statuses are the caller's to judge.
    pub(crate) fn api(
        &self,
        repository: &str,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
    ) -> Result<Reply> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Error::new(ErrorKind::Internal, format!("`{method}` is no method")))?;
        let authorization = self.0.auth.basic(self.net(), repository)?;
        let target = Target::Path(path.to_owned());
        let mut call = Call::new(method, target, &Scope::default());
        call.headers.push(("Accept", "application/json".to_owned()));
        // Else a project named 12 would be the twelfth.
        call.headers.push(("X-Is-Resource-Name", "true".to_owned()));
        if let Some(body) = body {
            call.headers
                .push(("Content-Type", "application/json".to_owned()));
            call.body = Some(body);
        }
        call.follow = false;
        let uri = self.uri(&call.target)?;
        let mut answer = self.repeated(|| {
            self.net()
                .once(call.ask(uri.clone()), authorization.as_ref())
        })?;
        let body = answer.bytes(limits::MAX_ANSWER).map_err(|p| p.error)?;
        Ok(Reply {
            status: answer.status,
            body,
        })
    }

    /// One plain question, with no credentials, following nobody; asked once more where the answer may
    /// be another one. Nothing where no answer came.
    pub(crate) fn probe(&self, path: &str) -> Result<Option<Reply>> {
        let uri = self.uri(&Target::Path(path.to_owned()))?;
        let net = self.net();
        let ask = || {
            let answer = net.once(Ask::new(Method::GET, uri.clone()), None);
            answer.and_then(|mut answer| {
                let body = answer.bytes(limits::MAX_REFUSAL)?;
                Ok(Reply {
                    status: answer.status,
                    body,
                })
            })
        };
        let mut reply = ask();
        let passes = match &reply {
            Ok(reply) => retry::may_pass(reply.status),
            Err(problem) => problem.cause == Cause::Passing,
        };
        if passes && net.again(1, None, self.name())? {
            reply = ask();
        }
        match reply {
            Err(problem) if problem.cause == Cause::Stopped => Err(problem.error),
            reply => Ok(reply.ok()),
        }
    }

    /// Makes a request until it is answered with what does not pass by itself.
    pub(super) fn call(&self, call: &Call<'_>) -> Result<Answer> {
        let _permit = self.0.requests.enter(&self.net().stop)?;
        let start = self.uri(&call.target)?;
        let mut scope = call.scope.clone();
        self.repeated(|| self.redirected(call, &start, &mut scope))
    }

    /// Likewise, until `read` has come to the end of the answer.
    pub(super) fn read<T>(
        &self,
        call: &Call<'_>,
        mut read: impl FnMut(Answer) -> Result<T, Problem>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            match read(self.call(call)?) {
                Err(problem) if problem.cause == Cause::Passing => {
                    failures += 1;
                    if !self.net().again(failures, None, self.name())? {
                        return Err(problem.error);
                    }
                }
                read => return read.map_err(|problem| problem.error),
            }
        }
    }

    /// Makes a request once.
    pub(super) fn call_once(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let _permit = (self.0.requests.enter(&self.net().stop)).map_err(given_up)?;
        let start = self.uri(&call.target).map_err(given_up)?;
        self.redirected(call, &start, &mut call.scope.clone())
    }

    /// One request with credentials: once more with others, if the registry asks for them.
    fn redirected(
        &self,
        call: &Call<'_>,
        start: &Uri,
        scope: &mut Scope,
    ) -> Result<Answer, Problem> {
        let net = self.net();
        let own = self
            .uri(&Target::Path("/".to_owned()))
            .map_err(Problem::lasting)?;
        let mut uri = start.clone();
        let (mut hops, mut renewals) = (0, 0);
        loop {
            // Credentials are for the registry alone, not for whom it sends us to.
            let authorization = if url::same_origin(&uri, &own) {
                self.0.auth.header(net, scope).map_err(given_up)?
            } else {
                None
            };
            let answer = net.once(call.ask(uri.clone()), authorization.as_ref())?;
            if answer.status == 401 && renewals < RENEWALS && url::same_origin(&uri, &own) {
                renewals += 1;
                let auth = &self.0.auth;
                if auth
                    .refused(net, &answer, scope, authorization.as_ref())
                    .map_err(given_up)?
                {
                    answer.discard();
                    continue;
                }
            }
            if !answer.is_redirect() || !call.follow {
                return Ok(answer);
            }
            let lost = |why: &str| {
                let message = format!("`{}` redirects {why}", self.name());
                Problem::lasting(Error::new(ErrorKind::Registry, message).status(answer.status))
            };
            let next = answer
                .header("Location")
                .and_then(|location| url::join(&uri, location));
            let next = next.ok_or_else(|| lost("to nowhere"))?;
            let clear = uri.scheme_str() == Some("https") && next.scheme_str() != Some("https");
            if clear && !call.checked && !net.access.insecure {
                return Err(lost("to an address without encryption"));
            }
            hops += 1;
            if hops > REDIRECTS {
                return Err(lost("in circles"));
            }
            answer.discard();
            uri = next;
        }
    }

    /// Sends a body that cannot be sent again without its owner's help: one attempt. `scope` becomes
    /// what a refusal asks for.
    pub(super) fn stream(&self, mut ask: Ask<'_>, scope: &mut Scope) -> Result<Answer, Problem> {
        let net = self.net();
        let _permit = self.0.requests.enter(&net.stop).map_err(given_up)?;
        let own = self
            .uri(&Target::Path("/".to_owned()))
            .map_err(Problem::lasting)?;
        let mut authorization = None;
        if url::same_origin(&ask.uri, &own) {
            authorization = self.0.auth.header(net, scope).map_err(given_up)?;
        }
        ask.headers
            .push(("Content-Type", "application/octet-stream".to_owned()));
        let answer = net.once(ask, authorization.as_ref())?;
        if answer.status == 401 {
            // For the next attempt.
            let auth = &self.0.auth;
            auth.refused(net, &answer, scope, authorization.as_ref())
                .map_err(given_up)?;
        }
        Ok(answer)
    }

    fn repeated(&self, mut once: impl FnMut() -> Result<Answer, Problem>) -> Result<Answer> {
        let net = self.net();
        let mut failures = 0;
        loop {
            failures += 1;
            match once() {
                Ok(answer) if retry::may_pass(answer.status) => {
                    let seed = url::shown(&answer.uri);
                    if !net.again(failures, answer.retry_after(), &seed)? {
                        return Ok(answer);
                    }
                }
                Ok(answer) => return Ok(answer),
                Err(problem) if problem.cause == Cause::Passing => {
                    if !net.again(failures, None, self.name())? {
                        return Err(problem.error);
                    }
                }
                Err(problem) => return Err(problem.error),
            }
        }
    }

    /// The address of a target, once it is settled how the registry is reached.
    pub(super) fn uri(&self, target: &Target) -> Result<Uri> {
        match target {
            Target::Given(uri) => Ok(uri.clone()),
            Target::Path(path) => self.address(self.scheme()?, path),
        }
    }

    fn address(&self, scheme: &str, path: &str) -> Result<Uri> {
        let host = match self.name() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            name => name,
        };
        format!("{scheme}://{host}{path}").parse().map_err(|_| {
            let message = format!("`{}` is no name of a registry", self.name());
            Error::new(ErrorKind::Usage, message).hint("a registry is `host` or `host:port`")
        })
    }
}

impl<'a> Call<'a> {
    fn ask(&self, uri: Uri) -> Ask<'a> {
        Ask {
            method: self.method.clone(),
            uri,
            headers: self.headers.clone(),
            payload: self.body.map_or(Payload::None, Payload::Bytes),
            patience: self.patience,
        }
    }
}

/// An error that has been retried where that made sense.
fn given_up(error: Error) -> Problem {
    Problem::lasting(error)
}
