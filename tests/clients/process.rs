//! Running programs: found or a loud panic, with a deadline; daemons that cannot outlive the tests.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The longest that any single command of a client may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// The longest that a daemon may take to answer, on a machine busy with other tests.
const START: Duration = Duration::from_secs(60);

/// A Unix socket's path has at most 108 bytes; this leaves room for what daemons append.
const STATE_PATH: usize = 60;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A client that refused: what was run, and what it said.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) command: String,
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Failure {
    /// A failure found by the harness itself, in what a client wrote.
    pub(crate) fn found(command: impl Into<String>, finding: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            status: None,
            stdout: String::new(),
            stderr: finding.into(),
        }
    }

    /// Everything the client said, for assertions on messages.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.command)?;
        if let Some(status) = self.status {
            write!(f, ": {status}")?;
        }
        write!(f, "\n{}{}", self.stdout, self.stderr)
    }
}

impl std::error::Error for Failure {}

/// The program of that name, from the folders that Debian's packages install into, else from PATH.
///
/// Panics if there is none: a test that needs a client never passes without it.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        .into_iter()
        .map(PathBuf::from)
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!("the client `{name}` is not installed: run tests/clients/install.sh")
        })
}

/// A command of that client, free of what the caller's environment says about containers.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    for variable in [
        "CONTAINERD_ADDRESS",
        "CONTAINERD_NAMESPACE",
        "CONTAINERD_SNAPSHOTTER",
        "CONTAINERS_CONF",
        "CONTAINER_HOST",
        "DOCKER_API_VERSION",
        "DOCKER_CERT_PATH",
        "DOCKER_CONTEXT",
        "DOCKER_DEFAULT_PLATFORM",
        "DOCKER_HOST",
        "DOCKER_TLS_VERIFY",
        "STORAGE_DRIVER",
        "STORAGE_OPTS",
    ] {
        command.env_remove(variable);
    }
    // Debian installs dockerd, runc and iptables into sbin, which daemons look up by name.
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("PATH", path).env("LC_ALL", "C");
    command
}

/// Runs to the end and returns standard output; anything but status 0 is a [`Failure`].
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>> {
    run_with(command, Stdio::null())
}

/// [`run`], with output as text.
pub(crate) fn run_text(command: &mut Command) -> Result<String> {
    run(command).map(|out| String::from_utf8_lossy(&out).into_owned())
}

/// [`run`], with standard input.
pub(crate) fn run_with(command: &mut Command, stdin: Stdio) -> Result<Vec<u8>> {
    let shown = shown(command);
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{shown}: {e}"));
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(&mut child, DEADLINE);
    let overdue = status.is_none();
    if overdue {
        child.kill().ok();
        child.wait().ok();
    }
    let stdout = stdout.join().unwrap_or_default();
    let mut stderr = String::from_utf8_lossy(&stderr.join().unwrap_or_default()).into_owned();
    if overdue {
        stderr.push_str("killed: it took too long\n");
    }
    match status {
        Some(status) if status.success() => Ok(stdout),
        _ => Err(Failure {
            command: shown,
            status,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr,
        }),
    }
}

/// The lowercase hex SHA-256 of what a command writes, without holding it in memory.
pub(crate) fn sha256_of_output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let mut source = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{shown}: {e}"));
    let stderr = drain(source.stderr.take());
    let stdout = source.stdout.take().expect("stdout is piped");
    let sum = run_with(&mut self::command("sha256sum"), stdout.into());
    let status = wait(&mut source, DEADLINE);
    if status.is_none() {
        source.kill().ok();
        source.wait().ok();
    }
    if !status.is_some_and(|status| status.success()) {
        return Err(Failure {
            command: shown,
            status,
            stdout: String::new(),
            stderr: String::from_utf8_lossy(&stderr.join().unwrap_or_default()).into_owned(),
        });
    }
    let sum = sum?;
    Ok(String::from_utf8_lossy(&sum).chars().take(64).collect())
}

/// The lowercase hex SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("writing a temporary file");
    std::io::Seek::rewind(&mut file).expect("rewinding a temporary file");
    let sum = run_with(&mut command("sha256sum"), file.into()).unwrap_or_else(|e| panic!("{e}"));
    String::from_utf8_lossy(&sum).chars().take(64).collect()
}

/// How a command would be typed.
pub(crate) fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn drain<R: Read + Send + 'static>(stream: Option<R>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).ok();
        }
        bytes
    })
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < limit => thread::sleep(pause),
            _ => return None,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// A new private folder, short enough for sockets; removed when dropped.
pub(crate) fn state_dir() -> TempDir {
    let make = |folder: &Path| {
        tempfile::Builder::new()
            .prefix("fc-")
            .tempdir_in(folder)
            .unwrap_or_else(|e| panic!("a state directory in {}: {e}", folder.display()))
    };
    let dir = make(&std::env::temp_dir());
    if dir.path().as_os_str().len() <= STATE_PATH {
        dir
    } else {
        make(Path::new("/tmp"))
    }
}

/// A daemon and its state directory, which end together.
///
/// A small shell stands between us and the daemon and holds the other end of a pipe. When the
/// [`Daemon`] is dropped (also in a panic), or this process goes away in whatever manner (statics
/// are never dropped; SIGKILL), the pipe closes; then the shell ends the daemon by its process id,
/// undoes mounts under the state directory and removes it.
#[derive(Debug)]
pub(crate) struct Daemon {
    supervisor: Child,
    pipe: Option<ChildStdin>,
    state: PathBuf,
    name: &'static str,
}

/// `$1` is the state directory, the rest the daemon's command. Descriptor 3 is the pipe.
const SUPERVISOR: &str = r#"
state=$1
shift
exec 3<&0 </dev/null
"$@" >"$state/log" 2>&1 3<&- &
daemon=$!
echo "$daemon" >"$state/supervised"
(
    cat <&3 >/dev/null
    kill "$daemon"
    tries=0
    while kill -0 "$daemon" && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL "$daemon"
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$daemon"
status=$?
kill "$watcher" 2>/dev/null
while read -r _ _ _ _ mount _; do
    case $mount in "$state"/*) echo "$mount" ;; esac
done </proc/self/mountinfo | sort -r | while read -r mount; do umount "$mount"; done 2>/dev/null
# A daemon that failed leaves its log for the report; its owner removes the rest.
if [ "$status" -eq 0 ] || [ ! -e "$state/starting" ]; then rm -rf --one-file-system -- "$state"; fi
exit "$status"
"#;

impl Daemon {
    /// Starts `command args` and waits until `ready` answers true.
    pub(crate) fn start(
        name: &'static str,
        state: TempDir,
        args: impl IntoIterator<Item = OsString>,
        ready: impl FnMut() -> bool,
    ) -> Self {
        let words = std::iter::once(program(name).into()).chain(args);
        Self::launch(name, state, words, ready)
    }

    /// Likewise, with a program that need not be installed, the first of `words`.
    pub(crate) fn launch(
        name: &'static str,
        state: TempDir,
        words: impl IntoIterator<Item = OsString>,
        ready: impl FnMut() -> bool,
    ) -> Self {
        Self::try_launch(name, state, words, ready).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Likewise; why not, with its log, if it ended before it was ready.
    pub(crate) fn try_launch(
        name: &'static str,
        state: TempDir,
        words: impl IntoIterator<Item = OsString>,
        mut ready: impl FnMut() -> bool,
    ) -> std::result::Result<Self, String> {
        let state = state.keep();
        fs::write(state.join("starting"), "").expect("writing into a state directory");
        let mut supervisor = command("sh")
            .args([OsStr::new("-c"), OsStr::new(SUPERVISOR), OsStr::new("sh")])
            .arg(&state)
            .args(words)
            .env("TMPDIR", &state)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at a terminal must not reach the shell before it has cleaned up.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("starting {name}: {e}"));
        let pipe = supervisor.stdin.take();
        let mut this = Self {
            supervisor,
            pipe,
            state,
            name,
        };
        let start = Instant::now();
        while !ready() {
            let ended = this.supervisor.try_wait().ok().flatten();
            if ended.is_some() || start.elapsed() > START {
                let log = this.log();
                return Err(format!("{name} did not start ({ended:?}); its log:\n{log}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        fs::remove_file(this.state.join("starting")).ok();
        Ok(this)
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// The daemon's own process id.
    pub(crate) fn id(&self) -> u32 {
        fs::read_to_string(self.state.join("supervised"))
            .ok()
            .and_then(|id| id.trim().parse().ok())
            .unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// The end of what the daemon logged.
    pub(crate) fn log(&self) -> String {
        let mut log = String::new();
        if let Ok(mut file) = File::open(self.state.join("log")) {
            file.read_to_string(&mut log).ok();
        }
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.pipe.take();
        if wait(&mut self.supervisor, Duration::from_secs(30)).is_none() {
            self.supervisor.kill().ok();
            self.supervisor.wait().ok();
        }
        fs::remove_dir_all(&self.state).ok();
    }
}
