//! Debian's `docker-registry` (distribution 2.8) on a free loopback port, in a folder of its own;
//! or another version of it, whose configuration is the same.

use std::cell::Cell;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use super::authority::{Authority, Pair};
use super::uploads::{Line, Uploads};
use crate::clients::process::{Daemon, command, program, run_text, state_dir};

/// How the registry is to be. By default anybody may read and write, in plain HTTP.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Who has to log in, by name and password (kept as bcrypt, as the registry demands).
    pub(crate) auth: Option<(String, String)>,
    /// With a certificate of [`DockerRegistry::ca_file`].
    pub(crate) tls: bool,
    /// Which is its own, then, signed by itself.
    pub(crate) signs_itself: bool,
    /// Who has no certificate of that authority is turned away.
    pub(crate) client_certificates: bool,
    /// Manifests and blobs can be deleted.
    pub(crate) delete: bool,
    /// Places in answers are paths instead of URLs.
    pub(crate) relative_urls: bool,
    /// Where it listens; on a free loopback port if that is not said.
    pub(crate) address: Option<SocketAddr>,
}

impl Options {
    pub(crate) fn auth(mut self, user: &str, password: &str) -> Self {
        self.auth = Some((user.to_owned(), password.to_owned()));
        self
    }

    pub(crate) fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// TLS, by a certificate that only itself vouches for.
    pub(crate) fn signing_itself(mut self) -> Self {
        self.signs_itself = true;
        self.tls()
    }

    /// At an address of one's own choice.
    pub(crate) fn at(mut self, address: impl Into<SocketAddr>) -> Self {
        self.address = Some(address.into());
        self
    }
}

#[derive(Debug)]
pub(crate) struct DockerRegistry {
    daemon: Daemon,
    host: String,
    ca_file: PathBuf,
    client: Option<Pair>,
}

impl DockerRegistry {
    pub(crate) fn start(options: &Options) -> Self {
        let program = [program("docker-registry").into()];
        Self::launch("docker-registry", program, options)
    }

    /// Starts the registry that the words `program` are the begin of a command of.
    pub(super) fn launch(
        name: &'static str,
        program: impl IntoIterator<Item = OsString>,
        options: &Options,
    ) -> Self {
        let state = state_dir();
        let folder = state.path().to_path_buf();
        let asked = options.address.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
        let client = configure(&folder, asked, options);
        let place = Cell::new(None);
        let ready = || {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            place.set(listening(&log));
            place
                .get()
                .is_some_and(|place| TcpStream::connect(place).is_ok())
        };
        let config = folder.join("config.yml").into_os_string();
        let words = program.into_iter().chain(["serve".into(), config]);
        let daemon = Daemon::launch(name, state, words, ready);
        let ca_file = match options.signs_itself {
            true => "itself.crt",
            false => "authority.crt",
        };
        Self {
            daemon,
            host: place.get().expect("it listens").to_string(),
            ca_file: folder.join(ca_file),
            client,
        }
    }

    /// A plain and open one.
    pub(crate) fn open() -> Self {
        Self::start(&Options::default())
    }

    /// `ADDRESS:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The certificate to trust, where there is TLS.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.ca_file.clone()
    }

    /// What to show to a registry with `client_certificates`.
    pub(crate) fn client(&self) -> &Pair {
        self.client.as_ref().expect("it asks for certificates")
    }

    /// Where it keeps `docker/registry/v2`.
    pub(crate) fn storage_path(&self) -> PathBuf {
        self.daemon.state().join("data")
    }

    /// The requests it has answered so far. A line is written before its answer leaves, at least
    /// if that is as short as answers to uploads are.
    pub(crate) fn requests(&self) -> Vec<Line> {
        Line::all(&self.whole_log())
    }

    /// What has been uploaded to it so far, told by itself.
    pub(crate) fn uploads(&self) -> Uploads {
        Uploads::count(&self.requests())
    }

    /// Everything it logged, to show where a test fails.
    pub(crate) fn whole_log(&self) -> String {
        fs::read_to_string(self.daemon.state().join("log")).unwrap_or_default()
    }
}

/// Writes the configuration and what it names; the client's certificate if there has to be one.
fn configure(folder: &Path, address: SocketAddr, options: &Options) -> Option<Pair> {
    let data = folder.join("data");
    fs::create_dir(&data).expect("the storage folder");
    let mut yaml = format!(
        "version: 0.1\n\
         log: {{level: info, accesslog: {{disabled: false}}}}\n\
         storage:\n\
         \x20 filesystem: {{rootdirectory: '{}'}}\n\
         \x20 delete: {{enabled: {}}}\n\
         \x20 maintenance: {{uploadpurging: {{enabled: false}}}}\n\
         http:\n\
         \x20 addr: {address}\n\
         \x20 secret: of tests\n\
         \x20 relativeurls: {}\n",
        data.display(),
        options.delete,
        options.relative_urls
    );
    let mut client = None;
    if options.tls || options.client_certificates {
        let authority = Authority::new(folder, address.ip());
        let server = match options.signs_itself {
            true => authority.itself(),
            false => authority.server(),
        };
        write!(
            yaml,
            "  tls:\n    certificate: '{}'\n    key: '{}'\n",
            server.certificate.display(),
            server.key.display()
        )
        .expect("a string takes everything");
        if options.client_certificates {
            let trusted = authority.certificate().display();
            writeln!(yaml, "    clientcas: ['{trusted}']").expect("a string takes everything");
            client = Some(authority.client());
        }
    }
    if let Some((user, password)) = &options.auth {
        let file = folder.join("htpasswd");
        let mut htpasswd = command("htpasswd");
        let line = run_text(htpasswd.args(["-nbB", "-C", "5", user, password]));
        fs::write(&file, line.unwrap_or_else(|e| panic!("{e}"))).expect("the file of users");
        write!(
            yaml,
            "auth:\n  htpasswd: {{realm: tests, path: '{}'}}\n",
            file.display()
        )
        .expect("a string takes everything");
    }
    fs::write(folder.join("config.yml"), yaml).expect("the configuration");
    client
}

/// The address in `msg="listening on 127.0.0.1:40123, tls"`.
fn listening(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on ")?;
    let within = |c: char| c.is_ascii_hexdigit() || ".:[]".contains(c);
    let end = rest.find(|c| !within(c))?;
    rest[..end].parse().ok()
}
