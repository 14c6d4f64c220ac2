//! One repository of a registry (distribution specification 1.1, "Endpoints").

use std::collections::BTreeSet;

use ureq::http::Method;

use super::auth::Scope;
use super::host::{Call, Host, Target};
use super::net::Answer;
use super::problem::Problem;
use super::read::Reading;
use super::refusal::refused;
use super::{tags, upload};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Descriptor, Digest, MediaType};
use crate::store::{BlobReader, BlobSource, Expected, Transfer, mismatch};

/// A manifest or index as a registry gave it, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the bytes are.
    pub descriptor: Descriptor,
    /// The exact bytes.
    pub bytes: Vec<u8>,
}

/// Remembers across runs where the upload of a blob got to.
pub trait Sessions: Sync {
    /// The address at which the upload of the blob goes on.
    fn get(&self, repository: &str, digest: &Digest) -> Option<String>;

    /// Remembers that address; `None`: there is nothing to go on with any more. It may let whoever
    /// knows it write: keep it from others' eyes.
    fn set(&self, repository: &str, digest: &Digest, location: Option<&str>);
}

/// One repository of a registry. Clones share what was learned of the registry.
#[derive(Debug, Clone)]
pub struct Repository {
    host: Host,
    name: String,
}

/// What manifests are taken.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.v1+prettyjws, */*";

/// The header that carries the digest of what is served.
const DIGEST: &str = "Docker-Content-Digest";

impl Repository {
    pub(super) fn new(host: Host, name: &str) -> Self {
        Self {
            host,
            name: name.to_owned(),
        }
    }

    /// The registry, as it was asked for.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.name()
    }

    /// The path in the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn registry(&self) -> &Host {
        &self.host
    }

    /// The repository as errors name it.
    pub(super) fn full(&self) -> String {
        format!("{}/{}", self.host.name(), self.name)
    }

    pub(super) fn path(&self, rest: &str) -> Target {
        Target::Path(format!("/v2/{}/{rest}", self.name))
    }

    pub(super) fn scope(&self, actions: &str) -> Scope {
        Scope {
            repository: self.name.clone(),
            wanted: BTreeSet::from([format!("repository:{}:{actions}", self.name)]),
        }
    }

    /// Reaches the registry, and tries the credentials that are known for this repository.
    pub fn check(&self) -> Result<()> {
        self.host.enter(&self.scope("pull,push"))
    }

    /// The manifest or index under a tag or digest, verified; `None` only if the registry says
    /// that there is none.
    pub fn manifest(&self, reference: &str) -> Result<Option<Document>> {
        let doing = format!("cannot get `{}` of `{}`", reference, self.full());
        let wanted: Option<Digest> = reference.parse().ok();
        let mut call = self.manifest_call(Method::GET, reference);
        call.checked = wanted.is_some();
        let read = self.host.read(&call, |answer| {
            let Some(mut answer) = found(answer, &doing).map_err(Problem::lasting)? else {
                return Ok(None);
            };
            let bytes = answer.bytes(limits::MAX_JSON)?;
            Ok(Some((answer, bytes)))
        })?;
        let Some((answer, bytes)) = read else {
            return Ok(None);
        };
        let served = answer.header(DIGEST).and_then(|text| text.parse().ok());
        let digest = wanted.or(served).unwrap_or_else(|| Digest::of(&bytes));
        if !digest.matches(&bytes) {
            let mut hasher = digest.hasher();
            hasher.update(&bytes);
            let error = mismatch(&digest, &hasher.finish());
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!("{doing}: {}", error.message()),
            )
            .digest(digest)
            .hint("the registry, or something on the way to it, changes what it serves"));
        }
        let media_type = media_type(&answer).unwrap_or_else(|| stated(&bytes));
        Ok(Some(Document {
            descriptor: Descriptor::new(media_type, digest, bytes.len() as u64),
            bytes,
        }))
    }

    /// What stands under a tag or digest, by the registry's word; `None` only if the registry says
    /// that there is nothing.
    pub fn head(&self, reference: &str) -> Result<Option<Descriptor>> {
        let doing = format!("cannot look up `{}` of `{}`", reference, self.full());
        let answer = self
            .host
            .call(&self.manifest_call(Method::HEAD, reference))?;
        let Some(answer) = found(answer, &doing)? else {
            return Ok(None);
        };
        let digest = answer.header(DIGEST).and_then(|text| text.parse().ok());
        match (media_type(&answer), digest, length(&answer)) {
            (Some(media_type), Some(digest), Some(size)) => {
                Ok(Some(Descriptor::new(media_type, digest, size)))
            }
            // Some leave that out.
            _ => Ok(self.manifest(reference)?.map(|found| found.descriptor)),
        }
    }

    fn manifest_call(&self, method: Method, reference: &str) -> Call<'static> {
        let target = self.path(&format!("manifests/{reference}"));
        let mut call = Call::new(method, target, &self.scope("pull"));
        call.headers.push(("Accept", ACCEPT.to_owned()));
        call
    }

    /// Whether the blob is there, of that size if the registry tells one; `false` for nothing else
    /// than its word that there is none.
    pub fn has(&self, blob: &Expected) -> Result<bool> {
        let doing = format!("cannot look up blob {} of `{}`", blob.digest, self.full());
        let target = self.path(&format!("blobs/{}", blob.digest));
        let mut call = Call::new(Method::HEAD, target, &self.scope("pull"));
        call.checked = true;
        let answer = found(self.host.call(&call)?, &doing)?;
        // A proxy that compresses what it passes on takes the length away.
        Ok(answer.is_some_and(|answer| length(&answer).is_none_or(|size| size == blob.size)))
    }

    /// Reads the blob, going on where a connection broke. What comes out is not verified.
    pub fn reader(&self, digest: &Digest, size: u64) -> Result<Box<dyn BlobReader + '_>> {
        Ok(Box::new(Reading::begin(self, *digest, size)?))
    }

    /// Takes the blob over from the repository `from` of the same registry; `false` if the
    /// registry wants it uploaded.
    pub fn mount(&self, digest: &Digest, from: &str) -> Result<bool> {
        let target = self.path(&format!("blobs/uploads/?mount={digest}&from={from}"));
        let mut scope = self.scope("pull,push");
        scope.wanted.insert(format!("repository:{from}:pull"));
        let answer = match self.host.call(&Call::new(Method::POST, target, &scope)) {
            // No token for two repositories at once: mounting only saves sending.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Unauthorized | ErrorKind::Denied | ErrorKind::Registry
                ) =>
            {
                tracing::debug!("{} is not mounted from {from}: {error}", digest);
                return Ok(false);
            }
            answer => answer?,
        };
        match answer.status {
            201 => {
                answer.discard();
                Ok(true)
            }
            // A session that nobody will use.
            202 => {
                upload::cancel(self, &answer);
                answer.discard();
                Ok(false)
            }
            // Mounting saves sending: a refusal is for the upload to report, if it is refused too.
            400..=499 => {
                answer.discard();
                Ok(false)
            }
            _ => {
                let doing = format!(
                    "cannot mount blob {digest} of `{from}` in `{}`",
                    self.full()
                );
                Err(refused(answer, &doing).digest(digest))
            }
        }
    }

    /// Uploads the blob, verified as [`Transfer::run`] does, and says how many bytes were sent.
    /// With `sessions` an upload that an earlier run began goes on where it stopped.
    pub fn upload(
        &self,
        source: &dyn BlobSource,
        blob: &Expected,
        transfer: &mut Transfer<'_>,
        sessions: Option<&dyn Sessions>,
    ) -> Result<u64> {
        upload::run(self, source, blob, transfer, sessions)
    }

    /// Puts a manifest or index under a tag or digest.
    pub fn put(&self, reference: &str, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        let doing = format!("cannot put `{}` in `{}`", reference, self.full());
        let target = self.path(&format!("manifests/{reference}"));
        let mut call = Call::new(Method::PUT, target, &self.scope("pull,push"));
        let media_type = descriptor.media_type.as_str().to_owned();
        call.headers.push(("Content-Type", media_type));
        call.body = Some(bytes);
        let mut failures = 0;
        let answer = loop {
            let answer = self.host.call(&call)?;
            if (200..=204).contains(&answer.status) {
                break answer;
            }
            let error = refused(answer, &doing).digest(descriptor.digest);
            failures += 1;
            if !misses_what_it_leads_to(&error)
                || !self.host.net().again(failures, None, reference)?
            {
                return Err(error);
            }
        };
        let stored: Option<Digest> = answer.header(DIGEST).and_then(|text| text.parse().ok());
        if let Some(stored) = stored
            && !stored.matches(bytes)
        {
            let message = format!("{doing}: the registry stored {stored} instead");
            return Err(Error::new(ErrorKind::Registry, message).digest(descriptor.digest));
        }
        answer.discard();
        Ok(())
    }

    /// All tags, sorted; a repository that does not exist has none.
    pub fn tags(&self) -> Result<Vec<String>> {
        tags::list(self)
    }

    /// Deletes a tag or manifest; `false` if there was none.
    pub fn delete(&self, reference: &str) -> Result<bool> {
        let doing = format!("cannot delete `{}` of `{}`", reference, self.full());
        let target = self.path(&format!("manifests/{reference}"));
        let scope = self.scope("delete,pull,push");
        let answer = self.host.call(&Call::new(Method::DELETE, target, &scope))?;
        match answer.status {
            200..=204 => {
                answer.discard();
                Ok(true)
            }
            404 => Ok(false),
            _ => Err(refused(answer, &doing)),
        }
    }
}

/// The answer, if there is something; only a plain 404 says that there is not.
pub(super) fn found(answer: Answer, doing: &str) -> Result<Option<Answer>> {
    match answer.status {
        200 => Ok(Some(answer)),
        404 => {
            answer.discard();
            Ok(None)
        }
        _ => Err(refused(answer, doing)),
    }
}

fn length(answer: &Answer) -> Option<u64> {
    answer.header("Content-Length")?.trim().parse().ok()
}

/// The type that the registry states, unless it says nothing about it.
fn media_type(answer: &Answer) -> Option<MediaType> {
    let stated = answer.header("Content-Type")?.split(';').next()?.trim();
    match stated {
        "" | "application/json" | "text/plain" | "application/octet-stream" => None,
        stated => Some(MediaType::new(stated)),
    }
}

/// The type that a document states of itself.
fn stated(bytes: &[u8]) -> MediaType {
    let value: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let own = value.as_ref().and_then(|value| value.get("mediaType"));
    match own.and_then(serde_json::Value::as_str) {
        Some(own) => MediaType::new(own),
        None if value
            .as_ref()
            .is_some_and(|value| value.get("manifests").is_some()) =>
        {
            MediaType::OCI_INDEX
        }
        None => MediaType::OCI_MANIFEST,
    }
}

/// Whether a registry refused a manifest because it does not see what that leads to. While somebody
/// else puts the same child, distribution does not see it for a moment, though it was there.
fn misses_what_it_leads_to(error: &Error) -> bool {
    let code = error.get_code().unwrap_or_default();
    let known = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "DIGEST_INVALID"];
    matches!(error.get_status(), Some(400 | 404)) && known.contains(&code)
}
