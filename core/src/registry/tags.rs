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

/// How many pages with nothing new may follow one another.
const IDLE: usize = 100;

/// All tags of a repository, sorted.
pub(super) fn list(repository: &Repository) -> Result<Vec<String>> {
    let doing = format!("cannot list the tags of `{}`", repository.full());
    let wrong = |why: &str| Error::new(ErrorKind::Registry, format!("{doing}: {why}"));
    let mut tags = BTreeSet::new();
    let mut target = repository.path(&format!("tags/list?n={PAGE}"));
    let mut visited = BTreeSet::new();
    let mut idle = 0;
    loop {
        let call = Call::new(Method::GET, target, &repository.scope("pull"));
        let (answer, body) = repository.registry().read(&call, |mut answer| {
            let body = match answer.status {
                200 => answer.bytes(limits::MAX_ANSWER)?,
                _ => Vec::new(),
            };
            Ok((answer, body))
        })?;
        match answer.status {
            200 => {}
            404 => {
                answer.discard();
                break;
            }
            _ => return Err(refused(answer, &doing)),
        }
        let page = page(&body).ok_or_else(|| wrong("the answer is no list of tags"))?;
        let (full, last) = (page.len() >= PAGE, page.last().cloned());
        let before = tags.len();
        tags.extend(page);
        if tags.len() > limits::MAX_TAGS {
            return Err(wrong("there are more than can be"));
        }
        let next = next(&answer).ok_or_else(|| wrong("the next page is on another server"))?;
        let fresh = tags.len() > before;
        idle = if fresh { 0 } else { idle + 1 };
        if idle > IDLE {
            return Err(wrong("its pages lead on and on, with no tags in them"));
        }
        target = match (next, last) {
            (Some(next), _) if visited.insert(next.to_string()) => Target::Given(next),
            // In circles.
            (Some(_), _) => break,
            // A full page without a link: some forget it.
            (None, Some(last)) if full && fresh => {
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

/// The links of one header: the target of each, which may have commas in it, and what is said of it.
fn links(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value
        .split('<')
        .skip(1)
        .filter_map(|link| link.split_once('>'))
}

/// Where the header `Link` (RFC 8288) says that the next page is; `None` if that is elsewhere.
#[expect(
    clippy::option_option,
    reason = "no link, a link, a link that leads away"
)]
fn next(answer: &Answer) -> Option<Option<Uri>> {
    let values = answer.headers.get_all("Link").iter();
    let mut links = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(links);
    let Some((target, _)) = links.find(|(_, says)| {
        let spaceless: String = says.chars().filter(|c| !c.is_whitespace()).collect();
        spaceless.contains("rel=\"next\"") || spaceless.contains("rel=next")
    }) else {
        return Some(None);
    };
    let next = url::continued(&answer.uri, target)?;
    url::same_origin(&answer.uri, &next).then_some(Some(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_have_several_links_and_links_commas() {
        let found: Vec<_> =
            links(r#"</v2/x?a=1,2>; rel="first", </v2/x?b=3,4>; rel="next""#).collect();
        assert_eq!(found[0].0, "/v2/x?a=1,2");
        assert_eq!(found[1], ("/v2/x?b=3,4", r#"; rel="next""#));
        assert_eq!(links("nothing").count(), 0);
    }
}
