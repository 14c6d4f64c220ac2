//! A certificate authority for tests, made by `openssl` in a folder of its own.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::clients::process::{command, run};

/// What the certificates say. Debian's own configuration would make everybody an authority; what
/// signs itself is one here, too. `ADDRESS` is the server's.
const CONFIGURATION: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:ADDRESS, DNS:localhost, DNS:registry.test
[itself]
basicConstraints = critical, CA:TRUE
subjectAltName = IP:ADDRESS
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
";

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
    own: Pair,
}

impl Authority {
    /// One for a server at `address`.
    pub(crate) fn new(folder: &Path, address: IpAddr) -> Self {
        let configuration = CONFIGURATION.replace("ADDRESS", &address.to_string());
        fs::write(folder.join("openssl.cnf"), configuration).expect("openssl.cnf");
        let folder = folder.to_path_buf();
        let own = make(&folder, "authority", None);
        Self { folder, own }
    }

    /// For the server's address, `localhost` and `registry.test`.
    pub(crate) fn server(&self) -> Pair {
        make(&self.folder, "server", Some(&self.own))
    }

    /// For the server's address, signed by itself alone, as `openssl req -x509` makes them.
    pub(crate) fn itself(&self) -> Pair {
        make(&self.folder, "itself", None)
    }

    pub(crate) fn client(&self) -> Pair {
        make(&self.folder, "client", Some(&self.own))
    }

    /// What those who trust it are given.
    pub(crate) fn certificate(&self) -> &Path {
        &self.own.certificate
    }
}

fn make(folder: &Path, kind: &str, signed_by: Option<&Pair>) -> Pair {
    let pair = Pair {
        certificate: folder.join(format!("{kind}.crt")),
        key: folder.join(format!("{kind}.key")),
    };
    let mut openssl = command("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "30"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
        .arg("-config")
        .arg(folder.join("openssl.cnf"))
        .args(["-extensions", kind, "-subj", &format!("/CN=test {kind}")])
        .arg("-keyout")
        .arg(&pair.key)
        .arg("-out")
        .arg(&pair.certificate);
    if let Some(authority) = signed_by {
        openssl
            .arg("-CA")
            .arg(&authority.certificate)
            .arg("-CAkey")
            .arg(&authority.key);
    }
    run(&mut openssl).unwrap_or_else(|e| panic!("{e}"));
    pair
}
