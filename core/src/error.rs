//! One error type for the whole engine: what failed, where, why, and what to do next.
//!
//! [`ErrorKind`] is the stable part: its name (JSON and Python), code (C) and exit status (shell)
//! live in one exhaustive match, so that a new kind cannot be added without all three.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is. Names, codes and exit statuses are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option, reference, platform or glob that cannot be understood, or a combination that
    /// makes no sense.
    Usage,
    /// The choices made (`--image`, `--platform`, …) leave nothing to do.
    NothingSelected,
    /// Inputs disagree on the image of one reference and platform.
    Conflict,
    /// An image lacks a platform that was required.
    PlatformMissing,
    /// The destination exists and no policy says what to do with it.
    DestinationExists,
    /// An archive, layout or document that is not what it should be.
    InvalidArchive,
    /// Content whose digest is not the one it goes by.
    DigestMismatch,
    /// A format that is known and not supported (schema 1, …).
    Unsupported,
    /// Input that asks for more than the engine's caps allow.
    LimitExceeded,
    /// An input changed while it was read.
    InputChanged,
    /// A file or directory that does not exist.
    NotFound,
    /// A file or directory that may not be read or written.
    PermissionDenied,
    /// Another run holds the destination.
    Busy,
    /// Any other failure of the file system.
    Io,
    /// Not enough space for what has to be written.
    NoSpace,
    /// A registry refused something, or answered what it should not.
    Registry,
    /// A registry wants other credentials, or any.
    Unauthorized,
    /// A registry that cannot be reached, or not securely.
    Unreachable,
    /// A project that a registry does not have.
    ProjectMissing,
    /// A registry allows something to nobody, or not to this user: a full quota, a tag that may not
    /// change, a permission.
    Denied,
    /// The caller asked to stop.
    Cancelled,
    /// A bug in fusion.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::Usage,
        Self::NothingSelected,
        Self::InvalidArchive,
        Self::DigestMismatch,
        Self::Unsupported,
        Self::LimitExceeded,
        Self::InputChanged,
        Self::Conflict,
        Self::PlatformMissing,
        Self::DestinationExists,
        Self::NotFound,
        Self::PermissionDenied,
        Self::Busy,
        Self::Io,
        Self::NoSpace,
        Self::Registry,
        Self::Unauthorized,
        Self::Unreachable,
        Self::ProjectMissing,
        Self::Denied,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The one place where a kind gets its name, its code (as in the C interface: families of
    /// twenty, never renumbered) and its exit status.
    const fn facts(self) -> (&'static str, i32, u8) {
        match self {
            Self::Usage => ("usage", -1, 2),
            Self::NothingSelected => ("nothing-selected", -2, 2),
            Self::InvalidArchive => ("invalid-archive", -20, 4),
            Self::DigestMismatch => ("digest-mismatch", -21, 4),
            Self::Unsupported => ("unsupported", -22, 4),
            Self::LimitExceeded => ("limit-exceeded", -23, 4),
            Self::InputChanged => ("input-changed", -24, 4),
            Self::Conflict => ("conflict", -30, 3),
            Self::PlatformMissing => ("platform-missing", -31, 3),
            Self::DestinationExists => ("destination-exists", -40, 3),
            Self::NotFound => ("not-found", -41, 5),
            Self::PermissionDenied => ("permission-denied", -42, 5),
            Self::Busy => ("busy", -43, 5),
            Self::Io => ("io", -44, 5),
            Self::NoSpace => ("no-space", -45, 8),
            Self::Registry => ("registry", -60, 6),
            Self::Unauthorized => ("unauthorized", -61, 6),
            Self::Unreachable => ("unreachable", -62, 6),
            Self::ProjectMissing => ("project-missing", -63, 6),
            Self::Denied => ("denied", -64, 6),
            Self::Cancelled => ("cancelled", -90, 130),
            Self::Internal => ("internal", -99, 1),
        }
    }

    /// The stable name, as it stands in reports: `digest-mismatch`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The stable number of the C interface; negative.
    #[must_use]
    pub const fn code(self) -> i32 {
        self.facts().1
    }

    /// The exit status of the command.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        self.facts().2
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failure: its kind, and everything known about where and why.
///
/// `Display` gives one line without the hint, which faces show on a line of its own.
pub struct Error(Box<Parts>);

struct Parts {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    path: Option<PathBuf>,
    member: Option<String>,
    digest: Option<String>,
    offset: Option<u64>,
    hint: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message` (lower case, no final period).
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            message: message.into(),
            operation: None,
            path: None,
            member: None,
            digest: None,
            offset: None,
            hint: None,
            status: None,
            code: None,
            source: None,
        }))
    }

    /// The error of a caller who asked to stop.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(
            ErrorKind::Cancelled,
            "stopped on request; nothing was published",
        )
    }

    /// A failure of the file system while doing `operation` (`cannot open`, …) to `path`.
    #[must_use]
    pub fn io(operation: &'static str, path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
            Io::StorageFull | Io::QuotaExceeded => ErrorKind::NoSpace,
            _ => ErrorKind::Io,
        };
        let mut error = Self::new(kind, source.to_string())
            .operation(operation)
            .path(path);
        error.0.source = Some(Box::new(source));
        error
    }

    /// Says what was being done, as a clause: `cannot read`.
    #[must_use]
    pub fn operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Says in which file; the first one said stays.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.path.get_or_insert_with(|| path.into());
        self
    }

    /// Says in which member of the archive; the first one said stays.
    #[must_use]
    pub fn member(mut self, member: impl Into<String>) -> Self {
        self.0.member.get_or_insert_with(|| member.into());
        self
    }

    /// The error as it looks from outside the container that it is about: `container` goes before
    /// the member, and offsets count from `base` on.
    #[must_use]
    pub(crate) fn within(mut self, container: &str, base: u64) -> Self {
        if !container.is_empty() {
            self.0.member = Some(match &self.0.member {
                Some(member) => format!("{container}{member}"),
                // Without the arrow that leads on.
                None => container.trim_end_matches(" › ").to_owned(),
            });
        }
        self.0.offset = self.0.offset.map(|offset| offset.saturating_add(base));
        self
    }

    /// Says which digest was expected; the first one said stays.
    #[must_use]
    pub fn digest(mut self, digest: impl fmt::Display) -> Self {
        self.0.digest.get_or_insert_with(|| digest.to_string());
        self
    }

    /// Says at which byte of the file; the first one said stays.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Says what to do next, whatever was said before.
    #[must_use]
    pub fn better_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says with which HTTP status a registry answered.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status.get_or_insert(status);
        self
    }

    /// Says what the registry calls the failure: `MANIFEST_INVALID`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code.get_or_insert_with(|| code.into());
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn source_error(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error as another kind: a digest mismatch in a file that changed meanwhile.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Why it failed, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file or directory concerned.
    #[must_use]
    pub fn get_path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The archive member concerned.
    #[must_use]
    pub fn get_member(&self) -> Option<&str> {
        self.0.member.as_deref()
    }

    /// The digest concerned, as text.
    #[must_use]
    pub fn get_digest(&self) -> Option<&str> {
        self.0.digest.as_deref()
    }

    /// The byte of the file concerned.
    #[must_use]
    pub fn get_offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// What to do next.
    #[must_use]
    pub fn get_hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The HTTP status with which a registry answered.
    #[must_use]
    pub fn get_status(&self) -> Option<u16> {
        self.0.status
    }

    /// What the registry calls the failure.
    #[must_use]
    pub fn get_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The system's error number, where the system refused something.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        let source = self.0.source.as_deref()?;
        source.downcast_ref::<std::io::Error>()?.raw_os_error()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        match (parts.operation, &parts.path) {
            (Some(operation), Some(path)) => write!(f, "{operation} `{}`: ", path.display())?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, Some(path)) => write!(f, "`{}`: ", path.display())?,
            (None, None) => {}
        }
        if let Some(member) = &parts.member {
            write!(f, "member `{member}`: ")?;
        }
        f.write_str(&parts.message)?;
        if let Some(digest) = &parts.digest
            && !parts.message.contains(digest.as_str())
        {
            write!(f, " ({digest})")?;
        }
        if let Some(offset) = parts.offset {
            write!(f, " (at byte {offset})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind)?;
        if let Some(hint) = &self.0.hint {
            write!(f, " [hint: {hint}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_codes_are_distinct_and_codes_negative() {
        let names: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
        let codes: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(codes.iter().all(|code| *code < 0));
    }

    #[test]
    fn one_line_says_what_where_and_why() {
        let error = Error::new(ErrorKind::DigestMismatch, "content is not what it goes by")
            .path("a.tar")
            .member("blobs/sha256/00")
            .offset(512);
        assert_eq!(
            error.to_string(),
            "`a.tar`: member `blobs/sha256/00`: content is not what it goes by (at byte 512)"
        );
    }
}
