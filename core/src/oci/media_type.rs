//! Media types as values with predicates (image specification, *media-types.md*; Docker's image
//! manifest version 2, schema 2).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compression {
    /// A plain tar archive.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// The compression's name in reports: `none`, `gzip` or `zstd`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What the first bytes of content say it is compressed with.
    #[must_use]
    pub fn sniff(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A zstd skippable frame may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What a descriptor says its content is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// An OCI image index.
    pub const OCI_INDEX: Self = Self::known("application/vnd.oci.image.index.v1+json");
    /// An OCI image manifest.
    pub const OCI_MANIFEST: Self = Self::known("application/vnd.oci.image.manifest.v1+json");
    /// An OCI image configuration.
    pub const OCI_CONFIG: Self = Self::known("application/vnd.oci.image.config.v1+json");
    /// A Docker manifest list.
    pub const DOCKER_LIST: Self =
        Self::known("application/vnd.docker.distribution.manifest.list.v2+json");
    /// A Docker schema 2 manifest.
    pub const DOCKER_MANIFEST: Self =
        Self::known("application/vnd.docker.distribution.manifest.v2+json");
    /// A Docker image configuration.
    pub const DOCKER_CONFIG: Self = Self::known("application/vnd.docker.container.image.v1+json");

    const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The media type spelled `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }

    /// The OCI layer type for `compression`.
    #[must_use]
    pub fn oci_layer(compression: Compression) -> Self {
        Self::known(match compression {
            Compression::None => "application/vnd.oci.image.layer.v1.tar",
            Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        })
    }

    /// The Docker layer type for `compression`; there is none for zstd.
    #[must_use]
    pub fn docker_layer(compression: Compression) -> Option<Self> {
        match compression {
            Compression::None => Some(Self::known("application/vnd.docker.image.rootfs.diff.tar")),
            Compression::Gzip => Some(Self::known(
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            )),
            Compression::Zstd => None,
        }
    }

    /// The media type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An OCI index or a Docker manifest list.
    #[must_use]
    pub fn is_index(&self) -> bool {
        *self == Self::OCI_INDEX || *self == Self::DOCKER_LIST
    }

    /// An OCI or Docker schema 2 manifest.
    #[must_use]
    pub fn is_manifest(&self) -> bool {
        *self == Self::OCI_MANIFEST || *self == Self::DOCKER_MANIFEST
    }

    /// A Docker schema 1 manifest, signed or not.
    #[must_use]
    pub fn is_schema1(&self) -> bool {
        self.0
            .starts_with("application/vnd.docker.distribution.manifest.v1+")
    }

    /// The configuration of an image, as against that of another artifact.
    #[must_use]
    pub fn is_image_config(&self) -> bool {
        *self == Self::OCI_CONFIG || *self == Self::DOCKER_CONFIG
    }

    /// A type of Docker's own.
    #[must_use]
    pub fn is_docker(&self) -> bool {
        self.0.starts_with("application/vnd.docker.")
    }

    /// A filesystem layer, and how it is compressed; `None` for anything else.
    #[must_use]
    pub fn layer_compression(&self) -> Option<Compression> {
        let layer = self
            .0
            .strip_prefix("application/vnd.oci.image.layer.")
            .or_else(|| self.0.strip_prefix("application/vnd.docker.image.rootfs."))?;
        match layer {
            "v1.tar" | "nondistributable.v1.tar" | "diff.tar" | "foreign.diff.tar" => {
                Some(Compression::None)
            }
            "v1.tar+gzip"
            | "nondistributable.v1.tar+gzip"
            | "diff.tar.gzip"
            | "foreign.diff.tar.gzip" => Some(Compression::Gzip),
            "v1.tar+zstd" | "nondistributable.v1.tar+zstd" | "diff.tar.zstd" => {
                Some(Compression::Zstd)
            }
            _ => None,
        }
    }

    /// A layer whose content may live elsewhere, at the URLs of its descriptor.
    #[must_use]
    pub fn is_foreign_layer(&self) -> bool {
        self.layer_compression().is_some()
            && (self.0.contains(".nondistributable.") || self.0.contains(".foreign."))
    }

    /// The same thing as an OCI type.
    #[must_use]
    pub fn to_oci(&self) -> Self {
        if *self == Self::DOCKER_LIST {
            Self::OCI_INDEX
        } else if *self == Self::DOCKER_MANIFEST {
            Self::OCI_MANIFEST
        } else if *self == Self::DOCKER_CONFIG {
            Self::OCI_CONFIG
        } else {
            match (
                self.is_docker(),
                self.is_foreign_layer(),
                self.layer_compression(),
            ) {
                (true, false, Some(compression)) => Self::oci_layer(compression),
                (true, true, Some(Compression::Gzip)) => {
                    Self::known("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
                }
                (true, true, Some(_)) => {
                    Self::known("application/vnd.oci.image.layer.nondistributable.v1.tar")
                }
                _ => self.clone(),
            }
        }
    }

    /// The same thing as a Docker type; `None` where Docker has none.
    #[must_use]
    pub fn to_docker(&self) -> Option<Self> {
        if self.is_docker() {
            return Some(self.clone());
        }
        if *self == Self::OCI_INDEX {
            Some(Self::DOCKER_LIST)
        } else if *self == Self::OCI_MANIFEST {
            Some(Self::DOCKER_MANIFEST)
        } else if *self == Self::OCI_CONFIG {
            Some(Self::DOCKER_CONFIG)
        } else {
            match (self.is_foreign_layer(), self.layer_compression()?) {
                (false, compression) => Self::docker_layer(compression),
                (true, Compression::Gzip) => Some(Self::known(
                    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                )),
                (true, _) => None,
            }
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_convert_both_ways_and_keep_their_compression() {
        for compression in [Compression::None, Compression::Gzip] {
            let oci = MediaType::oci_layer(compression);
            let docker = oci.to_docker().expect("Docker has it");
            assert_eq!(docker.layer_compression(), Some(compression));
            assert_eq!(docker.to_oci(), oci);
        }
        assert_eq!(MediaType::oci_layer(Compression::Zstd).to_docker(), None);
    }

    #[test]
    fn foreign_layers_stay_foreign() {
        let docker = MediaType::new("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        assert!(docker.is_foreign_layer() && docker.to_oci().is_foreign_layer());
        assert_eq!(docker.to_oci().to_docker(), Some(docker));
    }
}
