//! How to get into registries.

use std::ffi::OsString;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use fusion_core::registry::{Access, Connect, Secret};
use fusion_core::settings::Settings;
use fusion_core::{Error, ErrorKind, Result};

use super::values;

/// No password is longer; what is, is something else that was piped by mistake.
const LONGEST: u64 = 64 << 10;

/// How to get into registries. A password never stands in the command line, which every process
/// of the machine may read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry")]
pub(crate) struct ConnectArgs {
    /// Log in as USER [default: what docker, podman and credential helpers have stored]
    #[arg(long, value_name = "USER", requires = "password_stdin")]
    username: Option<String>,

    /// Read the password of `--username` from standard input, one line
    #[arg(long, requires = "username")]
    password_stdin: bool,

    /// Trust the certificates in FILE too, of authorities or of a server itself, besides the
    /// system's and those of `certs.d`
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// Check no certificates, and take plain HTTP too
    #[arg(long)]
    insecure: bool,

    /// `--tls-verify=false` is `--insecure`
    #[arg(
        long,
        value_name = "BOOL",
        action = ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true,
        hide_possible_values = true
    )]
    tls_verify: bool,

    /// Plain HTTP only
    #[arg(long)]
    plain_http: bool,

    /// How often to repeat a request that failed for a reason that may pass
    #[arg(
        long,
        value_name = "N",
        default_value_t = Access::default().retries,
        value_parser = values::retries
    )]
    retries: u32,
}

impl ConnectArgs {
    /// The access that is asked for, with the password from standard input, and what the
    /// environment says. `sources` are those of the same command line.
    pub(crate) fn connect(&self, sources: &[OsString]) -> Result<Connect> {
        self.connect_from(sources, &mut std::io::stdin().lock())
    }

    fn connect_from(&self, sources: &[OsString], input: &mut dyn BufRead) -> Result<Connect> {
        let mut access = self.access();
        if self.password_stdin {
            if sources.iter().any(|source| source == "-") {
                let message = "`--password-stdin` and the source `-` both want standard input";
                return Err(usage(message).hint("name a file in the place of `-`"));
            }
            access.password = Some(password(input)?);
        }
        Ok(Connect {
            access,
            settings: Settings::from_env(),
        })
    }

    /// What the options say by themselves.
    pub(super) fn access(&self) -> Access {
        Access {
            only_for: None,
            username: self.username.clone(),
            password: None,
            tls_ca: self.tls_ca.clone(),
            insecure: self.insecure || !self.tls_verify,
            plain_http: self.plain_http,
            retries: self.retries,
        }
    }
}

/// The first line of `input`.
fn password(input: &mut dyn BufRead) -> Result<Secret> {
    let mut line = Vec::new();
    input
        .take(LONGEST + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| Error::io("cannot read", Path::new("standard input"), error))?;
    if line.len() as u64 > LONGEST {
        return Err(usage("standard input is too long for a password"));
    }
    // What is no text is not shown either: it may be a password all the same.
    let text = String::from_utf8(line).map_err(|_| usage("the password is not UTF-8"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(usage("standard input has no password")
            .hint("pipe it in: `--password-stdin < password.txt`")),
        text => Ok(Secret::new(text)),
    }
}

fn usage(message: &str) -> Error {
    Error::new(ErrorKind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ConnectArgs {
        ConnectArgs {
            username: Some("robot$ci".into()),
            password_stdin: true,
            tls_ca: None,
            insecure: false,
            tls_verify: true,
            plain_http: false,
            retries: 3,
        }
    }

    #[test]
    fn the_password_is_the_first_line() {
        for given in ["pa ss\n", "pa ss\r\nmore\n", "pa ss"] {
            let connect = args().connect_from(&[], &mut given.as_bytes());
            let access = connect.expect(given).access;
            assert_eq!(access.password, Some(Secret::new("pa ss")), "{given:?}");
        }
    }

    #[test]
    fn what_is_no_password_is_refused_and_not_shown() {
        let long = "x".repeat(70_000);
        for given in [&b""[..], b"\n", b"pass\xff\n", long.as_bytes()] {
            let error = args().connect_from(&[], &mut &*given).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Usage);
            let said = format!("{error} {error:?}");
            assert!(
                !said.contains("pass\\xff") && !said.contains("xxx"),
                "{said}"
            );
        }
    }

    #[test]
    fn standard_input_is_not_password_and_archive() {
        let sources = ["a.tar".into(), "-".into()];
        let error = args().connect_from(&sources, &mut &b"secret\n"[..]);
        assert_eq!(error.expect_err("refused").kind(), ErrorKind::Usage);
    }
}
