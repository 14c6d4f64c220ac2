//! A proxy in front of a registry: it counts, and spoils what its rules say. It may demand bearer
//! tokens, and is then their token server too, whatever the registry behind demands.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::exchange::{Answer, Exchange, Passed, Tamper};
use super::faults::{Fault, Rule};
use super::serve::{Next, Server, lock};
use super::token_auth::TokenAuth;
use super::words::fits;

/// How long a request may still be under way when somebody counts.
const MOMENT: Duration = Duration::from_secs(2);

/// One request that came to a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Of the answer; 0 where the client got none.
    pub(crate) status: u16,
    /// Bytes of the request's body that came.
    pub(crate) sent: u64,
    /// Bytes of the answer's body that went.
    pub(crate) received: u64,
    /// `Basic` or `Bearer`.
    pub(crate) scheme: Option<String>,
    /// Whether a rule struck.
    pub(crate) spoiled: bool,
}

#[derive(Debug)]
pub(crate) struct Proxy {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    upstream: String,
    rules: Mutex<Vec<Rule>>,
    tokens: Option<TokenAuth>,
    seen: Mutex<Vec<Seen>>,
    under_way: AtomicUsize,
}

impl Proxy {
    /// In front of `upstream` (`HOST:PORT`, plain HTTP).
    pub(crate) fn start(upstream: &str, rules: Vec<Rule>) -> Self {
        Self::with(upstream, rules, None)
    }

    /// Likewise, and nobody comes through without a token.
    pub(crate) fn demanding(upstream: &str, rules: Vec<Rule>, tokens: TokenAuth) -> Self {
        Self::with(upstream, rules, Some(tokens))
    }

    fn with(upstream: &str, rules: Vec<Rule>, tokens: Option<TokenAuth>) -> Self {
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            rules: Mutex::new(rules),
            tokens,
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
        });
        let keep = Arc::clone(&state);
        let server = Server::start(move |exchange| keep.request(exchange));
        Self { server, state }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.server.host()
    }

    /// Other rules from now on.
    pub(crate) fn rules(&self, rules: Vec<Rule>) {
        *lock(&self.state.rules) = rules;
    }

    /// All requests that have ended, in the order in which they did.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.settle();
        lock(&self.state.seen).clone()
    }

    /// Forgets them.
    pub(crate) fn forget(&self) {
        self.settle();
        lock(&self.state.seen).clear();
    }

    /// A client may have its answer before we have counted it, so those under way get a moment.
    fn settle(&self) {
        let start = Instant::now();
        while self.state.under_way.load(Ordering::SeqCst) > 0 && start.elapsed() < MOMENT {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Those with that method and path, in which `*` stands for anything.
    pub(crate) fn matching(&self, method: &str, path: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|one| fits(method, &one.method) && fits(path, &one.path));
        seen
    }

    /// How many bytes of request bodies came: what an upload has cost.
    pub(crate) fn sent(&self) -> u64 {
        self.seen().iter().map(|one| one.sent).sum()
    }

    /// How many requests were spoiled: a test of faults without any has tested nothing.
    pub(crate) fn spoiled(&self) -> usize {
        self.seen().iter().filter(|one| one.spoiled).count()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> u64 {
        self.server.connections()
    }

    /// How many tokens were given out.
    pub(crate) fn tokens(&self) -> u64 {
        self.state.tokens.as_ref().map_or(0, TokenAuth::count)
    }
}

impl State {
    fn request(&self, exchange: &mut Exchange<'_>) -> io::Result<Next> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let next = self.counted(exchange);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        next
    }

    fn counted(&self, exchange: &mut Exchange<'_>) -> io::Result<Next> {
        let (method, (path, query)) = (exchange.method(), exchange.target());
        let authorization = exchange.request.get("authorization");
        let scheme = authorization.and_then(|value| value.split(' ').next());
        let scheme = scheme.map(str::to_owned);
        let kind = exchange.request.get("content-type").unwrap_or_default();
        let kind = kind.to_owned();
        let fault = {
            let mut rules = lock(&self.rules);
            // All of them count, whichever strikes.
            let faults: Vec<_> = rules
                .iter_mut()
                .filter_map(|rule| rule.strikes(&method, &path, &kind))
                .collect();
            faults.into_iter().next()
        };
        let next = self.spoil(exchange, fault.as_ref());
        let Passed {
            status,
            sent,
            received,
        } = exchange.passed;
        let silent = matches!(fault, Some(Fault::Swallow)) || status == 0;
        lock(&self.seen).push(Seen {
            method,
            path,
            query,
            status: if silent { 0 } else { status },
            sent,
            received,
            scheme,
            spoiled: fault.is_some(),
        });
        next
    }

    fn spoil(&self, exchange: &mut Exchange<'_>, fault: Option<&Fault>) -> io::Result<Next> {
        let mut tamper = Tamper::default();
        match fault {
            None => {}
            Some(Fault::Drop) => return Ok(Next::Reset),
            Some(Fault::Answer(answer)) => return exchange.answer(answer),
            Some(Fault::Delay(time)) => thread::sleep(*time),
            Some(Fault::Wait(barrier)) => barrier.pass(),
            Some(Fault::Expire) => match &self.tokens {
                Some(tokens) => tokens.expire(),
                None => panic!("there are no tokens that could expire"),
            },
            Some(Fault::Swallow) => tamper.swallow = true,
            Some(Fault::CutRequest(bytes)) => tamper.request = Some(*bytes),
            Some(cut @ (Fault::CutAnswer(_) | Fault::Truncate(_))) => tamper.answer = cut.cut(),
        }
        if let Some(tokens) = &self.tokens {
            if let Some(answer) = tokens.refuse(exchange)? {
                return exchange.answer(&answer);
            }
            exchange.request.remove("authorization");
        }
        let next = exchange.forward(&self.upstream, tamper);
        match next {
            // Nothing has gone to the client yet, so it can be told.
            Err(e) if exchange.passed.status == 0 && exchange.passed.sent == 0 => {
                exchange.answer(&Answer::text(502, &format!("the registry behind: {e}\n")))
            }
            other => other,
        }
    }
}
