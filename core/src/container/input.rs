//! What streams are read from: files, pipes, members of other containers.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::compress;
use crate::error::Result;
use crate::fsx;
use crate::oci::Compression;
use crate::progress::Progress;
use crate::store::BlobReader;

/// How long a pipe is waited for before it is asked again whether the run is to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// Reads the content of a member as others read files.
pub(super) struct Blob<'a>(pub(super) Box<dyn BlobReader + 'a>);

impl Read for Blob<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).map_err(std::io::Error::other)
    }
}

/// Counts what is read from the file itself, and stops when asked to.
pub(super) struct Counted<'a, R> {
    pub(super) input: R,
    pub(super) progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.progress.check().map_err(std::io::Error::other)?;
        let count = self.input.read(buffer)?;
        self.progress.add_bytes(count as u64);
        Ok(count)
    }
}

/// Standard input, or a file that cannot be mapped. However long it stays silent, a request to
/// stop is heard.
#[derive(Debug)]
pub(super) struct Pipe<'a> {
    file: File,
    progress: &'a Progress,
}

impl<'a> Pipe<'a> {
    pub(super) fn new(file: File, progress: &'a Progress) -> Self {
        Self { file, progress }
    }
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            self.progress.check().map_err(std::io::Error::other)?;
            if fsx::readable(&self.file, PATIENCE) {
                return self.file.read(buffer);
            }
        }
    }
}

/// Sniffs what a stream is compressed with.
pub(super) fn sniff<'a>(
    mut input: impl Read + Send + 'a,
    path: &Path,
) -> Result<(impl Read + Send + 'a, Compression)> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match input.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(compress::into_error(error).path(path)),
        }
    }
    let compression = Compression::sniff(&head[..filled]);
    let again = std::io::Cursor::new(head[..filled].to_vec());
    Ok((again.chain(input), compression))
}
