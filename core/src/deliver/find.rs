//! What a registry calls the images of a package already, found out by looking: whoever put them
//! there wrote down nowhere how.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Names;
use super::target::Base;
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Reference;
use crate::registry::Client;

/// The ways to name images that are tried.
const WAYS: [Names; 3] = [Names::Path, Names::Last, Names::Origin];

/// How many images of one archive are looked for while more of the package comes by.
const SAMPLE: usize = 6;

/// How many times as many images one way has to explain as any other, to be the one.
const CLEARLY: usize = 4;

/// Finds out how images are named in a registry.
#[derive(Debug)]
pub(super) struct Finder {
    base: Base,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Repositories that were asked for.
    asked: BTreeSet<(usize, String)>,
    /// How many images are there in each way.
    hits: [usize; WAYS.len()],
    images: BTreeSet<String>,
}

impl Finder {
    pub(super) fn new(base: Base) -> Self {
        Self {
            base,
            seen: Mutex::default(),
        }
    }

    /// The place that everything is below.
    pub(super) const fn base(&self) -> &Base {
        &self.base
    }

    /// Looks for some of `references`, to know more while others come by.
    pub(super) fn sample<'r>(
        &self,
        client: &Client,
        references: impl Iterator<Item = &'r Reference>,
    ) -> Result<()> {
        self.look(client, references.take(SAMPLE))
    }

    /// Looks for all of `references`, in each way.
    pub(super) fn look<'r>(
        &self,
        client: &Client,
        references: impl Iterator<Item = &'r Reference>,
    ) -> Result<()> {
        for reference in references {
            self.seen().images.insert(reference.to_string());
            for (at, way) in WAYS.into_iter().enumerate() {
                let Ok(target) = self.base.named(reference, way) else {
                    continue;
                };
                if !self.seen().asked.insert((at, target.repository.clone())) {
                    continue;
                }
                let repository = target.repository(client);
                // The tag may be a new one, of a repository that is there. What is refused is no
                // evidence; the push will say why.
                let there = match repository.head(target.under.text()) {
                    Ok(Some(_)) => Ok(true),
                    Ok(None) => repository.tags().map(|tags| !tags.is_empty()),
                    Err(error) => Err(error),
                };
                match there {
                    Ok(true) => self.seen().hits[at] += 1,
                    Ok(false) => {}
                    Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                    Err(error) => tracing::debug!("{target} tells nothing: {error}"),
                }
            }
        }
        Ok(())
    }

    /// What it looks like so far; by their path if there is nothing yet.
    pub(super) fn names(&self) -> Names {
        let hits = self.seen().hits;
        let best = best(&hits);
        match hits[best] {
            0 => Names::Path,
            _ => WAYS[best],
        }
    }

    /// What it is, said in words, or that nobody can tell.
    pub(super) fn settle(&self) -> Result<String> {
        let seen = self.seen();
        let hits = seen.hits;
        let best = best(&hits);
        let place = match self.base.prefix.as_str() {
            "" => self.base.host.clone(),
            prefix => format!("{}/{prefix}", self.base.host),
        };
        if hits[best] == 0 {
            return Ok(format!(
                "`{place}` has none of these {} images yet: they are named as `--names path` says",
                seen.images.len()
            ));
        }
        let clear = (hits.iter().enumerate())
            .filter(|(at, _)| *at != best)
            .all(|(_, other)| other * CLEARLY <= hits[best]);
        let told = |at: usize| format!("{} as `--names {}` says", hits[at], WAYS[at]);
        if clear {
            return Ok(format!(
                "`{place}` has repositories of these images, {}: so are they named",
                told(best)
            ));
        }
        let ways = (0..WAYS.len()).filter(|at| hits[*at] > 0).map(told);
        let message = format!(
            "it is not clear what images are called at `{place}`: it has {}",
            ways.collect::<Vec<_>>().join(", ")
        );
        Err(Error::new(ErrorKind::Usage, message)
            .hint("say which it is: `--names path`, `last` or `origin`"))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first of the largest.
fn best(hits: &[usize]) -> usize {
    let largest = hits.iter().max();
    let at = hits.iter().position(|hit| Some(hit) == largest);
    at.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(hits: [usize; 3]) -> Finder {
        let finder = Finder::new(Base::parse("h.local/p").expect("a place"));
        finder.seen().hits = hits;
        finder
    }

    #[test]
    fn what_most_are_called_is_it_and_a_draw_is_none() {
        assert_eq!(seen([0, 0, 0]).names(), Names::Path);
        assert!(seen([0, 0, 0]).settle().is_ok());
        let last = seen([1, 9, 0]);
        assert_eq!(last.names(), Names::Last);
        assert!(last.settle().expect("clear").contains("--names last"));
        let error = seen([3, 5, 0]).settle().expect_err("not clear");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains("3 as `--names path`"), "{error}");
    }
}
