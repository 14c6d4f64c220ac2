//! Where sources and destinations are: a path, whose kind content tells, or skopeo's prefixes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::settings::{has_user, user_in_name};

/// What a prefix says a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// No prefix: content tells.
    Auto,
    /// `docker-archive:FILE[:REF]`.
    DockerArchive,
    /// `oci-archive:FILE[:REF]`.
    OciArchive,
    /// `oci:DIR[:REF]`.
    OciLayout,
    /// `bundle:FILE`.
    Bundle,
    /// `package:PATH`.
    Package,
    /// `docker://HOST/REPOSITORY[:TAG|@DIGEST]`: an image in a registry; as a destination
    /// `docker://HOST[/PREFIX]`.
    Registry,
    /// `-`: standard input or output.
    Standard,
}

/// A source or destination, as somebody named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// What its prefix says it is.
    pub transport: Transport,
    /// The file or directory; `-` for standard input or output; the whole of a `docker://` name.
    pub path: PathBuf,
    /// The image chosen with `:REF`.
    pub reference: Option<String>,
    /// As it was named, for reports.
    pub spelled: String,
}

/// What the name of something in a registry begins with.
const REGISTRY: &str = "docker://";

impl Location {
    /// The location that `text` names.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self> {
        let text = text.as_ref();
        let spelled = text.to_string_lossy().into_owned();
        if text.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "an empty path names nothing"));
        }
        if text == "-" {
            let transport = Transport::Standard;
            return Ok(Self {
                transport,
                path: PathBuf::from("-"),
                reference: None,
                spelled,
            });
        }
        let prefixes = [
            ("docker-archive:", Transport::DockerArchive),
            ("oci-archive:", Transport::OciArchive),
            ("oci:", Transport::OciLayout),
        ];
        for (prefix, transport) in prefixes {
            if let Some(rest) = text.as_bytes().strip_prefix(prefix.as_bytes()) {
                let (path, reference) = split_reference(rest);
                if path.as_os_str().is_empty() {
                    let message = format!("`{spelled}` names no file");
                    return Err(Error::new(ErrorKind::Usage, message)
                        .hint(format!("write `{prefix}PATH` or `{prefix}PATH:REFERENCE`")));
                }
                return Ok(Self {
                    transport,
                    path,
                    reference,
                    spelled,
                });
            }
        }
        let whole = [
            ("bundle:", Transport::Bundle),
            ("package:", Transport::Package),
        ];
        for (prefix, transport) in whole {
            if let Some(rest) = text.as_bytes().strip_prefix(prefix.as_bytes()) {
                if rest.is_empty() {
                    let message = format!("`{spelled}` names no file");
                    return Err(
                        Error::new(ErrorKind::Usage, message).hint(format!("write `{prefix}PATH`"))
                    );
                }
                return Ok(Self {
                    transport,
                    path: PathBuf::from(OsStr::from_bytes(rest)),
                    reference: None,
                    spelled,
                });
            }
        }
        if let Some(rest) = spelled.strip_prefix(REGISTRY) {
            if rest.is_empty() {
                let message = format!("`{spelled}` names no registry");
                return Err(Error::new(ErrorKind::Usage, message)
                    .hint("write `docker://HOST[:PORT]/REPOSITORY:TAG`"));
            }
            if has_user(rest) {
                return Err(user_in_name());
            }
            return Ok(Self {
                transport: Transport::Registry,
                path: PathBuf::from(text),
                reference: None,
                spelled,
            });
        }
        let path = PathBuf::from(text);
        Ok(Self {
            transport: Transport::Auto,
            path,
            reference: None,
            spelled,
        })
    }

    /// What stands behind `docker://`.
    #[must_use]
    pub fn in_registry(&self) -> Option<&str> {
        self.spelled
            .strip_prefix(REGISTRY)
            .filter(|_| self.transport == Transport::Registry)
    }

    /// The registry that it is in, with its port.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        let name = self.in_registry()?;
        match name.split_once('/') {
            Some((host, _)) if host == "localhost" || host.contains(['.', ':']) => Some(host),
            _ => Some("docker.io"),
        }
    }

    /// The path, as errors name it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Splits `FILE[:REF]`. A file whose own name has the colon wins.
fn split_reference(text: &[u8]) -> (PathBuf, Option<String>) {
    let whole = PathBuf::from(OsStr::from_bytes(text));
    if whole.exists() {
        return (whole, None);
    }
    match text.iter().position(|byte| *byte == b':') {
        Some(colon) => {
            let reference = String::from_utf8_lossy(&text[colon + 1..]).into_owned();
            (
                PathBuf::from(OsStr::from_bytes(&text[..colon])),
                Some(reference),
            )
        }
        None => (whole, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_select_and_plain_paths_do_not() {
        let chosen =
            Location::parse("docker-archive:a.tar:docker.io/library/app:1").expect("valid");
        assert_eq!(chosen.path, Path::new("a.tar"));
        assert_eq!(chosen.reference.as_deref(), Some("docker.io/library/app:1"));
        let plain = Location::parse("dir/a:b.tar").expect("valid");
        assert_eq!(
            (plain.path.as_path(), plain.reference),
            (Path::new("dir/a:b.tar"), None)
        );
        assert!(Location::parse("oci:").is_err());
    }
}
