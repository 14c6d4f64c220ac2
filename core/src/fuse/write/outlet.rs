//! Standard output. However long nobody takes what is written there, a request to stop is heard.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::fsx;
use crate::progress::Progress;

/// How long to wait for room before asking whether to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a pipe takes without waiting, once it takes anything.
const ROOM: usize = 4096;

/// Writes to standard output, never so much at a time that it waits where nobody can stop it.
#[derive(Debug)]
pub(super) struct Outlet<'a> {
    file: File,
    progress: &'a Progress,
    most: usize,
}

impl<'a> Outlet<'a> {
    pub(super) fn new(file: File, progress: &'a Progress) -> Self {
        let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        Self {
            file,
            progress,
            most: if regular { usize::MAX } else { ROOM },
        }
    }
}

impl Write for Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.progress.check().map_err(io::Error::other)?;
            if fsx::writable(&self.file, PATIENCE) {
                let some = &bytes[..bytes.len().min(self.most)];
                return match self.file.write(some) {
                    Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                        // Said here: it is no fault of the source that was being read.
                        let output = Path::new("standard output");
                        Err(io::Error::other(Error::io("cannot write", output, error)))
                    }
                    written => written,
                };
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::thread;

    use super::*;
    use crate::compress::into_error;
    use crate::error::ErrorKind;
    use crate::progress::Stop;

    #[test]
    fn a_pipe_that_nobody_reads_does_not_keep_a_run_from_stopping() {
        let (_reader, writer) = io::pipe().expect("a pipe");
        let stop = Stop::new();
        let progress = Progress::new(stop.clone());
        let mut outlet = Outlet::new(File::from(OwnedFd::from(writer)), &progress);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            stop.request();
        });
        let error = outlet.write_all(&[0; 1 << 20]).expect_err("stopped");
        assert_eq!(into_error(error).kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_pipe_that_is_read_gets_everything() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let progress = Progress::default();
        let mut outlet = Outlet::new(File::from(OwnedFd::from(writer)), &progress);
        let bytes: Vec<u8> = (0..1_000_003_u32).map(|at| at as u8).collect();
        thread::scope(|scope| {
            let got = scope.spawn(move || {
                let mut got = Vec::new();
                reader.read_to_end(&mut got).map(|_| got)
            });
            outlet.write_all(&bytes).expect("read");
            drop(outlet);
            let got = got.join().expect("no panic").expect("readable");
            assert!(got == bytes);
        });
    }

    #[test]
    fn a_pipe_without_a_reader_is_an_error_of_standard_output() {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let progress = Progress::default();
        let mut outlet = Outlet::new(File::from(OwnedFd::from(writer)), &progress);
        let error = into_error(outlet.write_all(b"bytes").expect_err("no reader"));
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.get_path(), Some(Path::new("standard output")));
    }
}
