//! Checksum files, as `sha512sum` and `sha256sum` write them, beside a source or within it.

mod again;
mod beside;
mod list;
mod summed;
mod within;

use sha2::Digest as _;

pub(crate) use beside::beside;
pub(crate) use list::{Line, List, MOST};
pub(super) use summed::Summed;
pub(super) use within::Wanted;
pub(crate) use within::{Sums, check, list_of};

use crate::error::{Error, ErrorKind, Result};

/// What the names of archives end in.
const ENDINGS: [&str; 4] = [".tar.gz", ".tgz", ".tar.zst", ".tar"];

/// What a checksum is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    /// All there are.
    pub(super) const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// What a checksum in lower case hex was made with; `None` if it is none.
    pub(crate) fn of(hex: &str) -> Option<Self> {
        let digits = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match hex.len() {
            64 if hex.bytes().all(digits) => Some(Self::Sha256),
            128 if hex.bytes().all(digits) => Some(Self::Sha512),
            _ => None,
        }
    }

    /// How many digits a checksum has.
    pub(crate) const fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// What a checksum file says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    hex: String,
    /// The checksum file, as errors name it.
    by: String,
}

impl Stated {
    pub(super) fn algorithm(&self) -> Algorithm {
        Algorithm::of(&self.hex).unwrap_or(Algorithm::Sha512)
    }

    pub(crate) fn summer(&self) -> Summer {
        Summer::new(self.algorithm())
    }

    /// That a file's checksum is not `found` is an error.
    pub(crate) fn check(&self, found: &str) -> Result<()> {
        if found == self.hex {
            return Ok(());
        }
        let short = |hex: &str| hex.chars().take(16).collect::<String>();
        let message = format!(
            "its {} begins {}, `{}` says {}",
            self.algorithm().name(),
            short(found),
            self.by,
            short(&self.hex)
        );
        Err(Error::new(ErrorKind::DigestMismatch, message)
            .hint("the file or its checksum is damaged or of another release: fetch both again"))
    }
}

/// Makes a checksum of what it is given.
#[derive(Debug, Clone)]
pub(crate) enum Summer {
    Sha256(sha2::Sha256),
    Sha512(Box<sha2::Sha512>),
}

impl Summer {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::default()),
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum, in lower case hex.
    pub(crate) fn finish(self) -> String {
        let bytes = match self {
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
