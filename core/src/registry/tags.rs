//! Listing tags, page by page.

use std::collections::BTreeSet;

use serde_json::Value;
use ureq::http::{Method, Uri};

use super::host::{Call, Target};
use super::net::Answer;
use super::refusal::refused;
use super::repository::Repository;
use super::url;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// How many tags are asked for at a time. Registries may give fewer.
const PAGE: usize = 1000;

/// All tags of a repository, sorted.
pub(super) fn list(repository: &Repository) -> Result<Vec<String>> {
    let doing = format!("cannot list the tags of `{}`", repository.full());
    let wrong = |why: &str| Error::new(ErrorKind::Registry, format!("{doing}: {why}"));
    let mut tags = BTreeSet::new();
    let mut target = repository.path(&format!("tags/list?n={PAGE}"));
    loop {
        let call = Call::new(Method::GET, target, &repository.scope("pull"));
        let mut answer = repository.registry().call(&call)?;
        match answer.status {
            200 => {}
            404 => {
                answer.discard();
                break;
            }
            _ => return Err(refused(answer, &doing)),
        }
        let body = answer.bytes(limits::MAX_ANSWER).map_err(|p| p.error)?;
        let page = page(&body).ok_or_else(|| wrong("the answer is no list of tags"))?;
        let (full, last) = (page.len() >= PAGE, page.last().cloned());
        let before = tags.len();
        tags.extend(page);
        if tags.len() > limits::MAX_TAGS {
            return Err(wrong("there are more than can be"));
        }
        let next = next(&answer).ok_or_else(|| wrong("the next page is on another server"))?;
        let fresh = tags.len() > before;
        target = match (next, last) {
            // A page with nothing new would lead on for ever.
            (_, _) if !fresh => break,
            (Some(next), _) => Target::Given(next),
            // A full page without a link: some forget it.
            (None, Some(last)) if full => {
                let last = url::escaped(&last);
                repository.path(&format!("tags/list?n={PAGE}&last={last}"))
            }
            (None, _) => break,
        };
    }
    Ok(tags.into_iter().collect())
}

/// The tags of one page; `null` is none.
fn page(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    match value.get("tags") {
        None => None,
        Some(Value::Null) => Some(Vec::new()),
        Some(tags) => {
            let tags = tags.as_array()?.iter();
            tags.map(|tag| tag.as_str().map(str::to_owned)).collect()
        }
    }
}

/// Where the header `Link` (RFC 8288) says that the next page is; `None` if that is elsewhere.
#[expect(
    clippy::option_option,
    reason = "no link, a link, a link that leads away"
)]
fn next(answer: &Answer) -> Option<Option<Uri>> {
    let Some(link) = answer.header("Link") else {
        return Some(None);
    };
    let listed = link.split(',').find(|one| {
        let spaceless: String = one.chars().filter(|c| !c.is_whitespace()).collect();
        spaceless.contains("rel=\"next\"") || spaceless.contains("rel=next")
    });
    let Some(listed) = listed else {
        return Some(None);
    };
    let (start, end) = (listed.find('<')?, listed.find('>')?);
    let next = url::continued(&answer.uri, listed.get(start + 1..end)?)?;
    url::same_origin(&answer.uri, &next).then_some(Some(next))
}
