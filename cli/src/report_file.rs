//! `--report FILE`: the JSON document in a file, whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use fusion_core::location::Location;
use fusion_core::{Error, ErrorKind, Result};

/// A mistake in `path` that can be seen before hours of work. `named` are the sources and the
/// destination, none of which a report may replace.
pub(crate) fn check(path: &Path, named: &[&OsStr]) -> Result<()> {
    if path == Path::new("-") {
        let message = "`--report` needs a file, not `-`";
        return Err(Error::new(ErrorKind::Usage, message).hint("use `--json` for standard output"));
    }
    if path.is_dir() {
        let message = "the report would replace a directory";
        return Err(Error::new(ErrorKind::Io, message).path(path));
    }
    distinct("--report", path, named)?;
    let folder = folder(path);
    fs::metadata(folder)
        .map(|_| ())
        .map_err(|error| Error::io("cannot write the report into", folder, error))
}

/// Writes `text` to `path`: beside it first, then renamed. A pipe or device is written to.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = |error| Error::io("cannot write the report", path, error);
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(&target)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed);
    }
    let beside = beside(&target);
    let written = File::create(&beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, &target));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// Refuses an `option` whose file is one of `named`.
pub(crate) fn distinct(option: &str, path: &Path, named: &[&OsStr]) -> Result<()> {
    let same = |other: &&&OsStr| {
        Location::parse(other).is_ok_and(|other| identity(other.path()) == identity(path))
    };
    match named.iter().find(same) {
        None => Ok(()),
        Some(other) => {
            let message = format!("`{option}` would write over `{}`", other.to_string_lossy());
            Err(Error::new(ErrorKind::Usage, message).hint("name another file"))
        }
    }
}

/// The one name of a file, also of one that is still to be written.
fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = folder(path);
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        folder.join(path.file_name().unwrap_or_default())
    })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name of this process's own in the same folder.
fn beside(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    folder(target).join(name)
}
