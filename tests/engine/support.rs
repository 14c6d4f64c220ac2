//! Scenes for the tests of the engine: folders, archives, the command with a deadline, and plain
//! readers of what came out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fusion_core::fuse::{Failure, FuseOptions, fuse};
use fusion_core::location::Location;
use fusion_core::progress::Stop;
use fusion_core::report::Report;
use fusion_fixtures::{Digest, Flavour, Image, LayerForm, Options, Written, write};
use serde_json::Value;
use tempfile::TempDir;

/// The `fusion` command.
pub(super) const FUSION: &str = env!("CARGO_BIN_EXE_fusion");

/// How long a run may take before it counts as hanging, on a machine busy with other tests.
const DEADLINE: Duration = Duration::from_secs(300);

/// The processor time that a run may take. Unlike time on the wall, it does not depend on what
/// else the machine is doing.
const PROCESSOR_TIME: Duration = Duration::from_secs(20);

/// A folder of its own for one test: sources in `in`, destinations in `out`.
pub(super) struct Scene {
    dir: TempDir,
}

impl Scene {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        Self { dir }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn source(&self, name: &str) -> PathBuf {
        self.dir.path().join("in").join(name)
    }

    pub(super) fn out(&self, name: &str) -> PathBuf {
        self.dir.path().join("out").join(name)
    }

    /// Writes `images` into the source `name`, with layers as the flavour's tool stores them.
    pub(super) fn write(
        &self,
        name: &str,
        flavour: Flavour,
        images: &[Image],
        options: &Options,
    ) -> Written {
        let form = flavour.usual_form();
        self.write_form(name, flavour, form, images, options)
    }

    pub(super) fn write_form(
        &self,
        name: &str,
        flavour: Flavour,
        form: LayerForm,
        images: &[Image],
        options: &Options,
    ) -> Written {
        write(flavour, form, images, &self.source(name), options).unwrap()
    }

    /// Everything in `out`: names, and the bytes of files.
    pub(super) fn published(&self) -> BTreeMap<String, Option<Vec<u8>>> {
        tree(&self.dir.path().join("out"))
    }
}

/// Everything below `root`, by path: the bytes of files, nothing for folders.
pub(super) fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                found.insert(name, None);
                folders.push(path);
            } else {
                found.insert(name, Some(fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// A run of a command to be.
pub(super) struct Run(Command);

/// A run of `fusion` with `args`.
pub(super) fn fusion<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    command(FUSION, args)
}

/// A run of `program` with `args`.
pub(super) fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    args: impl IntoIterator<Item = S>,
) -> Run {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    Run(command)
}

impl Run {
    pub(super) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    /// Takes standard input from the file at `path`.
    pub(super) fn input(mut self, path: &Path) -> Self {
        self.0.stdin(File::open(path).unwrap());
        self
    }

    /// Changes the command in ways that have no name here.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.0);
        self
    }

    /// Runs it to its end.
    pub(super) fn run(self) -> Ran {
        self.start().finish()
    }

    /// Starts it; what it says is collected.
    pub(super) fn start(mut self) -> Running {
        let shown = format!("{:?}", self.0);
        let mut child = self
            .0
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        let stderr = collect(child.stderr.take().unwrap());
        Running {
            shown,
            child,
            stdout: None,
            stderr,
            begun: Instant::now(),
        }
    }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// A command that runs.
pub(super) struct Running {
    shown: String,
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: JoinHandle<Vec<u8>>,
    begun: Instant,
}

impl Running {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input, which [`Run::with`] made a pipe.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let pipe = self.child.stdin.as_mut().expect("a pipe");
        pipe.write_all(bytes).unwrap();
    }

    /// Reads this many bytes from its standard output, and leaves the rest in the pipe.
    pub(super) fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let pipe = self.child.stdout.as_mut().expect("a pipe");
        pipe.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Sends it a signal, by name.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "kill -s {name}: {}", self.shown);
    }

    /// Waits until `condition`, for as long as the run is alive.
    pub(super) fn wait_until(&self, what: &str, condition: impl Fn() -> bool) {
        while !condition() {
            let alive = matches!(state(self.id()), Some((state, _)) if state != 'Z');
            assert!(alive, "{} ended before {what}", self.shown);
            assert!(
                self.begun.elapsed() < DEADLINE,
                "{}: never {what}",
                self.shown
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes its standard input, and waits until it has ended.
    pub(super) fn finish(mut self) -> Ran {
        drop(self.child.stdin.take());
        self.finish_while_fed()
    }

    /// Waits until it has ended, without closing its standard input.
    pub(super) fn finish_while_fed(mut self) -> Ran {
        let stdin = self.child.stdin.take();
        if let Some(stdout) = self.child.stdout.take() {
            self.stdout = Some(collect(stdout));
        }
        let used = loop {
            // A process that has ended keeps its times until somebody waits for it.
            match state(self.child.id()) {
                Some(('Z', used)) => break used,
                _ if self.begun.elapsed() > DEADLINE => {
                    let _ = self.child.kill();
                    panic!("{} hangs", self.shown);
                }
                _ => thread::sleep(Duration::from_millis(2)),
            }
        };
        let status = self.child.wait().unwrap();
        drop(stdin);
        let bytes = |thread: JoinHandle<Vec<u8>>| thread.join().unwrap();
        let ran = Ran {
            shown: self.shown,
            status: status.code(),
            stdout: self.stdout.map(bytes).unwrap_or_default(),
            stderr: String::from_utf8_lossy(&bytes(self.stderr)).into_owned(),
        };
        assert!(used <= PROCESSOR_TIME, "{ran} took {used:?}");
        assert!(!ran.stderr.contains("panicked"), "{ran}");
        ran
    }
}

/// The state of a process and the processor time that it has used.
pub(crate) fn state(id: u32) -> Option<(char, Duration)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program may have spaces and parentheses in it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // In hundredths of a second on every Linux.
    let used = Duration::from_millis((ticks(11)? + ticks(12)?) * 10);
    Some((fields.first()?.chars().next()?, used))
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Ran {
    shown: String,
    /// `None`: a signal ended it.
    pub(super) status: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (shown, status) = (&self.shown, self.status);
        write!(
            f,
            "{shown}: {status:?}, {} bytes\n{}",
            self.stdout.len(),
            self.stderr
        )
    }
}

impl Ran {
    /// The one JSON document on standard output.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Insists on the exit status.
    pub(super) fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }
}

/// Options by the names of the command line; without waiting for the disk.
pub(super) fn options(chosen: &[(&str, &str)]) -> FuseOptions {
    let mut options = FuseOptions::default();
    options.set("durability", "rename").unwrap();
    for (name, value) in chosen {
        options
            .add(name, value)
            .or_else(|_| options.set(name, value))
            .unwrap();
    }
    options
}

/// Fuses by way of the library.
pub(super) fn try_fuse<P: AsRef<Path>>(
    sources: &[P],
    out: &Path,
    chosen: &[(&str, &str)],
) -> Result<Report, Failure> {
    let locate = |path: &Path| Location::parse(path).unwrap();
    let sources: Vec<Location> = sources.iter().map(|path| locate(path.as_ref())).collect();
    fuse(
        &sources,
        Some(&locate(out)),
        &options(chosen),
        None,
        &Stop::new(),
    )
}

/// Fuses by way of the library, which must succeed.
pub(super) fn fused<P: AsRef<Path>>(sources: &[P], out: &Path, chosen: &[(&str, &str)]) -> Value {
    match try_fuse(sources, out, chosen) {
        Ok(report) => serde_json::from_str(&report.to_json()).unwrap(),
        Err(failure) => panic!("{chosen:?}: {failure:?}"),
    }
}

/// A layout directory or an archive that holds one, read plainly.
pub(super) struct Layout {
    files: BTreeMap<String, Vec<u8>>,
}

impl Layout {
    /// Reads what is at `path`. Every blob has to be what its name says, and reached.
    pub(super) fn sound(path: &Path) -> Self {
        Self::read(path).checked(&path.display().to_string())
    }

    /// What these files are, called `place`. Every blob has to be what its name says, and reached.
    pub(super) fn of(files: BTreeMap<String, Vec<u8>>, place: &str) -> Self {
        Self { files }.checked(place)
    }

    fn checked(self, place: &str) -> Self {
        for (name, bytes) in &self.files {
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                assert_eq!(Digest::of(bytes).hex(), hex, "{name} of {place}");
            }
        }
        let extra: Vec<_> = self.blobs().difference(&self.reached()).cloned().collect();
        assert!(extra.is_empty(), "nothing leads to {extra:?} of {place}");
        self
    }

    /// Reads what is at `path`.
    pub(super) fn read(path: &Path) -> Self {
        let mut files = BTreeMap::new();
        if path.is_dir() {
            for (name, bytes) in tree(path) {
                files.extend(bytes.map(|bytes| (name, bytes)));
            }
        } else {
            let mut archive = tar::Archive::new(File::open(path).unwrap());
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                if entry.header().entry_type().is_file() {
                    let name = entry.path().unwrap().display().to_string();
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes).unwrap();
                    assert!(files.insert(name.clone(), bytes).is_none(), "{name} twice");
                }
            }
        }
        Self { files }
    }

    pub(super) fn file(&self, name: &str) -> &[u8] {
        match self.files.get(name) {
            Some(bytes) => bytes,
            None => panic!("no {name} among {:?}", self.files.keys()),
        }
    }

    pub(super) fn document(&self, name: &str) -> Value {
        serde_json::from_slice(self.file(name)).unwrap()
    }

    pub(super) fn blob(&self, digest: &Value) -> &[u8] {
        self.file(&blob_path(digest))
    }

    pub(super) fn json(&self, digest: &Value) -> Value {
        serde_json::from_slice(self.blob(digest)).unwrap()
    }

    /// The descriptors in `index.json`.
    pub(super) fn roots(&self) -> Vec<Value> {
        self.document("index.json")["manifests"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The names in `index.json`, in its order.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |root: &Value| text(&root["annotations"]["org.opencontainers.image.ref.name"]);
        self.roots().iter().map(name).collect()
    }

    /// The root of that name.
    pub(super) fn root(&self, name: &str) -> Value {
        let at = self.names().iter().position(|known| known == name);
        match at {
            Some(at) => self.roots()[at].clone(),
            None => panic!("no {name} among {:?}", self.names()),
        }
    }

    /// The descriptors of the index that `name` leads to.
    pub(super) fn children(&self, name: &str) -> Vec<Value> {
        let index = self.json(&self.root(name)["digest"]);
        index["manifests"].as_array().unwrap().clone()
    }

    /// The platforms of the index that `name` leads to, as `os/architecture[/variant]`.
    pub(super) fn platforms(&self, name: &str) -> Vec<String> {
        self.children(name).iter().map(platform).collect()
    }

    pub(super) fn blobs(&self) -> BTreeSet<String> {
        let blobs = self.files.keys().filter(|name| name.starts_with("blobs/"));
        blobs.cloned().collect()
    }

    /// Every blob that a root leads to, whether it is there or not.
    pub(super) fn reached(&self) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut queue = self.roots();
        while let Some(descriptor) = queue.pop() {
            let name = blob_path(&descriptor["digest"]);
            let is_document = text(&descriptor["mediaType"]).contains("manifest")
                || text(&descriptor["mediaType"]).contains("index");
            if is_document && let Some(bytes) = self.files.get(&name) {
                let document: Value = serde_json::from_slice(bytes).unwrap();
                queue.extend(document.get("config").cloned());
                for key in ["manifests", "layers"] {
                    queue.extend(document[key].as_array().into_iter().flatten().cloned());
                }
            }
            reached.insert(name);
        }
        reached
    }
}

pub(super) fn blob_path(digest: &Value) -> String {
    format!("blobs/{}", text(digest).replace(':', "/"))
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `os/architecture[/variant]` of a descriptor's platform.
pub(super) fn platform(descriptor: &Value) -> String {
    let platform = &descriptor["platform"];
    let parts = ["os", "architecture", "variant"].map(|key| text(&platform[key]));
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("/")
}
