//! Writing a tag: what it leads to first, then the tag, and nothing forgotten that it led to before.

use super::{Merged, Outgoing, Settled, Tagger};
use crate::deliver::target::Under;
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{Digest, Manifest, Raw};
use crate::registry::Hold;
use crate::store::read_document;

impl Tagger<'_> {
    /// Puts the manifests of `merged`, then its root; not that if the tag leads elsewhere by now than
    /// when it was planned: sending the blobs may have taken hours, and reading what it led to some
    /// moments. Whoever looks meanwhile finds the old or the new, and all that it leads to.
    pub(in crate::deliver) fn put(&self, image: &Outgoing, merged: &Merged) -> Result<bool> {
        self.put_children(image, merged)?;
        let repository = self.repository(image);
        let explained = |error| self.sender.preflight.explain(error, &image.spot);
        let root = &merged.image.root;
        let bytes = root_bytes(merged)?;
        let joining = joining(merged);
        let previous = merged.image.selected.previous.as_ref();
        let hold = match (previous, &image.target.under) {
            (Some(previous), Under::Tag(tag)) if previous.digest != root.digest => {
                match repository.hold(tag, &previous.digest) {
                    // No more than the way back is lost.
                    Err(error) if joining.is_none() && error.kind() != ErrorKind::Cancelled => {
                        tracing::warn!("{} may be forgotten: {error}", previous.digest);
                        None
                    }
                    held => held.map_err(explained)?,
                }
            }
            _ => None,
        };
        let put = self.stays(image, merged).and_then(|stays| {
            if stays {
                repository
                    .put(image.target.under.text(), root, &bytes)
                    .map_err(explained)?;
            }
            Ok(stays)
        });
        let released = hold.map_or(Ok(()), Hold::release);
        let stays = put?;
        released?;
        if !stays {
            return Ok(false);
        }
        // A registry that forgets it and did not look as if it would gets it once more.
        let Some(manifest) = joining else {
            return Ok(true);
        };
        let under = manifest.descriptor.digest.to_string();
        if repository.head(&under)?.is_none() {
            repository.put(&under, &manifest.descriptor, &manifest.bytes)?;
        }
        Ok(true)
    }

    /// Whether the tag still leads to where it did when `merged` was planned.
    fn stays(&self, image: &Outgoing, merged: &Merged) -> Result<bool> {
        let Under::Tag(tag) = &image.target.under else {
            return Ok(true);
        };
        let there = self.repository(image).head(tag)?;
        let before = merged.image.selected.previous.as_ref();
        Ok(there.map(|there| there.digest) == before.map(|before| before.digest))
    }

    /// Puts the manifests that the root of `merged` leads to. A single manifest goes straight
    /// under its tag.
    pub(in crate::deliver) fn put_children(&self, image: &Outgoing, merged: &Merged) -> Result<()> {
        if !merged.image.root.media_type.is_index() {
            return Ok(());
        }
        let fresh = |digest: &Digest| merged.made.contains(digest);
        self.sender.manifests(&image.spot, &merged.image, &fresh)
    }

    /// Removes what killed runs left that led the tag of `image` elsewhere. That something stays is
    /// no reason for a run to fail.
    pub(in crate::deliver) fn sweep(&self, image: &Outgoing, merged: &Merged) -> Result<()> {
        let Under::Tag(tag) = &image.target.under else {
            return Ok(());
        };
        if merged.image.selected.previous.is_none() || merged.settled == Some(Settled::Skipped) {
            return Ok(());
        }
        match (self.repository(image)).sweep(tag, &merged.image.root.digest) {
            Err(error) if error.kind() != ErrorKind::Cancelled => {
                tracing::warn!(
                    "{} may have tags left that held something: {error}",
                    image.target
                );
                Ok(())
            }
            swept => swept,
        }
    }
}

/// The single manifest that the tag leads to until now, and by way of an index from now on.
fn joining(merged: &Merged) -> Option<&Raw<Manifest>> {
    let selected = &merged.image.selected;
    let previous = selected.previous.as_ref()?;
    if previous.digest == merged.image.root.digest {
        return None;
    }
    let manifests = selected.variants.iter().map(|v| &v.image.manifest);
    let mut same = manifests.filter(|manifest| manifest.descriptor.digest == previous.digest);
    same.next()
}

/// The bytes of the root: made, found in a source or at the tag, or the only manifest's.
fn root_bytes(merged: &Merged) -> Result<Vec<u8>> {
    let root = &merged.image.root;
    if merged.made.contains(&root.digest) {
        return read_document(&merged.made, root);
    }
    let selected = &merged.image.selected;
    let manifests = selected
        .variants
        .iter()
        .map(|variant| &variant.image.manifest);
    let found = manifests
        .map(|manifest| (&manifest.descriptor, &manifest.bytes))
        .chain(
            selected
                .indexes
                .iter()
                .map(|index| (&index.descriptor, &index.bytes)),
        )
        .find(|(descriptor, _)| descriptor.digest == root.digest);
    match found {
        Some((_, bytes)) => Ok(bytes.clone()),
        None => Err(Error::new(ErrorKind::Internal, "a root without bytes").digest(root.digest)),
    }
}
