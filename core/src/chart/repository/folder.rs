//! LOCAL repositories: a folder of packages with an `index.yaml`, as `helm repo index` makes them.

mod emit;
mod index;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{MAX_PACKAGE, exists, file_name};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Staging};
use crate::limits;
use index::{Entry, Index};

/// The name of the index.
const INDEX: &str = "index.yaml";

/// A folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    run: Mutex<Run>,
}

/// What a run did so far.
#[derive(Debug, Default)]
struct Run {
    /// Keeps other runs out: their index would lack our charts, or ours theirs.
    staging: Option<Staging>,
    published: Vec<Entry>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            run: Mutex::default(),
        }
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn location(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn location_of(&self, name: &str, version: &str) -> String {
        let file = self.path.join(file_name(name, version));
        file.display().to_string()
    }

    /// That charts can be published here. A folder that is there is held until the run is settled;
    /// one that is missing is made for the first chart, not for a run that comes to nothing.
    pub(super) fn check(&self, dry_run: bool) -> Result<()> {
        if self.is_there()? && !dry_run {
            self.enter(&mut self.run())?;
        }
        self.index().map(drop)
    }

    /// Whether there is a folder; if there is none, one can be made.
    fn is_there(&self) -> Result<bool> {
        for path in self.path.ancestors() {
            let here = match path.as_os_str().is_empty() {
                true => Path::new("."),
                false => path,
            };
            match fsx::metadata_if_any(here)? {
                Some(found) if found.is_dir() => {
                    fsx::ensure_may_create(here)?;
                    return Ok(path == self.path);
                }
                Some(_) => {
                    return Err(Error::new(ErrorKind::Usage, "it is no folder")
                        .operation("cannot publish charts in")
                        .path(here));
                }
                // Of what is below a file, nothing is known.
                None if fsx::exists(here).unwrap_or(false) => {
                    return Err(
                        Error::new(ErrorKind::Usage, "it is a link that leads nowhere")
                            .operation("cannot publish charts in")
                            .path(here),
                    );
                }
                None => {}
            }
        }
        Ok(false)
    }

    fn enter<'a>(&self, run: &'a mut Run) -> Result<&'a Staging> {
        if run.staging.is_none() {
            self.is_there()?;
            fsx::create_dir_all(&self.path)?;
            run.staging = Some(Staging::inside(&self.path)?);
        }
        (run.staging.as_ref())
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a folder was not entered"))
    }

    /// The index that is there.
    fn index(&self) -> Result<Option<Index>> {
        let path = self.path.join(INDEX);
        let Some(text) = small(&path, limits::MAX_LISTING)? else {
            return Ok(None);
        };
        let wrong = |why: String| {
            Error::new(
                ErrorKind::InvalidArchive,
                format!("it is no index of charts: {why}"),
            )
            .operation("cannot add charts to")
            .path(&path)
            .hint("mend it, or move it away: then a new one is written")
        };
        let text = String::from_utf8(text).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        Index::parse(&text).map(Some).map_err(wrong)
    }

    pub(super) fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        small(&self.path.join(file_name(name, version)), MAX_PACKAGE)
    }

    pub(super) fn publish(
        &self,
        name: &str,
        version: &str,
        package: &[u8],
        metadata: &Value,
        overwrite: bool,
    ) -> Result<()> {
        let entry = Entry::new(name, version, package, metadata)?;
        let mut run = self.run();
        let staging = self.enter(&mut run)?;
        let there = self.get(name, version)?;
        if there.as_deref() != Some(package) {
            let file = self.path.join(file_name(name, version));
            if there.is_some() && !overwrite {
                return Err(exists(name, version, &self.location()).path(file));
            }
            fsx::replace_file(staging.path(), &file, package, true)?;
        }
        run.published.push(entry);
        Ok(())
    }

    /// Adds what was published to the index, in one step, and lets others in.
    pub(super) fn settle(&self) -> Result<()> {
        let mut run = self.run();
        let published = std::mem::take(&mut run.published);
        let Some(staging) = run.staging.take() else {
            return Ok(());
        };
        if published.is_empty() {
            return Ok(());
        }
        let there = self.index()?;
        let is_new = there.is_none();
        let mut index = there.unwrap_or_default();
        if index.add(published) || is_new {
            let bytes = index.to_yaml().into_bytes();
            fsx::replace_file(staging.path(), &self.path.join(INDEX), &bytes, true)?;
        }
        Ok(())
    }
}

/// A small file, if it is there.
fn small(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    match fsx::metadata_if_any(path)? {
        None => Ok(None),
        Some(found) if found.is_file() => fsx::read_small(path, most).map(Some),
        Some(_) => Err(Error::new(ErrorKind::Usage, "it is no file")
            .operation("cannot read")
            .path(path)),
    }
}
