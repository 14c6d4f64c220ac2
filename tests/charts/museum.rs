//! ChartMuseum, in a folder of its own, on a loopback port.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clients::process::{Daemon, state_dir};
use crate::programs::built;

/// How it is to be. By default anybody may read and write, and there is one repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Who has to log in, by name and password.
    pub(crate) auth: Option<(String, String)>,
    /// How many folders stand before a repository's charts.
    pub(crate) depth: usize,
    /// What all of its paths begin with.
    pub(crate) context: Option<&'static str>,
    /// A chart that is there may be replaced without `force`.
    pub(crate) overwrites: bool,
    /// No chart may be replaced, also not with `force`.
    pub(crate) refuses_force: bool,
}

#[derive(Debug)]
pub(crate) struct ChartMuseum {
    daemon: Daemon,
    host: String,
}

impl ChartMuseum {
    /// Starts one, unless this machine cannot build it; that is said aloud.
    pub(crate) fn start(options: &Options) -> Option<Self> {
        let program = built("chartmuseum")?;
        let state = state_dir();
        let charts = state.path().join("charts");
        std::fs::create_dir(&charts).expect("the folder of charts");
        let port = port();
        let mut words = vec![
            program.into_os_string().into_string().expect("UTF-8"),
            "--listen-host=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--storage=local".to_owned(),
            format!("--storage-local-rootdir={}", charts.display()),
            format!("--depth={}", options.depth),
            "--debug".to_owned(),
        ];
        if let Some((user, password)) = &options.auth {
            words.push(format!("--basic-auth-user={user}"));
            words.push(format!("--basic-auth-pass={password}"));
        }
        words.extend(
            options
                .context
                .map(|context| format!("--context-path={context}")),
        );
        words.extend(
            options
                .overwrites
                .then(|| "--allow-overwrite=true".to_owned()),
        );
        words.extend(
            options
                .refuses_force
                .then(|| "--disable-force-overwrite=true".to_owned()),
        );
        let ready = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        let words = words.into_iter().map(Into::into);
        Some(Self {
            daemon: Daemon::launch("chartmuseum", state, words, ready),
            host: format!("127.0.0.1:{port}"),
        })
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where it keeps its charts.
    pub(crate) fn storage(&self) -> PathBuf {
        self.daemon.state().join("charts")
    }

    /// The end of what it logged, to show where a test fails.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }
}

/// A port that nobody listens on. It is below those that the system gives away, so that nobody
/// gets it before the server does; ChartMuseum cannot say which one it was given.
fn port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..2000 {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = (std::process::id().wrapping_mul(13).wrapping_add(next)) % 9000;
        let port = 20_000 + u16::try_from(offset).expect("below 9000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
