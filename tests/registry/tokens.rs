//! Bearer tokens as a registry's token server gives them out: opaque, for some repositories and
//! actions, for some time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::serve::lock;
use super::words::values;

/// Actions by repository.
pub(crate) type Access = BTreeMap<String, BTreeSet<String>>;

/// What `repository:NAME:pull,push` asks for, of all `scope`s in a query or form; each may hold
/// several, with spaces between.
pub(crate) fn asked(query: &str) -> Access {
    let mut access = Access::new();
    let scopes = values(query, "scope");
    for scope in scopes.iter().flat_map(|scopes| scopes.split(' ')) {
        let named = scope.strip_prefix("repository:");
        if let Some((name, actions)) = named.and_then(|rest| rest.rsplit_once(':')) {
            let entry = access.entry(name.to_owned()).or_default();
            entry.extend(actions.split(',').map(str::to_owned));
        }
    }
    access
}

/// The access that a request to `/v2/…` needs.
pub(crate) fn needed(method: &str, path: &str, query: &str) -> Access {
    let mut access = Access::new();
    let Some(name) = repository(path) else {
        return access;
    };
    let actions: &[&str] = match method {
        "GET" | "HEAD" => &["pull"],
        "DELETE" if !path.contains("/blobs/uploads/") => &["delete"],
        _ => &["pull", "push"],
    };
    access.insert(
        name.to_owned(),
        actions.iter().map(|a| (*a).to_owned()).collect(),
    );
    // Who mounts has to be able to read where from.
    for from in values(query, "from") {
        access.entry(from).or_default().insert("pull".to_owned());
    }
    access
}

/// The repository that a path below `/v2/` is about.
pub(crate) fn repository(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v2/")?;
    let parts = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];
    let ends = parts.iter().filter_map(|part| rest.rfind(part));
    ends.max().map(|end| &rest[..end])
}

/// `repository:a:pull,push repository:b:pull`, as challenges say it.
pub(crate) fn scopes(access: &Access) -> String {
    let one = |(name, actions): (&String, &BTreeSet<String>)| {
        let actions: Vec<_> = actions.iter().map(String::as_str).collect();
        format!("repository:{name}:{}", actions.join(","))
    };
    access.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Whether `granted` has all that is `needed`.
pub(crate) fn covers(granted: &Access, needed: &Access) -> bool {
    needed.iter().all(|(name, actions)| {
        let known = granted.get(name);
        known.is_some_and(|known| actions.is_subset(known))
    })
}

/// The tokens that were given out.
#[derive(Debug)]
pub(crate) struct Tokens {
    lifetime: Duration,
    issued: Mutex<BTreeMap<String, (Access, Instant)>>,
    count: Mutex<u64>,
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            issued: Mutex::default(),
            count: Mutex::default(),
        }
    }

    /// Gives a token out; the document that says so.
    pub(crate) fn issue(&self, access: Access) -> Value {
        let mut count = lock(&self.count);
        *count += 1;
        // Easy to find wherever it must not be: logs, errors, reports.
        let token = format!("test-token-{count}");
        lock(&self.issued).insert(token.clone(), (access, Instant::now()));
        json!({"token": token, "access_token": token, "expires_in": self.lifetime.as_secs()})
    }

    /// What a token that is still good is good for.
    pub(crate) fn grant(&self, token: &str) -> Option<Access> {
        let issued = lock(&self.issued);
        let (access, since) = issued.get(token)?;
        (since.elapsed() < self.lifetime).then(|| access.clone())
    }

    /// None is good any more.
    pub(crate) fn expire(&self) {
        lock(&self.issued).clear();
    }

    /// How many were given out.
    pub(crate) fn count(&self) -> u64 {
        *lock(&self.count)
    }
}

#[test]
fn scopes_are_asked_for_and_needed_as_the_specification_says() {
    let query = "service=x&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository:c:pull";
    let access = asked(query);
    assert_eq!(
        scopes(&access),
        "repository:a/b:pull,push repository:c:pull"
    );
    assert_eq!(
        access,
        needed("POST", "/v2/a/b/blobs/uploads/", "mount=sha256%3Aaa&from=c")
    );
    assert_eq!(
        scopes(&needed("HEAD", "/v2/a/manifests/b/manifests/1.0", "")),
        "repository:a/manifests/b:pull"
    );
    assert_eq!(
        scopes(&needed("DELETE", "/v2/a/manifests/1.0", "")),
        "repository:a:delete"
    );
    assert!(needed("GET", "/v2/", "").is_empty());
    assert!(covers(&access, &needed("GET", "/v2/c/tags/list", "")));
    assert!(!covers(&access, &needed("PUT", "/v2/c/manifests/1", "")));
}
