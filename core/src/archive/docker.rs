//! Docker archives: `manifest.json`, configurations and layers, as `docker save`, podman, skopeo
//! and go-containerregistry write them. Such an archive carries no image manifests, so one is made
//! for each image.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{Name, Root};
use crate::compress::Inflater;
use crate::container::{Member, Members, stated_digest};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Compression, Config, Descriptor, Digest, MediaType, write};
use crate::progress::Progress;
use crate::store::{Hashing, Memory, advise, mismatch};
use crate::tar;

/// What a docker archive holds, once every blob has a digest.
#[derive(Debug, Default)]
pub(super) struct Images {
    pub(super) roots: Vec<Root>,
    /// Images that cannot be read, and why.
    pub(super) damaged: Vec<(Name, Error)>,
    /// Which member holds which blob.
    pub(super) blobs: HashMap<Digest, Member>,
    /// The manifests that were made.
    pub(super) manifests: Memory,
}

/// An entry of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub(super) config: String,
    pub(super) repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
    layer_sources: Option<BTreeMap<Digest, LayerSource>>,
}

/// Where a foreign layer comes from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayerSource {
    media_type: String,
    size: u64,
    digest: Digest,
    urls: Option<Vec<String>>,
}

/// Reads `manifest.json` below `prefix`.
pub(super) fn listing(members: &Members, prefix: &str) -> Result<Option<Vec<Entry>>> {
    let Some(member) = members.find(&format!("{prefix}manifest.json"))? else {
        return Ok(None);
    };
    let bytes = members.document(&member, limits::MAX_LISTING)?;
    parse(&bytes).map(Some).map_err(|error| {
        members.place(&member).blame(
            Error::new(
                ErrorKind::InvalidArchive,
                format!("not Docker's `manifest.json`: {error}"),
            )
            .source_error(error),
        )
    })
}

/// Whether `manifest.json`, which may be anybody's beside a layout, is a list as Docker's is.
pub(super) fn is_list(members: &Members, prefix: &str) -> Result<bool> {
    let Some(member) = members.find(&format!("{prefix}manifest.json"))? else {
        return Ok(false);
    };
    let bytes = members.document(&member, limits::MAX_LISTING)?;
    Ok(bytes.trim_ascii_start().first() == Some(&b'['))
}

fn parse(listing: &[u8]) -> serde_json::Result<Vec<Entry>> {
    // Go writes a list of nothing as `null`.
    let entries: Option<Vec<Entry>> = serde_json::from_slice(listing)?;
    Ok(entries.unwrap_or_default())
}

/// Whether the archive that `bytes` are has a `manifest.json` that lists nothing.
pub(super) fn lists_nothing(bytes: &[u8]) -> bool {
    let mut listing = None;
    let scanned = tar::scan(&bytes, &mut |entry| {
        if entry.name == "manifest.json" && entry.kind == tar::EntryKind::File {
            let range = usize::try_from(entry.offset).ok();
            let range = range.zip(usize::try_from(entry.offset.saturating_add(entry.size)).ok());
            listing = range.and_then(|(from, to)| bytes.get(from..to));
        }
        Ok(())
    });
    let entries = listing.and_then(|listing| parse(listing).ok());
    scanned.is_ok() && entries.is_some_and(|entries| entries.is_empty())
}

/// Whether the configurations that `entries` name are there, if only one of them.
pub(super) fn is_there(members: &Members, prefix: &str, entries: &[Entry]) -> bool {
    entries.iter().any(|entry| {
        let config = members.find(&format!("{prefix}{}", entry.config));
        config.is_ok_and(|config| config.is_some())
    })
}

/// Reads the images that `entries` list.
pub(super) fn read<'a>(
    members: &Members,
    prefix: &str,
    entries: impl IntoIterator<Item = &'a Entry>,
    progress: &Progress,
) -> Result<Images> {
    let mut reader = Reader {
        members,
        prefix,
        progress,
        images: Images::default(),
        hashed: HashMap::new(),
    };
    for entry in entries {
        progress.check()?;
        if let Err(error) = reader.image(entry) {
            // What is wrong with one image is said once that image is asked for.
            if error.kind().exit_status() != ErrorKind::InvalidArchive.exit_status() {
                return Err(error);
            }
            let tag = entry.repo_tags.iter().flatten().next();
            let name = tag.map_or(Name::None, |tag| Name::Full(tag.clone()));
            reader.images.damaged.push((name, advise(error)));
        }
    }
    Ok(reader.images)
}

struct Reader<'a> {
    members: &'a Members,
    prefix: &'a str,
    progress: &'a Progress,
    images: Images,
    /// Digest and diff ID of compressed layers that had to be hashed, by member.
    hashed: HashMap<String, (Digest, Digest)>,
}

impl Reader<'_> {
    fn image(&mut self, entry: &Entry) -> Result<()> {
        let (config, diff_ids) = self.config(&entry.config)?;
        let names = entry.layers.as_deref().unwrap_or_default();
        if names.len() != diff_ids.len() {
            let message = format!(
                "the image has {} layers, its configuration lists {}",
                names.len(),
                diff_ids.len()
            );
            return Err(self.invalid(&entry.config, message));
        }
        let sources = entry.layer_sources.as_ref();
        let mut layers = Vec::with_capacity(names.len());
        for (name, diff_id) in names.iter().zip(&diff_ids) {
            let source = sources.and_then(|sources| sources.get(diff_id));
            layers.push(self.layer(name, diff_id, source)?);
        }
        let media_type = MediaType::OCI_MANIFEST;
        let bytes = write::manifest(&media_type, &config, &layers);
        let descriptor = Descriptor::of(media_type, &bytes);
        self.images.manifests.insert(bytes);
        let tags = entry.repo_tags.as_deref().unwrap_or_default();
        if tags.is_empty() {
            self.images.roots.push(Root {
                name: Name::None,
                descriptor: descriptor.clone(),
            });
        }
        for tag in tags {
            let name = Name::Full(tag.clone());
            self.images.roots.push(Root {
                name,
                descriptor: descriptor.clone(),
            });
        }
        Ok(())
    }

    /// The configuration's descriptor, and the diff IDs that it lists.
    fn config(&mut self, name: &str) -> Result<(Descriptor, Vec<Digest>)> {
        let Some(member) = self.find(name)? else {
            return Err(self.missing(name, "configuration"));
        };
        let bytes = self.members.document(&member, limits::MAX_JSON)?;
        let found = Digest::of(&bytes);
        let blame = |error| self.members.place(&member).blame(error);
        if let Some(stated) = stated_digest(name)
            && stated != found
        {
            return Err(blame(mismatch(&stated, &found)));
        }
        let config = Config::parse(&bytes).map_err(blame)?;
        let descriptor = Descriptor::of(MediaType::OCI_CONFIG, &bytes);
        self.images.blobs.insert(found, member);
        Ok((descriptor, config.diff_ids))
    }

    fn layer(
        &mut self,
        name: &str,
        diff_id: &Digest,
        source: Option<&LayerSource>,
    ) -> Result<Descriptor> {
        let Some(member) = self.find(name)? else {
            return match source {
                Some(source) => Ok(foreign(source)),
                None => Err(self.missing(name, "layer")),
            };
        };
        let blame = |error| self.members.place(&member).blame(error);
        let compression = Compression::sniff(&self.members.head(&member, 4)?);
        let digest = match (stated_digest(name), compression) {
            (Some(stated), Compression::None) if stated != *diff_id => {
                return Err(blame(mismatch(diff_id, &stated)).hint(
                    "the layer's name and the image configuration disagree: save the image again",
                ));
            }
            (Some(stated), _) => stated,
            // An uncompressed layer's digest is its diff ID.
            (None, Compression::None) => *diff_id,
            (None, compression) => {
                let (digest, inflated) = self.hash(&member, compression).map_err(blame)?;
                if inflated != *diff_id {
                    return Err(blame(mismatch(diff_id, &inflated)));
                }
                digest
            }
        };
        let descriptor = Descriptor::new(MediaType::oci_layer(compression), digest, member.size);
        self.images.blobs.entry(digest).or_insert(member);
        Ok(descriptor)
    }

    /// Digest and diff ID of a compressed layer whose digest nothing states.
    fn hash(&mut self, member: &Member, compression: Compression) -> Result<(Digest, Digest)> {
        if let Some(streamed) = self.members.streamed(member) {
            return match (&streamed.diff_id, &streamed.digest) {
                (Some(Ok(diff_id)), Some(digest)) => Ok((*digest, *diff_id)),
                (Some(Err(why)), _) => Err(Error::new(ErrorKind::InvalidArchive, why.clone())),
                // It was taken apart: it looked like an image archive.
                _ => Err(Error::new(
                    ErrorKind::InvalidArchive,
                    "not a layer but an archive of images",
                )),
            };
        }
        if let Some(known) = self.hashed.get(&member.name) {
            return Ok(*known);
        }
        let mut hasher = Hashing::default();
        let mut layer = Inflater::new(compression, Hashing::default())?;
        let mut reader = self.members.open(member)?;
        let mut buffer = vec![0; crate::store::CHUNK];
        loop {
            self.progress.check()?;
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.0.update(&buffer[..count]);
            layer.push(&buffer[..count])?;
        }
        let known = (hasher.0.finish(), layer.finish()?.0.finish());
        self.hashed.insert(member.name.clone(), known);
        Ok(known)
    }

    fn find(&self, name: &str) -> Result<Option<Member>> {
        let name = name.strip_prefix("./").unwrap_or(name);
        if !tar::safe_name(name) {
            let message = format!("`{name}` leads out of the archive");
            return Err(self
                .invalid("manifest.json", message)
                .hint("whatever wrote it is broken or means harm: save the image again"));
        }
        self.members.find(&format!("{}{name}", self.prefix))
    }

    fn missing(&self, name: &str, what: &str) -> Error {
        self.invalid(name, format!("the {what} is missing"))
            .hint("the archive is incomplete: copy or save it again")
    }

    fn invalid(&self, member: &str, message: String) -> Error {
        Error::new(ErrorKind::InvalidArchive, message)
            .path(&self.members.path)
            .member(self.members.called(&format!("{}{member}", self.prefix)))
    }
}

/// The descriptor of a layer that is not in the archive but at its URLs.
fn foreign(source: &LayerSource) -> Descriptor {
    let media_type = MediaType::new(&source.media_type).to_oci();
    let mut descriptor = Descriptor::new(media_type, source.digest, source.size);
    descriptor.urls = source.urls.clone().unwrap_or_default();
    descriptor
}
