//! Debian's `docker-registry` (distribution 2.8) on a free loopback port, in a folder of its own;
//! or another registry, with the same handle.

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

/// What a registry is started with.
pub(super) struct Make {
    /// What it is called.
    pub(super) name: &'static str,
    /// The words that its command begins with; `serve` and the configuration follow.
    pub(super) program: Vec<OsString>,
    /// The name of its configuration.
    pub(super) file: &'static str,
    /// What its configuration says, for these options and what else is to be in its folder.
    pub(super) configuration: fn(&Path, SocketAddr, &Options, &Files) -> String,
    /// Where it listens, going by its log; it was asked to listen at that address.
    pub(super) listening: fn(&str, SocketAddr) -> Option<SocketAddr>,
}

impl Make {
    /// A version of distribution.
    pub(super) fn distribution(name: &'static str, program: Vec<OsString>) -> Self {
        Self {
            name,
            program,
            file: "config.yml",
            configuration,
            listening,
        }
    }
}

/// What a configuration names, in the registry's folder.
pub(super) struct Files {
    /// The certificate and its key, where there is TLS.
    pub(super) server: Option<Pair>,
    /// The authority that clients have to have a certificate of.
    pub(super) trusted: Option<PathBuf>,
    /// Who may come in, as `htpasswd` writes it.
    pub(super) users: Option<PathBuf>,
    /// What to show to the registry.
    client: Option<Pair>,
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
        let program = vec![program("docker-registry").into()];
        Self::launch(Make::distribution("docker-registry", program), options)
    }

    /// Starts another.
    pub(super) fn launch(make: Make, options: &Options) -> Self {
        let state = state_dir();
        let folder = state.path().to_path_buf();
        fs::create_dir(folder.join("data")).expect("the storage folder");
        let asked = options.address.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
        let files = Files::write(&folder, asked, options);
        let config = folder.join(make.file);
        let text = (make.configuration)(&folder, asked, options, &files);
        fs::write(&config, text).expect("the configuration");
        let place = Cell::new(None);
        let ready = || {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            place.set((make.listening)(&log, asked));
            place
                .get()
                .is_some_and(|place| TcpStream::connect(place).is_ok())
        };
        let words = (make.program.into_iter()).chain(["serve".into(), config.into_os_string()]);
        let daemon = Daemon::launch(make.name, state, words, ready);
        let ca_file = match options.signs_itself {
            true => "itself.crt",
            false => "authority.crt",
        };
        Self {
            daemon,
            host: place.get().expect("it listens").to_string(),
            ca_file: folder.join(ca_file),
            client: files.client,
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

    /// Where it keeps what it has; distribution `docker/registry/v2` in it.
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

impl Files {
    /// Writes what `options` ask for; the client's certificate if there has to be one.
    fn write(folder: &Path, address: SocketAddr, options: &Options) -> Self {
        let mut files = Self {
            server: None,
            trusted: None,
            users: None,
            client: None,
        };
        if options.tls || options.client_certificates {
            let authority = Authority::new(folder, address.ip());
            files.server = Some(match options.signs_itself {
                true => authority.itself(),
                false => authority.server(),
            });
            if options.client_certificates {
                files.trusted = Some(authority.certificate().to_path_buf());
                files.client = Some(authority.client());
            }
        }
        if let Some((user, password)) = &options.auth {
            let file = folder.join("htpasswd");
            let mut htpasswd = command("htpasswd");
            let line = run_text(htpasswd.args(["-nbB", "-C", "5", user, password]));
            fs::write(&file, line.unwrap_or_else(|e| panic!("{e}"))).expect("the file of users");
            files.users = Some(file);
        }
        files
    }
}

/// What distribution is told.
fn configuration(folder: &Path, address: SocketAddr, options: &Options, files: &Files) -> String {
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
        folder.join("data").display(),
        options.delete,
        options.relative_urls
    );
    let told = "a string takes everything";
    if let Some(Pair { certificate, key }) = &files.server {
        let (certificate, key) = (certificate.display(), key.display());
        writeln!(
            yaml,
            "  tls:\n    certificate: '{certificate}'\n    key: '{key}'"
        )
        .expect(told);
    }
    if let Some(trusted) = &files.trusted {
        writeln!(yaml, "    clientcas: ['{}']", trusted.display()).expect(told);
    }
    if let Some(users) = &files.users {
        let users = users.display();
        writeln!(yaml, "auth:\n  htpasswd: {{realm: tests, path: '{users}'}}").expect(told);
    }
    yaml
}

/// The address in `msg="listening on 127.0.0.1:40123, tls"`.
fn listening(log: &str, _: SocketAddr) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on ")?;
    let within = |c: char| c.is_ascii_hexdigit() || ".:[]".contains(c);
    let end = rest.find(|c| !within(c))?;
    rest[..end].parse().ok()
}
