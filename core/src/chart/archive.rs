//! Packaged charts: `.tgz` files with one folder, the chart's.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};

use super::CHART_YAML;
use crate::compress::{self, LimitedExpansion, ParallelGzip};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::Compression;
use crate::tar::{self, EntryKind, TarStream};

/// The level that Helm compresses with.
const LEVEL: u32 = 6;

/// Where Helm expects charts to be read by everybody.
const MODE: u32 = 0o644;

/// The files of a packaged chart, by their names below its folder.
pub(super) fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let compression = Compression::sniff(bytes);
    let plain = LimitedExpansion::new(compression, bytes)?;
    let mut stream = TarStream::new(BufReader::new(plain));
    let mut files = BTreeMap::new();
    let mut left = limits::MAX_CHART;
    while let Some(entry) = stream.next()? {
        let wrong = |message: String| {
            Err(Error::new(ErrorKind::InvalidArchive, message)
                .hint("whatever wrote it is broken or means harm: fetch the chart again"))
        };
        if entry.escapes {
            return wrong(format!("the file `{}` leads out of the chart", entry.name));
        }
        match entry.kind {
            EntryKind::File => {}
            EntryKind::Directory | EntryKind::Other(_) => continue,
            EntryKind::HardLink(_) | EntryKind::SymLink(_) => {
                return wrong(format!(
                    "`{}` is a link, which charts have none of",
                    entry.name
                ));
            }
        }
        let Some((_, name)) = entry.name.split_once('/') else {
            return wrong(format!("`{}` lies outside the chart's folder", entry.name));
        };
        if entry.size > left || files.len() >= limits::MAX_CHART_FILES {
            let message = format!(
                "the chart has more than {} bytes or {} files",
                limits::MAX_CHART,
                limits::MAX_CHART_FILES
            );
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        left -= entry.size;
        let mut content = Vec::new();
        Read::read_to_end(&mut stream, &mut content).map_err(compress::into_error)?;
        if files.insert(name.to_owned(), content).is_some() {
            return wrong(format!("the file `{name}` is there twice"));
        }
    }
    stream.finish()?;
    Ok(files)
}

/// The chart `name` of these `files`, packaged: `Chart.yaml` first, as Helm writes it, the others by
/// name; nothing tells when or by whom.
pub(super) fn pack(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Internal,
            format!("cannot package the chart: {error}"),
        )
    };
    let mut out = ParallelGzip::new(Vec::new(), LEVEL, 1);
    let first = files.get_key_value(CHART_YAML);
    let others = files.iter().filter(|(file, _)| *file != CHART_YAML);
    for (file, content) in first.into_iter().chain(others) {
        let size = content.len() as u64;
        let header = tar::header(&format!("{name}/{file}"), &EntryKind::File, size, MODE, 0);
        let padding = usize::try_from(tar::padding(size)).unwrap_or_default();
        out.write_all(&header)
            .and_then(|()| out.write_all(content))
            .and_then(|()| out.write_all(&vec![0; padding]))
            .map_err(failed)?;
    }
    out.write_all(&tar::END).map_err(failed)?;
    out.finish().map_err(failed)
}
