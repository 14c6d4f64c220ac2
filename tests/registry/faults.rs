//! What goes wrong, when, and with which requests: the rules of a proxy.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::exchange::Answer;
use super::serve::Next;
use super::words::fits;

/// Which of the requests that a rule is about it strikes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Always,
    /// The nth alone, from 1.
    Nth(u64),
    /// The first so many.
    First(u64),
    /// All but the first so many.
    After(u64),
    /// Every so many, from that one on.
    Every(u64),
    /// So many of a hundred, by chance that the seed decides.
    Percent(u64),
}

/// Where a request waits until somebody lets it go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Barrier(Arc<(Mutex<Passing>, Condvar)>);

#[derive(Debug, Default)]
struct Passing {
    waits: bool,
    open: bool,
}

impl Barrier {
    /// Far longer than anything takes here: a test that hangs says so.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Returns once a request waits here.
    pub(crate) fn reached(&self) {
        self.until(|passing| passing.waits);
    }

    /// Lets it go on, and all others from now on.
    pub(crate) fn open(&self) {
        self.change(|passing| passing.open = true);
    }

    pub(super) fn pass(&self) {
        self.change(|passing| passing.waits = true);
        self.until(|passing| passing.open);
    }

    fn lock(&self) -> MutexGuard<'_, Passing> {
        self.0.0.lock().expect("nobody panics meanwhile")
    }

    fn change(&self, how: impl FnOnce(&mut Passing)) {
        how(&mut self.lock());
        self.0.1.notify_all();
    }

    fn until(&self, what: impl Fn(&Passing) -> bool) {
        let (_guard, waited) = (self.0.1)
            .wait_timeout_while(self.lock(), Self::PATIENCE, |passing| !what(passing))
            .expect("nobody panics meanwhile");
        assert!(!waited.timed_out(), "nobody comes");
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection breaks before the registry hears of the request.
    Drop,
    /// The registry has done it, but the answer never comes.
    Swallow,
    /// The connection breaks after so many bytes of the request's body.
    CutRequest(u64),
    /// The connection breaks after so many bytes of the answer's body.
    CutAnswer(u64),
    /// The answer ends after so many bytes of its body as if that were all.
    Truncate(u64),
    /// It takes longer.
    Delay(Duration),
    /// It takes until somebody says so.
    Wait(Barrier),
    /// Somebody in between answers instead.
    Answer(Answer),
    /// Tokens given out so far are not worth anything any more, from this request on.
    Expire,
}

impl Fault {
    /// 429, with `Retry-After` in seconds.
    pub(crate) fn too_many(retry_after: u64) -> Self {
        let answer = Answer::error(429, "TOOMANYREQUESTS", "slow down");
        Self::Answer(answer.header("Retry-After", retry_after.to_string()))
    }

    /// A 500, 502 or 503 with a page as a reverse proxy writes them.
    pub(crate) fn page(status: u16) -> Self {
        let page = format!("<html><head><title>{status}</title></head><body>nginx</body></html>\n");
        Self::Answer(Answer::text(status, &page).header("Server", "nginx"))
    }

    /// How the client's connection ends, where the answer is cut.
    pub(crate) fn cut(&self) -> Option<(u64, Next)> {
        match self {
            Self::CutAnswer(bytes) => Some((*bytes, Next::Reset)),
            Self::Truncate(bytes) => Some((*bytes, Next::Close)),
            _ => None,
        }
    }
}

/// One rule. The first that is about a request and strikes decides; each counts for itself.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    method: &'static str,
    path: String,
    when: When,
    fault: Fault,
    kind: String,
    met: u64,
    dice: u64,
}

impl Rule {
    /// `method` and `path` (without query) may have `*` for anything.
    pub(crate) fn new(method: &'static str, path: &str, when: When, fault: Fault) -> Self {
        Self {
            method,
            path: path.to_owned(),
            when,
            fault,
            kind: "*".to_owned(),
            met: 0,
            dice: 1,
        }
    }

    /// Only requests whose body is of this media type, which may have `*` too.
    pub(crate) fn of(mut self, kind: &str) -> Self {
        kind.clone_into(&mut self.kind);
        self
    }

    /// Another seed for [`When::Percent`].
    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.dice = seed;
        self
    }

    /// What this rule does to a request, which it counts.
    pub(crate) fn strikes(&mut self, method: &str, path: &str, kind: &str) -> Option<Fault> {
        if !fits(self.method, method) || !fits(&self.path, path) || !fits(&self.kind, kind) {
            return None;
        }
        self.met += 1;
        let strikes = match self.when {
            When::Always => true,
            When::Nth(nth) => self.met == nth,
            When::First(count) => self.met <= count,
            When::After(count) => self.met > count,
            When::Every(step) => self.met.is_multiple_of(step),
            When::Percent(percent) => self.throw() % 100 < percent,
        };
        strikes.then(|| self.fault.clone())
    }

    /// SplitMix64: small, and the same on every machine.
    fn throw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[test]
fn a_rule_strikes_the_requests_that_it_says() {
    let struck = |when| {
        let mut rule = Rule::new("PUT", "/v2/*/manifests/*", when, Fault::Drop);
        assert!(rule.strikes("GET", "/v2/a/manifests/1", "").is_none());
        assert!(rule.strikes("PUT", "/v2/a/blobs/uploads/1", "").is_none());
        let all = (1..=6).filter(|_| rule.strikes("PUT", "/v2/a/manifests/1", "").is_some());
        all.collect::<Vec<u32>>()
    };
    assert_eq!(struck(When::Always), [1, 2, 3, 4, 5, 6]);
    assert_eq!(struck(When::Nth(2)), [2]);
    assert_eq!(struck(When::First(2)), [1, 2]);
    assert_eq!(struck(When::After(4)), [5, 6]);
    assert_eq!(struck(When::Every(3)), [3, 6]);
    let by_chance = |seed| {
        let mut rule = Rule::new("*", "*", When::Percent(30), Fault::Drop).seed(seed);
        (0..1000)
            .map(|_| rule.strikes("GET", "/", "").is_some())
            .collect::<Vec<_>>()
    };
    let count = by_chance(7).iter().filter(|struck| **struck).count();
    assert!((250..350).contains(&count), "{count} of 1000");
    assert_eq!(by_chance(7), by_chance(7));
    assert_ne!(by_chance(7), by_chance(8));
}
