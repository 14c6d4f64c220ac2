//! Packaged charts: `.tgz` files with one folder, the chart's.

use std::io::{BufReader, Write};

use super::{CHART_YAML, Files};
use crate::compress::{LimitedExpansion, ParallelGzip, into_error};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Compression;
use crate::tar::{END, EntryKind, TarStream, header, padding, safe_name};
use crate::{limits, tar};

/// The level that Helm compresses with.
const LEVEL: u32 = 6;

/// Charts are read by everybody.
const MODE: u32 = 0o644;

/// What was in a `.tgz`.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// The one folder that everything lies in.
    pub(super) root: String,
    /// The files below it.
    pub(super) files: Files,
}

/// The files of the chart packed in `bytes`, of which there may be `left` bytes.
pub(super) fn unpack(bytes: &[u8], left: u64) -> Result<Unpacked> {
    let invalid = |name: &str, message: &str| {
        let error = Error::new(ErrorKind::InvalidArchive, message);
        Err(if name.is_empty() {
            error
        } else {
            error.member(name)
        })
    };
    let reader = LimitedExpansion::new(Compression::sniff(bytes), bytes)?;
    let mut stream = TarStream::new(BufReader::new(reader));
    let mut found: Option<Unpacked> = None;
    let mut left = left;
    while let Some(entry) = stream.next()? {
        if entry.kind == EntryKind::Directory {
            continue;
        }
        let name = entry.name.as_str();
        if entry.escapes || !safe_name(name) {
            return invalid(name, "its name leads out of the chart");
        }
        let Some((root, name)) = name.split_once('/') else {
            return invalid(
                name,
                "it lies outside of the one folder that a packed chart is",
            );
        };
        let unpacked = found.get_or_insert_with(|| Unpacked {
            root: root.to_owned(),
            files: Files::new(),
        });
        if unpacked.root != root {
            let message = format!(
                "it does not lie in `{}/`, as what comes before",
                unpacked.root
            );
            return invalid(&entry.name, &message);
        }
        let content = match &entry.kind {
            EntryKind::HardLink(target) => {
                let target = target.split_once('/').map(|(_, name)| name);
                match target.and_then(|name| unpacked.files.get(name)) {
                    Some(content) => content.clone(),
                    None => return invalid(&entry.name, "a link to what is not there"),
                }
            }
            EntryKind::File => Vec::new(),
            _ => {
                return invalid(
                    &entry.name,
                    "no plain file: charts are packed without links",
                );
            }
        };
        let size = entry.size.max(content.len() as u64);
        let Some(rest) = left.checked_sub(size) else {
            return too_much(&entry.name);
        };
        left = rest;
        let content = match &entry.kind {
            EntryKind::File => read(&mut stream, size)?,
            _ => content,
        };
        if unpacked.files.insert(name.to_owned(), content).is_some() {
            return invalid(&entry.name, "it is there twice");
        }
        if unpacked.files.len() > limits::MAX_CHART_FILES {
            return too_much(&entry.name);
        }
    }
    stream.finish()?;
    found.map_or_else(|| invalid("", "an archive without a chart"), Ok)
}

fn too_much<T>(name: &str) -> Result<T> {
    let message = format!(
        "more than {} MiB or {} files, which no chart has",
        limits::MAX_CHART >> 20,
        limits::MAX_CHART_FILES
    );
    Err(Error::new(ErrorKind::LimitExceeded, message).member(name))
}

fn read<R: std::io::Read>(stream: &mut TarStream<R>, size: u64) -> Result<Vec<u8>> {
    // Within the limit, hence within memory.
    let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
    let mut filled = 0;
    while let Some(rest) = content.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest)? {
            0 => break,
            count => filled += count,
        }
    }
    content.truncate(filled);
    Ok(content)
}

/// `files` in a folder `root`: `Chart.yaml` first, as Helm writes it, the others by name; nothing
/// tells when or by whom.
pub(super) fn pack(root: &str, files: &Files) -> Result<Vec<u8>> {
    let failed = |error| into_error(error).operation("cannot package the chart");
    let mut out = ParallelGzip::new(Vec::new(), LEVEL, 1);
    let first = files.get_key_value(CHART_YAML);
    let others = files.iter().filter(|(name, _)| *name != CHART_YAML);
    for (name, content) in first.into_iter().chain(others) {
        let size = content.len() as u64;
        let header = header(&format!("{root}/{name}"), &EntryKind::File, size, MODE, 0);
        let zeros = [0; tar::BLOCK as usize];
        let pad = usize::try_from(padding(size)).unwrap_or(0);
        for bytes in [&header, content, zeros.get(..pad).unwrap_or_default()] {
            out.write_all(bytes).map_err(failed)?;
        }
    }
    out.write_all(&END).map_err(failed)?;
    out.finish().map_err(failed)
}
