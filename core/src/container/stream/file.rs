//! A member of a stream that is no container.

use std::io::Read;

use super::super::checksum::{self, Algorithm, List, Summer};
use super::super::evidence::is_layer;
use super::super::keep::{Keep, keep_more};
use super::super::members::Streamed;
use super::super::names::{is_document, is_of_chart, is_text_that_counts, may_list_nothing};
use super::{HEAD, Walk};
use crate::compress::Inflater;
use crate::error::Result;
use crate::limits;
use crate::oci::{Compression, Digest, Hasher};
use crate::store::{BlobSource, BlobWriter, Hashing};
use crate::tar::{Entry, TarStream};

/// Plain files up to this size may be something else: documents, or layers with next to nothing
/// in them.
const SMALL: u64 = 1 << 20;

impl Walk<'_> {
    /// A member that is no container; the first `filled` bytes of it are in the buffer.
    pub(super) fn file<R: Read>(
        &mut self,
        stream: &mut TarStream<R>,
        entry: &Entry,
        filled: usize,
        stated: Option<Digest>,
        compression: Compression,
    ) -> Result<Streamed> {
        let keep = self.keep;
        let first = &self.buffer[..filled];
        let head = first.iter().copied().take(HEAD).collect();
        let looks_plain = compression == Compression::None && !is_document(first);
        // Layers are tar archives, compressed or not.
        let is_passed_over = matches!(keep, Keep::Spool { files: false, .. })
            && looks_plain
            && stated.is_none()
            && entry.size > SMALL
            && !is_layer(&entry.name)
            && !is_of_chart(&entry.name);
        let mut writer: Option<BlobWriter<'_>> = match keep {
            Keep::Spool { .. } if is_passed_over => None,
            // Of small files there may be a great many alike; making another costs more than hashing.
            Keep::Spool { blobs, .. }
                if filled < self.buffer.len() && blobs.size(&hash(stated, first)).is_some() =>
            {
                None
            }
            Keep::Spool { blobs, .. } => Some(blobs.begin_of(entry.size)?),
            Keep::Documents | Keep::Inflated => None,
        };
        let inflates = compression != Compression::None
            && (matches!(keep, Keep::Inflated) || stated.is_none());
        let mut layer: Option<std::result::Result<Inflater<Hashing>, String>> = match inflates {
            true => Some(Ok(Inflater::new(compression, Hashing::default())?)),
            false => None,
        };
        let mut asked = std::mem::take(&mut self.asked);
        if writer.is_none() && looks_plain && stated.is_none() && !is_layer(&entry.name) {
            // It cannot be read again once its list has come by; few files are like that.
            asked.insert(Algorithm::Sha512);
        }
        let mut summers: Vec<Summer> = asked.into_iter().map(Summer::new).collect();
        let own = summers.len();
        let is_list = List::is_named_so(&entry.name) && entry.size <= checksum::MOST;
        let mut list: Vec<u8> = Vec::new();
        let mut document: Option<Vec<u8>> = None;
        let listing = is_document(first)
            || is_text_that_counts(&entry.name)
            || is_list
            || may_list_nothing(&entry.name, entry.size);
        if keep.spool().is_none() && listing && entry.size <= limits::MAX_LISTING {
            keep_more(&mut self.kept, entry.size)?;
            document = Some(Vec::new());
        }
        let mut hasher = stated.map_or_else(Hasher::sha256, |digest| digest.hasher());
        let live = match is_passed_over {
            true => self.begin_live(&mut summers)?,
            false => None,
        };
        let mut count = filled;
        while count > 0 {
            self.progress.check()?;
            let piece = &self.buffer[..count];
            hasher.update(piece);
            for summer in &mut summers {
                summer.update(piece);
            }
            if is_list {
                list.extend_from_slice(piece);
            }
            if let Some(Ok(inflater)) = &mut layer
                && let Err(error) = inflater.push(piece)
            {
                layer = Some(Err(error.message().to_owned()));
            }
            if let Some(writer) = &mut writer {
                writer.write(piece)?;
            }
            if let Some(document) = &mut document {
                document.extend_from_slice(piece);
            }
            count = stream.read(&mut self.buffer)?;
        }
        let digest = hasher.finish();
        if let Some(writer) = writer {
            writer.commit(&digest)?;
        }
        let diff_id = layer.map(|layer| {
            let finished = layer?
                .finish()
                .map_err(|error| error.message().to_owned())?;
            Ok(finished.0.finish())
        });
        if is_list && let Ok(text) = std::str::from_utf8(&list) {
            self.list = Some(List::read(&entry.name, text));
        }
        if document.is_none() && entry.size == 0 {
            document = Some(Vec::new());
        }
        self.end_live(live, &mut summers, own);
        let kept = document.filter(|_| keep.spool().is_none());
        Ok(Streamed {
            offset: entry.offset,
            size: entry.size,
            digest: Some(digest),
            head,
            sums: summers.into_iter().map(Summer::finish).collect(),
            diff_id,
            kept,
            made_of: None,
            nested: None,
            worth_inflating: false,
            inflated: None,
        })
    }
}

/// What `bytes` hash to, in the algorithm of the digest that is stated for them.
fn hash(stated: Option<Digest>, bytes: &[u8]) -> Digest {
    let mut hasher = stated.map_or_else(Hasher::sha256, |digest| digest.hasher());
    hasher.update(bytes);
    hasher.finish()
}
