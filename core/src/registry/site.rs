//! A service on the web that is no registry and whose address its user gave: chart repositories.
//! The same credentials, repetitions and TLS as for registries, and no knocking at `/v2/`.

use ureq::http::{Method, Uri};

use super::auth::Scope;
use super::host::{Call, Host, Target};
use super::net::Answer;
use super::problem::{Cause, Problem};
use super::{refusal, url};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Hasher;

/// A service, by its host. Clones share what was learned of it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    host: Host,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// It is a page for people.
    pub(crate) html: bool,
    /// Where it sends us, fit to be shown.
    pub(crate) location: Option<String>,
}

impl Page {
    /// Whether a program's answer came, and a good one.
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status) && !self.html
    }
}

/// A form as browsers send it (RFC 7578), of files.
#[derive(Debug, Default)]
pub(crate) struct Form<'a> {
    files: Vec<(&'a str, &'a str, &'a [u8])>,
}

impl<'a> Form<'a> {
    /// Adds a file. Names are plain: letters, digits, `.`, `-`, `_`, `+`.
    pub(crate) fn file(mut self, field: &'a str, name: &'a str, bytes: &'a [u8]) -> Self {
        self.files.push((field, name, bytes));
        self
    }

    /// The type, which names what stands between the parts, and the bytes.
    fn finish(self) -> (String, Vec<u8>) {
        let mut hasher = Hasher::sha256();
        self.files.iter().for_each(|file| hasher.update(file.2));
        // No content holds its own digest: nobody can smuggle another part in.
        let digest = hasher.finish().hex();
        let boundary = format!("fusion-{}", &digest[..32]);
        let mut body = Vec::new();
        for (field, name, bytes) in self.files {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; \
                 filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }
}

impl Site {
    pub(super) fn new(host: Host) -> Self {
        Self { host }
    }

    /// The host, for questions of other kinds.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Gets what is at `path` here, of no more than `most` bytes; redirects are the caller's.
    pub(crate) fn get(&self, path: &str, most: u64) -> Result<Page> {
        let mut call = Call::new(
            Method::GET,
            Target::Path(path.to_owned()),
            &Scope::default(),
        );
        call.follow = false;
        self.read(&call, most)
    }

    /// Gets what `reference`, found in what is at `path`, leads to; other hosts see no password.
    pub(crate) fn fetch(&self, path: &str, reference: &str, most: u64) -> Result<Page> {
        let base = self.host.uri(&Target::Path(path.to_owned()))?;
        let lost = |why: &str| {
            let name = self.host.name();
            Error::new(
                ErrorKind::Registry,
                format!("`{name}` names an address {why}"),
            )
        };
        let clear =
            |uri: &Uri| base.scheme_str() == Some("https") && uri.scheme_str() != Some("https");
        // A service behind a proxy that ends TLS may name its own address with the wrong scheme.
        let uri = match url::join(&base, reference) {
            Some(uri) if clear(&uri) => url::continued(&base, reference),
            uri => uri,
        };
        let uri = uri.ok_or_else(|| lost("that is none"))?;
        if clear(&uri) && !self.host.net().access.insecure {
            return Err(lost("without encryption"));
        }
        self.read(
            &Call::new(Method::GET, Target::Given(uri), &Scope::default()),
            most,
        )
    }

    /// Sends a form to `path`, more than once where no answer comes.
    pub(crate) fn send(&self, path: &str, form: Form<'_>, most: u64) -> Result<Page> {
        let (kind, body) = form.finish();
        self.read(&posting(path, kind, &body), most)
    }

    /// Sends a form to `path` once, whatever comes of it; nothing where no answer came.
    pub(crate) fn try_send(&self, path: &str, form: Form<'_>, most: u64) -> Result<Option<Page>> {
        let (kind, body) = form.finish();
        let answer = self.host.call_once(&posting(path, kind, &body));
        match answer.and_then(|answer| page(answer, most)) {
            Ok(page) => Ok(Some(page)),
            Err(problem) if problem.cause == Cause::Passing => Ok(None),
            Err(problem) => Err(problem.error),
        }
    }

    /// The error of an answer that is no success: `doing` says what was asked, as `cannot put …`.
    pub(crate) fn refused(&self, page: &Page, doing: &str) -> Error {
        refusal::told(page.status, &page.body, doing, self.host.name())
    }

    /// An answer that is cut short is asked for again, like one that does not come: a form may
    /// have arrived before, which its sender has to reckon with.
    fn read(&self, call: &Call<'_>, most: u64) -> Result<Page> {
        self.host.read(call, |answer| page(answer, most))
    }
}

fn posting<'a>(path: &str, kind: String, body: &'a [u8]) -> Call<'a> {
    let target = Target::Path(path.to_owned());
    let mut call = Call::new(Method::POST, target, &Scope::default());
    call.headers.push(("Content-Type", kind));
    call.body = Some(body);
    call
}

fn page(mut answer: Answer, most: u64) -> Result<Page, Problem> {
    let body = answer.bytes(most)?;
    let stated = answer.header("Content-Type").unwrap_or_default();
    let html = stated.trim_start().starts_with("text/html") || body.trim_ascii().starts_with(b"<");
    let location = (answer.is_redirect())
        .then(|| url::join(&answer.uri, answer.header("Location")?))
        .flatten();
    Ok(Page {
        status: answer.status,
        body,
        html,
        location: location.as_ref().map(url::shown),
    })
}
