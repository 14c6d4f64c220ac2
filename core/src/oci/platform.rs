//! Platforms, normalised as containerd does (image specification, *image-index.md*, "platform").

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// What an image runs on. Ordered by operating system, architecture, variant, version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Platform {
    architecture: String,
    os: String,
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    os_features: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

impl Platform {
    /// The platform of these parts, normalised: `arm64/v8` is `arm64`, `x86_64` is `amd64`, an
    /// `arm` without variant is `v7`.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) = normalise(
            &architecture.to_ascii_lowercase(),
            &variant.unwrap_or_default().to_ascii_lowercase(),
        );
        let variant = (!variant.is_empty()).then_some(variant);
        Self {
            architecture,
            os,
            os_version: None,
            os_features: Vec::new(),
            variant,
        }
    }

    /// The same platform for one version of the operating system, as Windows images need.
    #[must_use]
    pub fn with_os_version(mut self, version: Option<&str>, features: &[String]) -> Self {
        self.os_version = version
            .filter(|version| !version.is_empty())
            .map(str::to_owned);
        self.os_features = features.to_vec();
        self
    }

    /// The operating system: `linux`.
    #[must_use]
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture as Go names it: `amd64`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant of the architecture: `v7`.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// The version of the operating system.
    #[must_use]
    pub fn os_version(&self) -> Option<&str> {
        self.os_version.as_deref()
    }

    /// The features that the operating system must have.
    #[must_use]
    pub fn os_features(&self) -> &[String] {
        &self.os_features
    }

    /// `unknown/unknown`, which children that are no images carry.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }

    /// Whether `self`, as somebody typed it, selects `other`: what was not typed does not count.
    #[must_use]
    pub fn selects(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_none() || self.variant == other.variant)
            && (self.os_version.is_none() || self.os_version == other.os_version)
    }
}

/// containerd's table of architectures that go by several names.
fn normalise(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("i386" | "i486" | "i586" | "i686" | "x86", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        ("mips64el", variant) => ("mips64le", variant),
        ("mipsel", variant) => ("mipsle", variant),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `os/architecture[/variant]`; `os(version)/architecture` too.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::new(ErrorKind::Usage, format!("`{text}` is not a platform"))
                .hint("write `os/architecture[/variant]`, such as `linux/arm64` or `linux/arm/v7`")
        };
        let mut parts = text.split('/');
        let (Some(os), Some(architecture)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let variant = parts.next();
        let (os, version) = match os.split_once('(') {
            Some((os, version)) => (os, Some(version.strip_suffix(')').ok_or_else(wrong)?)),
            None => (os, None),
        };
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if parts.next().is_some()
            || ![os, architecture]
                .into_iter()
                .chain(variant)
                .chain(version)
                .all(word)
        {
            return Err(wrong());
        }
        Ok(Self::new(os, architecture, variant).with_os_version(version, &[]))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        if let Some(version) = &self.os_version {
            write!(f, "({version})")?;
        }
        write!(f, "/{}", self.architecture)?;
        if let Some(variant) = &self.variant {
            write!(f, "/{variant}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_as_containerd_does() {
        for (typed, written) in [
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v2", "linux/amd64/v2"),
            ("Linux/armhf", "linux/arm/v7"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/armel", "linux/arm/v6"),
            ("macos/arm64", "darwin/arm64"),
            ("windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"),
        ] {
            assert_eq!(typed.parse::<Platform>().expect(typed).to_string(), written);
        }
        for wrong in ["linux", "linux/", "/amd64", "a/b/c/d", "linux/a md"] {
            assert!(wrong.parse::<Platform>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_not_typed_does_not_count() {
        let v7: Platform = "linux/arm/v7".parse().expect("valid");
        let windows: Platform = "windows(10.0.1)/amd64".parse().expect("valid");
        assert!("linux/arm".parse::<Platform>().expect("valid").selects(&v7));
        assert!(
            "windows/amd64"
                .parse::<Platform>()
                .expect("valid")
                .selects(&windows)
        );
        assert!(
            !"linux/arm/v6"
                .parse::<Platform>()
                .expect("valid")
                .selects(&v7)
        );
    }
}
