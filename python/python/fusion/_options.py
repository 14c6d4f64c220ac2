"""Arguments as the engine takes them; what cannot be one is a `TypeError` or `ValueError`."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, Union, cast

from .exceptions import UsageError

if TYPE_CHECKING:
    from ._fusion import _Choices

StrPath = Union[str, "os.PathLike[str]"]
"""A path, or a location: ``docker-archive:FILE:REFERENCE``, ``oci:DIR``, ``-``."""

PathMap = Union[Mapping[str, str], Mapping[Path, str], Mapping[StrPath, str]]
"""Something for each of some paths."""

SavedValues = Union[StrPath, Mapping[str, str], Mapping[str, Path], Mapping[str, StrPath]]
"""A file of saved values, or one for each of some charts."""


class _Default(str):
    """A choice that nobody made."""


# Known by its type: `error` holds for files, but tags of a registry are merged into unless somebody
# writes it.
ON_EXISTING = cast('Literal["error"]', _Default("error"))


def path(name: str, value: object) -> bytes:
    """The path ``value`` as the file system has it."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str or os.PathLike[str], not {_kind(value)}")
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise UsageError(f"{name}: embedded null character in {value!r}")
    return encoded


def paths(name: str, value: object) -> list[bytes]:
    """One path or many, and not none."""
    if isinstance(value, (str, os.PathLike)):
        return [path(name, value)]
    if isinstance(value, (bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        wanted = "str, os.PathLike[str] or an iterable of them"
        raise TypeError(f"{name} must be {wanted}, not {_kind(value)}")
    found = [path(name, one) for one in value]
    if not found:
        raise UsageError(f"{name} is empty", hint="name at least one")
    return found


def text(name: str, value: object) -> str:
    """Text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {_kind(value)}")
    # Half a surrogate pair is no text; this raises a `ValueError`.
    value.encode()
    return value


def jobs(value: object) -> int | None:
    """A number of threads."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise TypeError(f"jobs must be int or None, not {_kind(value)}")
    number = operator.index(value)
    if number < 1:
        raise UsageError(f"jobs must be at least 1, not {number}")
    # The engine takes fewer; what is to be avoided is a number that no machine type holds.
    return min(number, 1 << 16)


def callbacks(progress: object, stop: object) -> None:
    """Complains about callables that are none."""
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be callable or None, not {_kind(progress)}")
    if stop is not None and not callable(getattr(stop, "is_set", None)):
        raise TypeError(f"stop must have is_set(), as threading.Event has, not {_kind(stop)}")


def choices(values: dict[str, Any]) -> _Choices:
    """The choices of a verb, by their names in Python. A verb has some of them."""
    one: list[tuple[str, str]] = []
    many: list[tuple[str, str]] = []
    for name in _ONE:
        value = values.get(name)
        if value is not None and not isinstance(value, _Default):
            one.append((name.replace("_", "-"), text(name, value)))
    for name in _SWITCHES:
        if not isinstance(values.get(name, False), bool):
            raise TypeError(f"{name} must be bool, not {_kind(values[name])}")
        if values.get(name):
            one.append((name.replace("_", "-"), "true"))
    for name, option in _MANY.items():
        many += ((option, each) for each in _texts(name, values.get(name)))
    number = jobs(values.get("jobs"))
    if number is not None:
        one.append(("jobs", str(number)))
    one += _retries(values.get("retries"))
    one += _create_projects(values.get("create_projects"))
    return {
        "set": one,
        "add": many,
        "rename": _pairs("rename", values.get("rename")),
        "annotations": _pairs("annotations", values.get("annotations")),
        "source_platforms": [
            (path("source_platforms", source), text("source_platforms", platform))
            for source, platform in _items("source_platforms", values.get("source_platforms"))
        ],
        "sources": [] if values.get("sources") is None else paths("sources", values["sources"]),
        "values": _saved_values(values.get("values")),
        "work_dir": _place("work_dir", values.get("work_dir"), "a folder"),
        "tls_ca": _place("tls_ca", values.get("tls_ca"), "a file"),
    }


def names(name: str, value: object) -> list[str]:
    """References or locations, which are text: one, many or none."""
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    if isinstance(value, (bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        wanted = "str, os.PathLike[str] or an iterable of them"
        raise TypeError(f"{name} must be {wanted}, not {_kind(value)}")
    # As the file system has them, and then as text: half a name is none.
    return [path(name, one).decode() for one in value]


def _saved_values(value: object) -> list[tuple[str | None, bytes]]:
    if isinstance(value, (str, os.PathLike)):
        return [(None, path("values", value))]
    if value is not None and not isinstance(value, Mapping):
        wanted = "str, os.PathLike[str], a mapping or None"
        raise TypeError(f"values must be {wanted}, not {_kind(value)}")
    return [(text("values", chart), path("values", file)) for chart, file in _items("values", value)]


def _retries(value: object) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise TypeError(f"retries must be int, not {_kind(value)}")
    number = operator.index(value)
    if number < 0:
        raise UsageError(f"retries must be at least 0, not {number}")
    return [("retries", str(min(number, 1 << 16)))]


def _create_projects(value: object) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [("create-projects", "true" if value else "false")]
    return [("create-projects", text("create_projects", value))]


def _place(name: str, value: object, kind: str) -> bytes | None:
    if value == "":
        raise UsageError(f"{name} is empty", hint=f"leave it out, or name {kind}")
    return None if value is None else path(name, value)


_ONE = (
    "format",
    "on_conflict",
    "on_file_conflict",
    "on_existing",
    "on_existing_chart",
    "name",
    "compression",
    "media_types",
    "docker_platform",
    "verify",
    "durability",
    "names",
    "username",
    "password",
)

_SWITCHES = (
    "strip_arch_suffix",
    "dry_run",
    "keep_going",
    "clean",
    "insecure",
    "plain_http",
    "claim_tags",
    "clean_claims",
    "append",
    "latest_version_only",
    "skip_images",
)

_MANY = {
    "platforms": "platform",
    "require_platforms": "require-platform",
    "images": "image",
    "exclude": "exclude",
    "remove": "remove",
    "charts": "chart",
}


def _texts(name: str, value: object) -> list[str]:
    """One text or many, or ``None``."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, (bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be str, an iterable of str or None, not {_kind(value)}")
    return [text(name, one) for one in value]


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    return [(text(name, key), text(name, to)) for key, to in _items(name, value)]


def _items(name: str, value: object) -> list[tuple[object, object]]:
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping or None, not {_kind(value)}")
    return list(value.items())


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
