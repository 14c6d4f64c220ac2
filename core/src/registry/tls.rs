//! Whom to trust: the system's authorities, `--tls-ca`, and the `certs.d` folders that docker and
//! podman already have on a node, with the certificates of clients.

mod itself;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use itself::Itself;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore, SignatureScheme,
};

use super::url::authority;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Settings;
use crate::{fsx, limits};

/// Whom to trust, by host.
#[derive(Debug)]
pub(super) struct Trust {
    folders: Vec<PathBuf>,
    settings: Settings,
    extra: Vec<CertificateDer<'static>>,
    insecure: bool,
    system: OnceLock<Vec<CertificateDer<'static>>>,
    known: Mutex<HashMap<(String, u16), Arc<ClientConfig>>>,
}

impl Trust {
    /// Trusts the authorities in `tls_ca` besides the system's.
    pub(super) fn new(settings: &Settings, tls_ca: Option<&Path>, insecure: bool) -> Result<Self> {
        let mut folders = settings.certificates.clone();
        let own = settings.config_home.clone();
        let own = own.or_else(|| settings.home.as_ref().map(|home| home.join(".config")));
        folders.extend(own.map(|own| own.join("containers/certs.d")));
        Ok(Self {
            folders,
            settings: settings.clone(),
            extra: tls_ca.map(certificates).transpose()?.unwrap_or_default(),
            insecure,
            system: OnceLock::new(),
            known: Mutex::default(),
        })
    }

    /// How to speak TLS with a host.
    pub(super) fn of(&self, host: &str, port: u16) -> Result<Arc<ClientConfig>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_owned(), port);
        if let Some(config) = known.get(&key) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make(host, port)?);
        known.insert(key, Arc::clone(&config));
        Ok(config)
    }

    fn make(&self, host: &str, port: u16) -> Result<ClientConfig> {
        let mut trusted = self.system.get_or_init(|| self.system_roots()).clone();
        let mut client = None;
        trusted.extend(self.extra.iter().cloned());
        for file in self.files(host, port)? {
            match file.extension().and_then(|end| end.to_str()) {
                Some("crt") => trusted.extend(certificates(&file)?),
                Some("cert") if client.is_none() => client = Some(file),
                _ => {}
            }
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(ErrorKind::Internal, format!("TLS: {error}")))?;
        let builder = if self.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(Arc::clone(&provider))))
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(trusted.iter().cloned());
            let roots = Arc::new(roots);
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider.clone());
            match verifier.build() {
                Ok(authorities) => builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(Itself {
                        authorities,
                        trusted,
                    })),
                // Where nobody is trusted there is nothing to build.
                Err(_) => builder.with_root_certificates(roots),
            }
        };
        let Some(certificate) = client else {
            return Ok(builder.with_no_client_auth());
        };
        let key_file = certificate.with_extension("key");
        let key = PrivateKeyDer::from_pem_slice(&fsx::read_small(&key_file, limits::MAX_JSON)?)
            .map_err(|error| unusable(&key_file, &format!("no private key: {error}")))?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| unusable(&key_file, &error.to_string()))?;
        let known = CertifiedKey::new(certificates(&certificate)?, key);
        // The certificates of docker's manual are of version 1, which cannot be looked into here.
        if let Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) =
            known.keys_match()
        {
            return Err(unusable(
                &key_file,
                "it is not the key of the certificate beside it",
            ));
        }
        Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(known))))
    }

    /// What the folders of this host hold.
    fn files(&self, host: &str, port: u16) -> Result<Vec<PathBuf>> {
        // An address of version 6 has brackets there, as in references.
        let mut names = vec![authority(host, port)];
        if port == 443 {
            names.push(host.to_owned());
        }
        let mut found = Vec::new();
        for folder in &self.folders {
            for name in &names {
                let folder = folder.join(name);
                let listed = match fsx::metadata_if_any(&folder) {
                    Ok(Some(kind)) if kind.is_dir() => fsx::read_dir_sorted(&folder),
                    Ok(_) => continue,
                    Err(error) => Err(error),
                };
                match listed {
                    Ok(listed) => found.extend(listed),
                    // Somebody else's: whom this user trusts does not stand there.
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                        tracing::warn!("certificates are passed over: {error}");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// The system's authorities. One that cannot be read is missed when a certificate needs it.
    fn system_roots(&self) -> Vec<CertificateDer<'static>> {
        let (file, folder) = (&self.settings.tls_ca_file, &self.settings.tls_ca_dir);
        let loaded = if file.is_some() || folder.is_some() {
            rustls_native_certs::load_certs_from_paths(file.as_deref(), folder.as_deref())
        } else {
            rustls_native_certs::load_native_certs()
        };
        for error in &loaded.errors {
            tracing::warn!("the system's certificate authorities: {error}");
        }
        loaded.certs
    }
}

/// The certificates of a file in PEM.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = fsx::read_small(path, limits::MAX_JSON)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(path, "no certificate in it")),
        Err(error) => Err(unusable(path, &error.to_string())),
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Usage, why)
        .operation("cannot use")
        .path(path)
        .hint("certificates and keys are expected in PEM")
}

/// Believes anybody: `--insecure`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
