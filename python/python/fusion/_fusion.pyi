"""The private native module: bytes for paths in, JSON documents out. Use `fusion`."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypedDict

from ._results import Progress

__all__ = [
    "__version__",
    "command",
    "error_kinds",
    "fuse",
    "import_addon",
    "index_create",
    "inspect",
    "option_names",
    "push",
    "sync",
    "verify",
]

__version__: str

class _Stop(Protocol):
    def is_set(self) -> bool: ...

class _Choices(TypedDict):
    """What is chosen: by names of the command line, and what text cannot hold."""

    set: Sequence[tuple[str, str]]
    """Options with one value."""
    add: Sequence[tuple[str, str]]
    """Values of repeatable options."""
    rename: Sequence[tuple[str, str]]
    annotations: Sequence[tuple[str, str]]
    source_platforms: Sequence[tuple[bytes, str]]
    sources: Sequence[bytes]
    """Of `sync`: in the place of those that the configuration names."""
    values: Sequence[tuple[str | None, bytes]]
    """Saved values: of which chart, if that is said, and the file."""
    work_dir: bytes | None
    tls_ca: bytes | None

def command(args: Sequence[bytes], /) -> int:
    """Runs the command line ``args`` (the program name first) and returns its exit status."""

def error_kinds() -> list[str]:
    """The stable name of every kind of error, as in `FusionError.kind`."""

def option_names() -> list[str]:
    """The name of every option, as on the command line, without dashes."""

def fuse(
    sources: Sequence[bytes],
    output: bytes | None,
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Fuses ``sources`` into ``output``; returns the report as JSON.

    Raises the classes of `fusion.exceptions`, and unchanged whatever ``progress`` or a signal
    handler raised.
    """

def push(
    sources: Sequence[bytes],
    to: str,
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Fuses ``sources`` and pushes them to ``to``; returns the report as JSON. Raises as `fuse`
    does."""

def sync(
    config: bytes,
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Does what the charts-syncer configuration ``config`` asks for; returns the report as JSON.
    Raises as `fuse` does."""

def import_addon(
    config: bytes,
    packages: Sequence[bytes],
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Imports ``packages`` to where the installer's configuration ``config`` says; returns the
    report as JSON. Raises as `fuse` does."""

def index_create(
    target: str,
    sources: Sequence[str],
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Makes ``target`` an index over ``sources``; returns the report as JSON. Raises as `fuse`
    does."""

def inspect(
    source: bytes,
    reference: str | None,
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Says what is inside ``source``; returns the inspection as JSON. Raises as `fuse` does."""

def verify(
    sources: Sequence[bytes],
    choices: _Choices,
    progress: Callable[[Progress], object] | None,
    stop: _Stop | None,
    /,
) -> str:
    """Checks every digest of ``sources``; returns the verification as JSON. Raises as `fuse` does."""
