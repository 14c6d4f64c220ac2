//! OCI repositories: a chart is an artifact `PATH/NAME:VERSION` of a registry.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::artifact::{self, Artifact};
use super::explain::Remote;
use super::harbor::ensure;
use super::{MAX_PACKAGE, exists};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{Descriptor, Reference};
use crate::progress::{Progress, Stop};
use crate::registry::{Document, Harbor, Repository};
use crate::report::Warning;
use crate::store::{CHUNK, Expected, Memory, Transfer, mismatch};

/// The charts below a path of a registry.
#[derive(Debug)]
pub(crate) struct Artifacts {
    remote: Remote,
    stop: Stop,
    /// Which Harbor the registry is, once that is known.
    harbor: OnceLock<Option<Harbor>>,
    /// The project would be made, in a run that does nothing.
    imagined: AtomicBool,
}

/// A chart's place in a registry.
struct Spot {
    repository: Repository,
    tag: String,
    location: String,
}

impl Artifacts {
    pub(super) fn new(remote: Remote, stop: Stop) -> Self {
        Self {
            remote,
            stop,
            harbor: OnceLock::new(),
            imagined: AtomicBool::new(false),
        }
    }

    #[cfg(test)]
    pub(super) fn remote(&self) -> &Remote {
        &self.remote
    }

    pub(super) fn location(&self) -> String {
        let address = &self.remote.address;
        format!("oci://{}{}", address.host, address.path)
    }

    pub(super) fn location_of(&self, name: &str, version: &str) -> String {
        format!("{}/{name}:{}", self.location(), artifact::tag(version))
    }

    pub(super) fn check(&self, create: Option<bool>, dry_run: bool) -> Result<Vec<Warning>> {
        let host = self.remote.enter()?;
        let mut warnings = Vec::new();
        if let Some(harbor) = self.harbor()? {
            let project = self.project()?;
            let explained = |error| self.remote.explained(error);
            let made = ensure(harbor, project, create, dry_run).map_err(explained)?;
            match made {
                Some(made) => {
                    self.imagined.store(dry_run, Ordering::Relaxed);
                    warnings.push(made.warning(&self.remote, dry_run));
                }
                None if harbor.may_push(project).map_err(explained)? == Some(false) => {
                    let message = format!(
                        "this user may not push to project `{project}` of `{}`",
                        host.name()
                    );
                    return Err(explained(Error::new(ErrorKind::Denied, message)));
                }
                None => {}
            }
        }
        warnings.extend(self.remote.warnings());
        Ok(warnings)
    }

    fn harbor(&self) -> Result<Option<&Harbor>> {
        if let Some(known) = self.harbor.get() {
            return Ok(known.as_ref());
        }
        let found = Harbor::detect(&self.remote.client.host(&self.remote.address.host))?;
        Ok(self.harbor.get_or_init(|| found).as_ref())
    }

    /// The project of Harbor that the charts are in.
    fn project(&self) -> Result<&str> {
        let address = &self.remote.address;
        let mut names = address.names();
        let wrong = |message: String, project: &str| {
            self.remote
                .misplaced(
                    message,
                    format!(
                        "`{}`: `{}`",
                        self.remote.url_key(),
                        address.at(&format!("/{project}"))
                    ),
                )
                .with_kind(ErrorKind::Usage)
        };
        match names.next() {
            None => Err(wrong(
                format!(
                    "`{}` is a Harbor, which keeps charts in projects",
                    address.host
                ),
                "PROJECT",
            )),
            // Left over from the kind HARBOR.
            Some("chartrepo") if address.names().count() == 2 => Err(wrong(
                format!("`{address}` is an address of the kind HARBOR, not OCI"),
                names.next().unwrap_or("PROJECT"),
            )),
            Some(project) => Ok(project),
        }
    }

    fn spot(&self, name: &str, version: &str) -> Result<Spot> {
        let location = self.location_of(name, version);
        let address = &self.remote.address;
        let full = location.trim_start_matches("oci://");
        // A registry would refuse such a name in fewer words.
        full.parse::<Reference>().map_err(|error| {
            let message = format!(
                "`{location}` cannot be a chart's place: {}",
                error.message()
            );
            Error::new(ErrorKind::Usage, message).hint(
                "registries take names in lower case only: publish this chart to a repository of \
                 another kind",
            )
        })?;
        let path = format!("{}/{name}", address.path);
        let path = path.trim_start_matches('/');
        Ok(Spot {
            repository: self.remote.client.repository(&address.host, path),
            tag: artifact::tag(version),
            location,
        })
    }

    /// `error` of a registry about `spot`, said as what it means.
    fn meant(&self, error: Error, spot: &Spot) -> Error {
        if error.get_status().is_none() {
            return self.remote.explained(error);
        }
        let told = (error.kind(), error.to_string());
        // A question that fails leaves the error as it was told.
        let explained = match self.harbor() {
            Ok(Some(harbor)) => harbor.explained(error, spot.repository.name()),
            _ => Ok(error),
        };
        let error = explained.unwrap_or_else(|_| Error::new(told.0, told.1));
        self.remote.explained(error)
    }

    /// What is under the tag: the manifest, and the chart's package.
    fn there(&self, spot: &Spot) -> Result<Option<(Document, Descriptor)>> {
        let found = (spot.repository.manifest(&spot.tag)).map_err(|e| self.meant(e, spot))?;
        let Some(document) = found else {
            return Ok(None);
        };
        match artifact::package(&document.bytes, &document.descriptor.media_type) {
            Some(package) => Ok(Some((document, package))),
            None => {
                let message = format!("`{}` is there, and is no chart", spot.location);
                Err(Error::new(ErrorKind::Conflict, message).hint(format!(
                    "charts and images share the names of a registry: let `{}` lead to another \
                     path or project",
                    self.remote.url_key()
                )))
            }
        }
    }

    pub(super) fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let spot = self.spot(name, version)?;
        if self.imagined.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some((_, package)) = self.there(&spot)? else {
            return Ok(None);
        };
        if package.size > MAX_PACKAGE {
            let message = format!("`{}` says it has {} bytes", spot.location, package.size);
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        let bytes = read(&spot.repository, &package).map_err(|e| self.meant(e, &spot))?;
        if !package.digest.matches(&bytes) {
            let mut hasher = package.digest.hasher();
            hasher.update(&bytes);
            let why = mismatch(&package.digest, &hasher.finish());
            let message = format!("cannot get `{}`: {}", spot.location, why.message());
            return Err(Error::new(ErrorKind::DigestMismatch, message)
                .digest(package.digest)
                .hint("the registry, or something on the way to it, changes what it serves"));
        }
        Ok(Some(bytes))
    }

    pub(super) fn publish(
        &self,
        name: &str,
        version: &str,
        package: &[u8],
        metadata: &Value,
        overwrite: bool,
    ) -> Result<()> {
        let spot = self.spot(name, version)?;
        if let Some((_, there)) = self.there(&spot)? {
            if artifact::is(&there, package) {
                return Ok(());
            }
            if !overwrite {
                return Err(exists(name, version, &self.location()));
            }
        }
        let artifact = Artifact::new(package, metadata);
        let mut memory = Memory::default();
        memory.insert(artifact.config.clone());
        memory.insert(package.to_vec());
        let progress = Progress::new(self.stop.clone());
        let mut transfer = Transfer::new(&progress);
        let mut send = || -> Result<()> {
            for blob in &artifact.blobs {
                let expected = Expected::of(blob);
                if !spot.repository.has(&expected)? {
                    (spot.repository).upload(&memory, &expected, &mut transfer, None)?;
                }
            }
            (spot.repository).put(&spot.tag, &artifact.descriptor, &artifact.manifest)
        };
        send().map_err(|error| {
            let old = matches!(error.get_status(), Some(400 | 404 | 415));
            let error = match error.get_code() {
                Some("MANIFEST_INVALID" | "UNSUPPORTED") if old => error.hint(
                    "the registry may be too old for charts: they need one that knows OCI's \
                     manifests (distribution 2.7, Harbor 2.0)",
                ),
                _ => error,
            };
            self.meant(error, &spot)
        })
    }
}

/// All bytes of a blob.
fn read(repository: &Repository, blob: &Descriptor) -> Result<Vec<u8>> {
    let mut reader = repository.reader(&blob.digest, blob.size)?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
