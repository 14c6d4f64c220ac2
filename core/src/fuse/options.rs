//! The choices of `fuse`. Defaults are the documented ones.

pub(crate) mod named;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};
use crate::oci::{Platform, Reference};
use crate::registry::Connect;

/// An enum whose variants are words on the command line, in Python and in C.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every word, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Error::new(
                        ErrorKind::Usage,
                        format!("`{text}` is no {}: expected one of {}", $what, Self::WORDS.join(", ")),
                    )),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

pub(crate) use words;

words!(
    /// What the destination is.
    Format, "format", {
        /// An OCI layout directory.
        Oci = "oci",
        /// A loadable archive: an OCI layout in a tar file, with a `manifest.json` for Docker.
        OciArchive = "oci-archive",
        /// A chart bundle: the chart, its hints, its images in a loadable archive.
        Bundle = "bundle",
        /// A package: the tree of the sources, with every archive in it fused.
        Package = "package",
    }
);

words!(
    /// What to do when inputs disagree on the image of one reference and platform.
    OnConflict, "conflict policy", {
        /// Fail.
        Error = "error",
        /// Keep that of the source named first.
        First = "first",
        /// Keep that of the source named last.
        Last = "last",
    }
);

words!(
    /// What to do when packages have different files in one place.
    OnFileConflict, "policy for files", {
        /// Keep all: the first platform's stays, the others stand beside it with their platform in
        /// the name.
        Beside = "beside",
        /// Fail.
        Error = "error",
        /// Keep that of the source named first.
        First = "first",
        /// Keep that of the source named last.
        Last = "last",
    }
);

words!(
    /// What to do when the destination exists.
    OnExisting, "policy for existing destinations", {
        /// Fail.
        Error = "error",
        /// Add to it; platforms of this run replace those of the same reference.
        Merge = "merge",
        /// Put the result in its place.
        Replace = "replace",
        /// Leave tags of a registry that exist as they are.
        Skip = "skip",
    }
);

words!(
    /// Which media types new and converted documents have.
    MediaTypes, "media type policy", {
        /// What exists stays; what is new is OCI.
        Keep = "keep",
        /// OCI types.
        Oci = "oci",
        /// Docker's types.
        Docker = "docker",
        /// As `keep`; where a registry refuses those of one kind, the other.
        Auto = "auto",
    }
);

words!(
    /// How much is verified.
    Verify, "verification", {
        /// The digest of every blob that is published.
        Blobs = "blobs",
        /// Also the diff ID of every layer, and blobs that the destination has.
        Full = "full",
    }
);

words!(
    /// What survives a loss of power right after the run.
    Durability, "durability", {
        /// The result: data is on disk before it is published.
        Full = "full",
        /// The old or the new state as far as the file system orders it; faster.
        Rename = "rename",
    }
);

/// How layers are compressed in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compress {
    /// As they are.
    Keep,
    /// Not at all.
    None,
    /// With gzip at this level (1–9).
    Gzip(u32),
    /// With zstd at this level (1–22).
    Zstd(i32),
}

impl FromStr for Compress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::new(ErrorKind::Usage, format!("`{text}` is no compression"))
                .hint("write `keep`, `none`, `gzip[:1-9]` or `zstd[:1-22]`")
        };
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level.parse::<i32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        match (name, level) {
            ("keep", None) => Ok(Self::Keep),
            ("none", None) => Ok(Self::None),
            ("gzip", level @ (None | Some(1..=9))) => {
                Ok(Self::Gzip(level.map_or(6, i32::unsigned_abs)))
            }
            ("zstd", level @ (None | Some(1..=22))) => Ok(Self::Zstd(level.unwrap_or(3))),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Compress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::None => f.write_str("none"),
            Self::Gzip(level) => write!(f, "gzip:{level}"),
            Self::Zstd(level) => write!(f, "zstd:{level}"),
        }
    }
}

/// The choices of `fuse`.
#[derive(Debug, Clone)]
pub struct FuseOptions {
    /// What the destination is; `None`: its name and what is there tell.
    pub format: Option<Format>,
    /// Keep only these platforms; all if empty.
    pub platforms: Vec<Platform>,
    /// Fail where an image lacks one of these.
    pub require_platforms: Vec<Platform>,
    /// Keep only images whose reference matches one of these globs; all if empty.
    pub images: Vec<String>,
    /// Leave out images whose reference matches one of these globs.
    pub exclude: Vec<String>,
    /// What to do when inputs disagree.
    pub on_conflict: OnConflict,
    /// What to do when packages have different files in one place.
    pub on_file_conflict: OnFileConflict,
    /// What to do when the destination, or a tag of a registry, exists; `None`: what the verb does
    /// by default.
    pub on_existing: Option<OnExisting>,
    /// The platform of every image of a source, whatever its configuration says: path as the
    /// source was named, platform.
    pub source_platforms: Vec<(PathBuf, Platform)>,
    /// The reference of images that have none.
    pub name: Option<String>,
    /// Take architecture suffixes off names: `app:1.5-arm64` is `app:1.5`.
    pub strip_arch_suffix: bool,
    /// Prefixes of normalised references to replace: from, to.
    pub rename: Vec<(String, String)>,
    /// How layers are compressed.
    pub compression: Compress,
    /// Which media types documents have.
    pub media_types: MediaTypes,
    /// Whose images `docker load` gets from a loadable archive; `None`: `linux/amd64` if
    /// present, else the first.
    pub docker_platform: Option<Platform>,
    /// How much is verified.
    pub verify: Verify,
    /// Annotations of new indexes.
    pub annotations: BTreeMap<String, String>,
    /// What survives a loss of power.
    pub durability: Durability,
    /// Where to spool what cannot be spooled at the destination.
    pub work_dir: Option<PathBuf>,
    /// How many threads work; `None`: one a core.
    pub jobs: Option<usize>,
    /// Plan only; write nothing.
    pub dry_run: bool,
    /// Go on when an image fails.
    pub keep_going: bool,
    /// First remove what abandoned runs into the destination left.
    pub clean: bool,
    /// How to get into registries.
    pub connect: Connect,
    /// Everything is one image.
    pub only: Option<Only>,
}

/// All sources are variants of one image, whatever they call it.
#[derive(Debug, Clone)]
pub struct Only {
    /// What it is called.
    pub reference: Reference,
    /// Whether what the destination has under that name stays.
    pub append: bool,
    /// Platforms that do not stay.
    pub remove: Vec<Platform>,
    /// Whether the sources are what the destination has, and lose them too.
    pub takes_off: bool,
    /// What the images of each source run on, whatever they say, by the source's number: one image
    /// may be named for several platforms.
    pub platforms: Vec<Option<Platform>>,
}

impl Default for FuseOptions {
    fn default() -> Self {
        Self {
            format: None,
            platforms: Vec::new(),
            require_platforms: Vec::new(),
            images: Vec::new(),
            exclude: Vec::new(),
            on_conflict: OnConflict::Error,
            on_file_conflict: OnFileConflict::Beside,
            on_existing: None,
            source_platforms: Vec::new(),
            name: None,
            strip_arch_suffix: false,
            rename: Vec::new(),
            compression: Compress::Keep,
            media_types: MediaTypes::Keep,
            docker_platform: None,
            verify: Verify::Blobs,
            annotations: BTreeMap::new(),
            durability: Durability::Full,
            work_dir: None,
            jobs: None,
            dry_run: false,
            keep_going: false,
            clean: false,
            connect: Connect::default(),
            only: None,
        }
    }
}

impl FuseOptions {
    /// Where to spool what cannot be spooled at the destination.
    pub(crate) fn temp_dir(&self) -> PathBuf {
        let usual = &self.connect.settings.temp_dir;
        self.work_dir.as_ref().unwrap_or(usual).clone()
    }

    /// What to do when a destination on disk exists.
    pub(crate) fn existing(&self) -> OnExisting {
        self.on_existing.unwrap_or(OnExisting::Error)
    }
}
