//! What zot 2 does with manifests, in front of an open registry that keeps the blobs: Go's module
//! proxy does not have zot 2, so this follows what its source does (`PutImageManifest`,
//! `DeleteImageManifest`, `PruneImageManifestsFromIndex`).
//!
//! It has one list of entries, each a digest with a tag or without, and knows no manifest that has
//! none: not even one that an index of its own leads to.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::exchange::{Answer, Exchange, Tamper};
use super::serve::{Next, Server, lock};
use crate::clients::process::sha256;

#[derive(Debug)]
pub(crate) struct Zot2 {
    server: Server,
}

#[derive(Debug)]
struct State {
    upstream: String,
    /// Since 2.1.2 a manifest whose last tag is deleted stays, without one.
    keeps: bool,
    repositories: Mutex<BTreeMap<String, Repository>>,
}

#[derive(Debug, Default)]
struct Repository {
    entries: Vec<Entry>,
    /// The bytes of all manifests that ever came, and their media types.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    digest: String,
    tag: Option<String>,
}

impl Entry {
    fn is(&self, reference: &str) -> bool {
        self.digest == reference || self.tag.as_deref() == Some(reference)
    }
}

impl Zot2 {
    /// In front of `upstream` (`HOST:PORT`, plain HTTP).
    pub(crate) fn start(upstream: &str) -> Self {
        Self::with(upstream, true)
    }

    /// One before 2.1.2, which forgets a manifest whose last tag is deleted.
    pub(crate) fn early(upstream: &str) -> Self {
        Self::with(upstream, false)
    }

    fn with(upstream: &str, keeps: bool) -> Self {
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            keeps,
            repositories: Mutex::default(),
        });
        let server = Server::start(move |exchange| state.request(exchange));
        Self { server }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.server.host()
    }
}

impl State {
    fn request(&self, exchange: &mut Exchange<'_>) -> io::Result<Next> {
        let (path, _) = exchange.target();
        if path == "/v2/_oci/ext/discover" {
            return exchange.answer(&Answer::json(200, &json!({"extensions": []})));
        }
        let Some(rest) = path.strip_prefix("/v2/") else {
            return exchange.forward(&self.upstream, Tamper::default());
        };
        if let Some(name) = rest.strip_suffix("/tags/list") {
            let answer = self.within(name, |repository| repository.tags(name));
            return exchange.answer(&answer);
        }
        let Some((name, reference)) = rest.split_once("/manifests/") else {
            return exchange.forward(&self.upstream, Tamper::default());
        };
        let method = exchange.method();
        let kind = exchange.request.get("content-type").unwrap_or_default();
        let kind = kind.to_owned();
        let body = exchange.body()?;
        let answer = self.within(name, |repository| match method.as_str() {
            "GET" | "HEAD" => repository.get(reference),
            "PUT" => repository.put(reference, kind, body),
            "DELETE" => repository.delete(reference, self.keeps),
            _ => Answer::error(405, "UNSUPPORTED", "not that"),
        });
        exchange.answer(&answer)
    }

    fn within(&self, name: &str, work: impl FnOnce(&mut Repository) -> Answer) -> Answer {
        work(lock(&self.repositories).entry(name.to_owned()).or_default())
    }
}

impl Repository {
    fn tags(&self, name: &str) -> Answer {
        let tags: Vec<_> = self.entries.iter().filter_map(|e| e.tag.clone()).collect();
        Answer::json(200, &json!({"name": name, "tags": tags}))
    }

    fn get(&self, reference: &str) -> Answer {
        let Some(entry) = self.entries.iter().find(|entry| entry.is(reference)) else {
            return Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        };
        let (kind, bytes) = &self.manifests[&entry.digest];
        Answer {
            body: bytes.clone(),
            ..Answer::new(200)
                .header("Content-Type", kind)
                .header("Docker-Content-Digest", &entry.digest)
        }
    }

    fn put(&mut self, reference: &str, kind: String, bytes: Vec<u8>) -> Answer {
        let digest = format!("sha256:{}", sha256(&bytes));
        self.manifests.insert(digest.clone(), (kind, bytes));
        let created = Answer::new(201).header("Docker-Content-Digest", &digest);
        let tag = (reference != digest).then(|| reference.to_owned());
        let known = match &tag {
            Some(_) => self
                .entries
                .iter()
                .any(|e| e.tag == tag && e.digest == digest),
            // Under whatever tag.
            None => self.entries.iter().any(|e| e.digest == digest),
        };
        if known {
            return created;
        }
        let new = Entry { digest, tag };
        if new.tag.is_some()
            && let Some(at) = self.entries.iter().position(|e| e.tag == new.tag)
        {
            let old = self.entries.remove(at);
            self.prune(&old.digest, &new.digest);
        }
        let untagged = Entry {
            tag: None,
            ..new.clone()
        };
        self.entries.retain(|entry| *entry != untagged);
        self.entries.push(new);
        created
    }

    fn delete(&mut self, reference: &str, keeps: bool) -> Answer {
        let gone: Vec<Entry> = (self.entries.iter().filter(|e| e.is(reference)).cloned()).collect();
        let Some(first) = gone.first() else {
            return Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        };
        let by_digest = first.digest == reference;
        if by_digest && gone.len() > 1 {
            return Answer::error(409, "MANIFEST_INVALID", "several tags lead to it");
        }
        let others = self.entries.iter().filter(|entry| !entry.is(reference));
        let mut others: Vec<Entry> = others.cloned().collect();
        if by_digest
            && others
                .iter()
                .any(|other| self.leads(&other.digest, reference))
        {
            return Answer::error(405, "DENIED", "an index leads to it");
        }
        if !by_digest && keeps && !others.iter().any(|other| other.digest == first.digest) {
            others.push(Entry {
                digest: first.digest.clone(),
                tag: None,
            });
        }
        self.entries = others;
        Answer::new(202)
    }

    /// Forgets what nobody but the index `old` leads to, once `new` stands in its place.
    fn prune(&mut self, old: &str, new: &str) {
        if self.children(new).is_none() {
            return;
        }
        let others: Vec<String> = self.entries.iter().map(|e| e.digest.clone()).collect();
        let stays = |digest: &str| {
            new == digest
                || self.leads(new, digest)
                || others.iter().any(|other| self.leads(other, digest))
        };
        let gone: Vec<String> = self.children(old).into_iter().flatten().collect();
        let gone: Vec<&String> = gone.iter().filter(|digest| !stays(digest)).collect();
        let keep = |entry: &Entry| entry.tag.is_some() || !gone.contains(&&entry.digest);
        let kept = self.entries.iter().filter(|entry| keep(entry)).cloned();
        self.entries = kept.collect();
    }

    /// What an index leads to.
    fn children(&self, digest: &str) -> Option<Vec<String>> {
        let (_, bytes) = self.manifests.get(digest)?;
        let document: Value = serde_json::from_slice(bytes).ok()?;
        let children = document["manifests"].as_array()?.iter();
        let digests = children.filter_map(|child| child["digest"].as_str());
        Some(digests.map(str::to_owned).collect())
    }

    fn leads(&self, index: &str, child: &str) -> bool {
        let children = self.children(index).unwrap_or_default();
        children.iter().any(|digest| digest == child)
    }
}
