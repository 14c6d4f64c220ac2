use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;

use super::*;

/// For 127.0.0.1, until the year 2126, as `openssl req -x509` makes them.
const ONE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBiTCCATCgAwIBAgIUNkH2g7bWpoMel+BAchG4Tmru8VYwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGaXRzZWxmMCAXDTI2MTEyMTIyNDUxMVoYDzIxMjYxMDI4MjI0
NTExWjARMQ8wDQYDVQQDDAZpdHNlbGYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARaTzHwMAKl0z67uVgy+O1wwzUvS8zgtZQ4osxMEIfSXqPcQuCtofkBusKHy9UX
0TPbiuiR3b4z0QoZKIgtacqzo2QwYjAdBgNVHQ4EFgQUJZhWVPu8eOXg1VInv8JC
Ek2/QTgwHwYDVR0jBBgwFoAUJZhWVPu8eOXg1VInv8JCEk2/QTgwDwYDVR0TAQH/
BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQCIEzZ+Fji
NYzmZRCP6FAjDQ2b8FFn6MUkYojQgFIJ6JdzAiBFIqEbxIN7JpbQa2yz3KVTUYNn
Epmt4YDN6WBU1fhFQg==
-----END CERTIFICATE-----
";

/// The same by another key.
const OTHER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBizCCATCgAwIBAgIUZML+uQgAzVp3QFJeikN5PBbOBkwwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGaXRzZWxmMCAXDTI2MTEyMTIyNDUxMVoYDzIxMjYxMDI4MjI0
NTExWjARMQ8wDQYDVQQDDAZpdHNlbGYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATWKHT0QX4mxrxUsWikg6XzUak600rSyeJHEiRlgELcI1R4Jg1o7XIQR4k/dO14
Yw51cdl3w0sKTPcGkgMjAVCeo2QwYjAdBgNVHQ4EFgQUPoakjj7a9sUTGws1JadR
rLfykjAwHwYDVR0jBBgwFoAUPoakjj7a9sUTGws1JadRrLfykjAwDwYDVR0TAQH/
BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYCIQC7IQmP
lkUres+erauuemfNAqLkTzCmgaxoIthxE5FtrQIhAJ6PGTFJ8BTdOZdEENNzigRY
oiwGzIlISkm4SNMe6a6k
-----END CERTIFICATE-----
";

const YEAR: u64 = 365 * 24 * 3600;

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

/// What somebody who trusts `trusted` says of `shown` in `year`, at that address.
fn verdict(trusted: &str, shown: &str, at: &str, year: u64) -> Result<(), CertificateError> {
    let trusted = vec![certificate(trusted)];
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().cloned());
    let provider = Arc::new(ring::default_provider());
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .expect("somebody to trust");
    let itself = Itself {
        authorities,
        trusted,
    };
    let name = ServerName::try_from(at).expect("an address");
    let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * YEAR));
    match itself.verify_server_cert(&certificate(shown), &[], &name, &[], now) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InvalidCertificate(why)) => Err(why),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_certificate_that_is_trusted_itself_is_taken() {
    assert_eq!(verdict(ONE, ONE, "127.0.0.1", 2030), Ok(()));
}

#[test]
fn another_one_is_not_nor_elsewhere_nor_at_another_time() {
    let refused = |shown, at, year| verdict(ONE, shown, at, year).expect_err("refused");
    assert_eq!(
        refused(OTHER, "127.0.0.1", 2030),
        CertificateError::UnknownIssuer
    );
    assert!(matches!(
        refused(ONE, "127.0.0.2", 2030),
        CertificateError::NotValidForNameContext { .. }
    ));
    assert!(matches!(
        refused(ONE, "127.0.0.1", 2130),
        CertificateError::ExpiredContext { .. }
    ));
    assert!(matches!(
        refused(ONE, "127.0.0.1", 2020),
        CertificateError::NotValidYetContext { .. }
    ));
}
