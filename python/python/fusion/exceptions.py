"""What can go wrong. Every class is a `FusionError`; where Python has a habit for something, its
class is that as well: `FusionIOError` is an `OSError`, `InvalidArchiveError` a `ValueError`.

Each kind of error of the engine has a class of its own, and a stable name: `FusionError.kind`.
"""

from __future__ import annotations

import errno as _errno
import json
import os as _os
import sys
from typing import Any

from ._results import Inspection, Report, Verification

__all__ = [
    "KINDS",
    "BusyError",
    "CancelledError",
    "ConflictError",
    "DeniedError",
    "DestinationExistsError",
    "DigestMismatchError",
    "FusionError",
    "FusionIOError",
    "InputChangedError",
    "InternalError",
    "InvalidArchiveError",
    "LimitExceededError",
    "NoSpaceError",
    "NotFoundError",
    "NothingSelectedError",
    "PermissionDeniedError",
    "PlatformMissingError",
    "ProjectMissingError",
    "RegistryError",
    "UnauthorizedError",
    "UnreachableError",
    "UnsupportedError",
    "UsageError",
]


class FusionError(Exception):
    """The base of everything that this package raises for a run that failed.

    ``str(error)`` is one line that says where and why, without the hint. From Python 3.11 on the
    hint is also a note, which tracebacks show.
    """

    kind: str
    """The stable name of the kind, as in the JSON report: ``digest-mismatch``."""
    path: str | None
    """The file or directory. A name that is not UTF-8 comes as `os.fsdecode` gives it."""
    member: str | None
    """The archive member."""
    digest: str | None
    """The digest concerned: ``sha256:…``."""
    offset: int | None
    """The byte of the file."""
    hint: str | None
    """What to do next."""
    report: Report | Inspection | Verification | None
    """The result as far as the run came, with the error in it: an `Inspection` of `inspect`, a
    `Verification` of `verify`, a `Report` of all others. ``None`` if the run did not begin."""

    _kind = "internal"

    def __init__(
        self,
        message: str = "",
        *,
        kind: str | None = None,
        path: str | None = None,
        member: str | None = None,
        digest: str | None = None,
        offset: int | None = None,
        hint: str | None = None,
        errno: int | None = None,
        report: Report | Inspection | Verification | None = None,
    ) -> None:
        self._set_up(message, path, errno)
        self._message = message
        self.kind = self._kind if kind is None else kind
        self.path = path
        self.member = member
        self.digest = digest
        self.offset = offset
        self.hint = hint
        self.report = report
        if hint is not None and sys.version_info >= (3, 11):
            self.add_note(f"hint: {hint}")

    def _set_up(self, message: str, path: str | None, errno: int | None) -> None:
        super().__init__(message)

    def __str__(self) -> str:
        return self._message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._message!r}, kind={self.kind!r})"

    def __reduce__(self) -> Any:
        # Pools of processes send exceptions to their parents.
        facts = {
            name: getattr(self, name)
            for name in ("kind", "path", "member", "digest", "offset", "hint", "report")
        }
        facts["errno"] = getattr(self, "errno", None)
        return _rebuild, (type(self), self._message, facts)


class UsageError(FusionError, ValueError):
    """An option, reference, platform or pattern that cannot be understood, or a combination that
    makes no sense."""

    _kind = "usage"


class NothingSelectedError(UsageError):
    """What was chosen (``images=``, ``platforms=``, …) leaves nothing to do."""

    _kind = "nothing-selected"


class ConflictError(FusionError):
    """Sources disagree on the image of one reference and platform (see ``on_conflict=``), or the
    result is not what was asked for."""

    _kind = "conflict"


class PlatformMissingError(ConflictError):
    """An image lacks a platform of ``require_platforms=``."""

    _kind = "platform-missing"


class InvalidArchiveError(FusionError, ValueError):
    """An archive, layout or document that is not what it should be."""

    _kind = "invalid-archive"


class DigestMismatchError(InvalidArchiveError):
    """Content whose digest is not the one it goes by."""

    _kind = "digest-mismatch"


class UnsupportedError(InvalidArchiveError):
    """A format that is known and not supported."""

    _kind = "unsupported"


class LimitExceededError(InvalidArchiveError):
    """Input that asks for more than sane archives do: a decompression bomb, for one."""

    _kind = "limit-exceeded"


class InputChangedError(InvalidArchiveError):
    """A source changed while it was read."""

    _kind = "input-changed"


class FusionIOError(FusionError, OSError):
    """The file system refused something; `errno`, `strerror` and `filename` are set as in any
    other `OSError`."""

    _kind = "io"
    _default_errno = _errno.EIO

    def _set_up(self, message: str, path: str | None, errno: int | None) -> None:
        number = self._default_errno if errno is None else errno
        OSError.__init__(self, number, _os.strerror(number))
        self.filename = path


class NotFoundError(FusionIOError, FileNotFoundError):
    """A file or directory that does not exist."""

    _kind = "not-found"
    _default_errno = _errno.ENOENT


class PermissionDeniedError(FusionIOError, PermissionError):
    """A file or directory that may not be read or written."""

    _kind = "permission-denied"
    _default_errno = _errno.EACCES


class BusyError(FusionIOError):
    """Another run holds the destination."""

    _kind = "busy"
    _default_errno = _errno.EBUSY


class NoSpaceError(FusionIOError):
    """Not enough space for what has to be written."""

    _kind = "no-space"
    _default_errno = _errno.ENOSPC


class DestinationExistsError(ConflictError, FusionIOError, FileExistsError):
    """The destination exists, and ``on_existing=`` does not say what to do with it."""

    _kind = "destination-exists"
    _default_errno = _errno.EEXIST


class RegistryError(FusionError):
    """A registry refused something, or answered what it should not."""

    status: int | None
    """The HTTP status with which the registry answered; ``None`` if it did not."""
    code: str | None
    """The registry's name for the failure: ``MANIFEST_INVALID``."""

    _kind = "registry"

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.status = status
        self.code = code

    def __reduce__(self) -> Any:
        rebuild, (known, message, facts) = super().__reduce__()
        return rebuild, (known, message, {**facts, "status": self.status, "code": self.code})


class UnauthorizedError(RegistryError):
    """A registry wants other credentials, or any."""

    _kind = "unauthorized"


class UnreachableError(RegistryError):
    """A registry that cannot be reached, or not securely."""

    _kind = "unreachable"


class ProjectMissingError(RegistryError):
    """A project that a registry does not have."""

    _kind = "project-missing"


class DeniedError(RegistryError):
    """A registry allows something to nobody, or not to this user: a full quota, a tag that may not
    change, a permission."""

    _kind = "denied"


class CancelledError(FusionError):
    """The ``stop=`` event was set; nothing was published."""

    _kind = "cancelled"


class InternalError(FusionError):
    """A bug in fusion."""

    _kind = "internal"


KINDS: dict[str, type[FusionError]] = {
    known._kind: known
    for known in (
        UsageError,
        NothingSelectedError,
        InvalidArchiveError,
        DigestMismatchError,
        UnsupportedError,
        LimitExceededError,
        InputChangedError,
        ConflictError,
        PlatformMissingError,
        DestinationExistsError,
        NotFoundError,
        PermissionDeniedError,
        BusyError,
        FusionIOError,
        NoSpaceError,
        RegistryError,
        UnauthorizedError,
        UnreachableError,
        ProjectMissingError,
        DeniedError,
        CancelledError,
        InternalError,
    )
}
"""The class of every kind, by the kind's stable name."""


_DOCUMENTS: dict[str, type[Report | Inspection | Verification]] = {
    "fusion.report/v1": Report,
    "fusion.inspect/v1": Inspection,
    "fusion.verify/v1": Verification,
}


def _from_native(message: str, document: str | None, facts: dict[str, Any]) -> FusionError:
    """The exception for an error of the engine; called from there."""
    known = KINDS.get(facts["kind"], FusionError)
    report = None
    if document is not None:
        values = json.loads(document)
        report = _DOCUMENTS[values["schema"]]._from_dict(values)
    return known(message, report=report, **facts)


def _rebuild(known: type[FusionError], message: str, facts: dict[str, Any]) -> FusionError:
    return known(message, **facts)
