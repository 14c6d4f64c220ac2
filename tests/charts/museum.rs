//! ChartMuseum, in a folder of its own, on a loopback port.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// Where it listens; on a free loopback port if that is not said.
    pub(crate) address: Option<SocketAddr>,
}

/// How often a port is looked for that somebody else was faster to take.
const TRIES: usize = 20;

/// What it is asked for, to see who answers.
const MARK: &str = "/is-it-you";

#[derive(Debug)]
pub(crate) struct ChartMuseum {
    daemon: Daemon,
    host: String,
}

impl ChartMuseum {
    /// Starts one, unless this machine cannot build it; that is said aloud.
    pub(crate) fn start(options: &Options) -> Option<Self> {
        let program = built("chartmuseum")?;
        let mut why = String::new();
        for _ in 0..TRIES {
            let address = options.address.unwrap_or_else(free);
            match Self::at(address, &program, options) {
                Ok(museum) => return Some(museum),
                Err(said) => why = said,
            }
            if options.address.is_some() || !why.contains("address already in use") {
                break;
            }
        }
        panic!("{why}");
    }

    fn at(address: SocketAddr, program: &Path, options: &Options) -> Result<Self, String> {
        let state = state_dir();
        let charts = state.path().join("charts");
        std::fs::create_dir(&charts).expect("the folder of charts");
        let mut words = vec![
            program.to_str().expect("UTF-8").to_owned(),
            format!("--listen-host={}", address.ip()),
            format!("--port={}", address.port()),
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
        let log = state.path().join("log");
        let words = words.into_iter().map(Into::into);
        let ready = || answers(address, &log);
        Ok(Self {
            daemon: Daemon::try_launch("chartmuseum", state, words, ready)?,
            host: address.to_string(),
        })
    }

    /// `ADDRESS:PORT`.
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

/// A port that nobody listens on, at this moment: ChartMuseum cannot say which one it was given.
fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

/// Whether the server that answers there is the one that writes `log`, and nobody who was faster.
fn answers(address: SocketAddr, log: &Path) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let patience = Some(Duration::from_secs(1));
    stream.set_read_timeout(patience).expect("a patience");
    let asked = write!(stream, "GET {MARK} HTTP/1.0\r\n\r\n");
    let answered = asked.and_then(|()| stream.read(&mut [0]));
    answered.is_ok() && std::fs::read_to_string(log).is_ok_and(|log| log.contains(MARK))
}
