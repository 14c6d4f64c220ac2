//! What would be forgotten: zot 2 knows a manifest or index by the tag that it came under, and no
//! more once that tag leads to something else, be it to an index over that very manifest.
//!
//! So it gets another tag while the first one moves. That one is deleted then, not moved: of what
//! loses its last tag by deletion, zot since 2.1.2 keeps the digest.

use serde::Deserialize;
use serde::de::IgnoredAny;
use ureq::http::Method;

use super::Notice;
use super::auth::Scope;
use super::host::{Call, Host, Target};
use super::repository::{Document, Repository};
use crate::error::{ErrorKind, Result};
use crate::limits;
use crate::oci::Digest;

/// Where zot lists its extensions, built with any or with none. No other registry is known to
/// answer there.
const EXTENSIONS: &str = "/v2/_oci/ext/discover";

/// What the tags end with that hold something: this, and a hash.
const MARK: &str = ".fusion-hold.";

/// How much of a hash tells one from all others.
const HASH: usize = 16;

/// The longest tag (distribution specification, "Pulling manifests").
const LONGEST: usize = 128;

/// A manifest or index that is held by a tag of its own, until [`Self::release`].
#[derive(Debug)]
#[must_use]
pub struct Hold {
    repository: Repository,
    tag: String,
    document: Document,
}

impl Repository {
    /// Holds `root`, to which `tag` leads, while that is led elsewhere: where this registry would
    /// forget it else.
    pub fn hold(&self, tag: &str, root: &Digest) -> Result<Option<Hold>> {
        if !self.registry().forgets()? {
            return Ok(None);
        }
        // Somebody else may have moved the tag.
        let Some(document) = self.manifest(&root.to_string())? else {
            return Ok(None);
        };
        let hold = Hold {
            repository: self.clone(),
            tag: place(tag, root),
            document,
        };
        self.put(&hold.tag, &hold.document.descriptor, &hold.document.bytes)?;
        Ok(Some(hold))
    }

    /// Releases what earlier runs held and were killed over, now that `tag` leads to `root`.
    ///
    /// What another run holds at this moment it loses too, which does no harm: the tag has moved
    /// away from that already, so that deleting its hold is what keeps it known by its digest.
    pub fn sweep(&self, tag: &str, root: &Digest) -> Result<()> {
        if !self.registry().forgets()? {
            return Ok(());
        }
        let prefix = prefix(tag);
        for held in self.tags()? {
            if !held.starts_with(&prefix) {
                continue;
            }
            let Some(document) = self.manifest(&held)? else {
                continue;
            };
            let digest = &document.descriptor.digest;
            // Whoever holds where the tag leads is about to move it. Of long tags several begin alike.
            if digest == root || place(tag, digest) != held {
                continue;
            }
            let hold = Hold {
                repository: self.clone(),
                tag: held,
                document,
            };
            hold.release()?;
        }
        Ok(())
    }
}

impl Hold {
    /// Deletes its tag. That one stays is told, and does no harm. What was held is known by its
    /// digest afterwards; zot before 2.1.2 forgets it, and gets it once more.
    pub fn release(self) -> Result<()> {
        let Self {
            repository,
            tag,
            document,
        } = self;
        match repository.delete(&tag) {
            Ok(_) => {
                let descriptor = &document.descriptor;
                let digest = descriptor.digest.to_string();
                match repository.head(&digest)? {
                    Some(_) => Ok(()),
                    None => repository.put(&digest, descriptor, &document.bytes),
                }
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
            Err(error) => {
                let message = format!(
                    "the tag `{}:{tag}` stays, which held what another tag led to while that \
                     moved: {error}; delete it as you like",
                    repository.full()
                );
                tracing::warn!("{message}");
                repository.registry().net().notice(Notice {
                    code: "hold-tag",
                    host: repository.host().to_owned(),
                    message,
                });
                Ok(())
            }
        }
    }
}

impl Host {
    /// Whether it is one that forgets manifests: a zot.
    fn forgets(&self) -> Result<bool> {
        self.forgetful(|| {
            let target = Target::Path(EXTENSIONS.to_owned());
            // No answer at all says nothing; whoever may not ask is at no zot.
            let answer = self.call(&Call::new(Method::GET, target, &Scope::default()));
            let refusals = [
                ErrorKind::Unauthorized,
                ErrorKind::Denied,
                ErrorKind::Registry,
            ];
            let mut answer = match answer {
                Err(error) if refusals.contains(&error.kind()) => return Ok(false),
                answer => answer?,
            };
            let body = answer.bytes(limits::MAX_REFUSAL);
            Ok(answer.status == 200 && body.is_ok_and(|body| lists_extensions(&body)))
        })
    }
}

fn lists_extensions(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct List {
        #[serde(rename = "extensions")]
        _extensions: IgnoredAny,
    }
    serde_json::from_slice::<List>(body).is_ok()
}

/// Whether `tag` is one that holds something, or did when a run was killed.
pub(crate) fn is_hold(tag: &str) -> bool {
    tag.contains(MARK)
}

/// The tag that holds `root` while `tag` moves away from it: another one for each such move, since
/// the end of one is not to be the end of another.
fn place(tag: &str, root: &Digest) -> String {
    let digest = Digest::of(format!("{tag}@{root}").as_bytes()).hex();
    format!("{}{}", prefix(tag), &digest[..HASH])
}

/// What the tags begin with that hold something while `tag` moves.
fn prefix(tag: &str) -> String {
    let most = LONGEST - MARK.len() - HASH;
    // Tags are ASCII.
    let shown: String = tag.chars().take(most).collect();
    format!("{shown}{MARK}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tag_and_root_have_a_place_of_their_own() {
        let [one, other] = [Digest::of(b"one"), Digest::of(b"other")];
        let long = "x".repeat(LONGEST);
        let places = [
            place("1", &one),
            place("1", &other),
            place("2", &one),
            place(&long, &one),
            place(&long[1..], &one),
        ];
        for (at, place) in places.iter().enumerate() {
            assert!(place.len() <= LONGEST, "{place}");
            assert!(!places[..at].contains(place), "{place}");
            assert!(is_hold(place), "{place}");
        }
        assert!(places[0].starts_with("1.fusion-hold."), "{}", places[0]);
        assert!(!is_hold("1.5-fusion"));
    }

    #[test]
    fn a_list_of_extensions_is_told_from_other_answers() {
        let lists = ["{\"extensions\":[]}", "{\"extensions\":null}"];
        assert!(lists.iter().all(|list| lists_extensions(list.as_bytes())));
        let others = ["", "<html>", "{}", "[]", "{\"errors\":[]}"];
        assert!(!others.iter().any(|body| lists_extensions(body.as_bytes())));
    }
}
