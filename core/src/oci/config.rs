//! Image configurations (image specification, *config.md*), as far as fusing needs them.
//!
//! Read leniently and never written: real configurations carry `null` where the specification
//! wants lists, and fields it does not know.

use serde::Deserialize;

use super::{Digest, Platform};
use crate::error::{Error, ErrorKind, Result};

/// What an image configuration says about platform and layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What the image runs on; `None` if the configuration does not say.
    pub platform: Option<Platform>,
    /// The digests of the uncompressed layers, the lowest first.
    pub diff_ids: Vec<Digest>,
    /// When the image was made (RFC 3339), as the configuration spells it.
    pub created: Option<String>,
}

#[derive(Deserialize)]
struct Lenient {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
    #[serde(rename = "os.features")]
    os_features: Option<Vec<String>>,
    created: Option<String>,
    rootfs: Option<RootFs>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<Digest>>,
}

impl Config {
    /// Reads a configuration.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let lenient: Lenient = serde_json::from_slice(bytes).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArchive,
                format!("image configuration: {error}"),
            )
            .source_error(error)
        })?;
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let platform = match (filled(lenient.os), filled(lenient.architecture)) {
            (os, Some(architecture)) => Some(
                Platform::new(
                    os.as_deref().unwrap_or("linux"),
                    &architecture,
                    lenient.variant.as_deref(),
                )
                .with_os_version(
                    lenient.os_version.as_deref(),
                    lenient.os_features.as_deref().unwrap_or_default(),
                ),
            ),
            _ => None,
        };
        let diff_ids = lenient
            .rootfs
            .and_then(|rootfs| rootfs.diff_ids)
            .unwrap_or_default();
        Ok(Self {
            platform,
            diff_ids,
            created: lenient.created,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_and_unknown_fields_are_real_life() {
        let config = Config::parse(
            br#"{"architecture":"arm64","variant":"v8","os":"linux","config":{"Volumes":null},
                 "Shell":[],"rootfs":{"type":"layers","diff_ids":null}}"#,
        )
        .expect("a configuration");
        assert_eq!(config.platform.expect("stated").to_string(), "linux/arm64");
        assert!(config.diff_ids.is_empty());
    }

    #[test]
    fn windows_keeps_its_version() {
        let config =
            Config::parse(br#"{"architecture":"amd64","os":"windows","os.version":"10.0.1"}"#)
                .expect("a configuration");
        assert_eq!(
            config.platform.expect("stated").os_version(),
            Some("10.0.1")
        );
    }
}
