//! Digests, and the hashing that makes them.
//!
//! Grammar: OCI image specification, *descriptor.md*, "Digests". `sha256` and `sha512` are the
//! registered algorithms; hexadecimal digits are lower case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

use crate::error::{Error, ErrorKind};

/// What content goes by: `sha256:…` or `sha512:…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Digest {
    /// SHA-256, which everything writes.
    Sha256([u8; 32]),
    /// SHA-512, which the specification allows.
    Sha512([u8; 64]),
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::Sha256(sha2::Sha256::digest(bytes).into())
    }

    /// The digest whose SHA-256 digits are `hex`: 64 lower-case digits, as file names state it.
    #[must_use]
    pub fn from_sha256_hex(hex: &str) -> Option<Self> {
        decode(hex).map(Self::Sha256)
    }

    /// `sha256` or `sha512`.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// The digits.
    #[must_use]
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.bytes()
            .iter()
            .fold(String::with_capacity(128), |mut hex, byte| {
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }

    /// Where an OCI layout keeps the blob: `blobs/sha256/<hex>`.
    #[must_use]
    pub fn blob_path(&self) -> String {
        format!("blobs/{}/{}", self.algorithm(), self.hex())
    }

    /// The digest that `path` states when it is where an OCI layout keeps a blob.
    #[must_use]
    pub fn from_blob_path(path: &str) -> Option<Self> {
        let (algorithm, hex) = path.strip_prefix("blobs/")?.split_once('/')?;
        match algorithm {
            "sha256" => decode(hex).map(Self::Sha256),
            "sha512" => decode(hex).map(Self::Sha512),
            _ => None,
        }
    }

    /// A hasher of this digest's algorithm.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::sha256(),
            Self::Sha512(_) => Hasher::Sha512(Box::default()),
        }
    }

    /// Whether `bytes` are the content that goes by this digest.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish() == *self
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }
}

/// Decodes exactly `N` bytes of lower-case hexadecimal digits.
fn decode<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digits = hex.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = match text.split_once(':') {
            Some(("sha256", hex)) => decode(hex).map(Self::Sha256),
            Some(("sha512", hex)) => decode(hex).map(Self::Sha512),
            _ => None,
        };
        parsed.ok_or_else(|| {
            let shown: String = text.chars().take(200).collect();
            Error::new(
                ErrorKind::InvalidArchive,
                format!("`{shown}` is not a digest"),
            )
            .hint("a digest is `sha256:` and 64 lower-case hexadecimal digits")
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

/// Hashes content that comes in pieces.
#[derive(Debug, Clone)]
pub enum Hasher {
    /// SHA-256.
    Sha256(sha2::Sha256),
    /// SHA-512; boxed, because it is large and rare.
    Sha512(Box<sha2::Sha512>),
}

impl Hasher {
    /// A SHA-256 hasher.
    #[must_use]
    pub fn sha256() -> Self {
        Self::Sha256(sha2::Sha256::new())
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::Sha256(hasher.finalize().into()),
            Self::Sha512(hasher) => Digest::Sha512(hasher.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn parses_prints_and_hashes() {
        assert_eq!(EMPTY.parse::<Digest>().expect("valid"), Digest::of(b""));
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        let path = Digest::of(b"").blob_path();
        assert_eq!(Digest::from_blob_path(&path), Some(Digest::of(b"")));
    }

    #[test]
    fn sha512_is_a_digest_too() {
        let mut hasher = Digest::Sha512([0; 64]).hasher();
        hasher.update(b"x");
        let digest = hasher.finish();
        assert!(digest.matches(b"x"));
        assert_eq!(digest.to_string().parse::<Digest>().expect("valid"), digest);
    }

    #[test]
    fn refuses_what_could_leave_its_directory() {
        for text in [
            "",
            "sha256:",
            "sha256:../../x",
            "md5:00",
            &EMPTY[..70],
            &EMPTY.to_uppercase(),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
