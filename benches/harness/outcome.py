"""Looks at a result without fusion: is everything there, and is it what it goes by?"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .inputs import Inputs, sha256

# A file, where in it, how many bytes.
Place = tuple[Path, int, int]


def check(inputs: Inputs, out: Path) -> None:
    """Every reference has an image for each architecture, and together they are made of exactly
    the blobs of the inputs."""
    places = dict(members(out))
    entries = content(places["index.json"])["manifests"]
    if len(entries) != len(inputs.references):
        raise SystemExit(f"{len(entries)} references instead of {len(inputs.references)}")
    found: dict[str, int] = {}
    for entry in entries:
        children = document(places, entry)["manifests"]
        if len(children) != len(inputs.archives):
            raise SystemExit(f"{entry['digest']}: {len(children)} images")
        for child in children:
            manifest = document(places, child)
            for blob in [manifest["config"], *manifest["layers"]]:
                found[blob["digest"].removeprefix("sha256:")] = blob["size"]
    if found != {blob.digest: blob.size for blob in inputs.blobs}:
        raise SystemExit("the result is not made of the blobs of the inputs")
    for digest in found:
        verify(places, digest)


def members(out: Path) -> Iterator[tuple[str, Place]]:
    """The files of a layout, or of one in a tar archive."""
    if out.is_dir():
        for path in out.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(out)), (path, 0, path.stat().st_size)
        return
    with tarfile.open(out, "r:") as tar:
        for member in tar:
            if member.isreg():
                yield member.name, (out, member.offset_data, member.size)


def document(places: dict[str, Place], descriptor: dict[str, Any]) -> Any:
    """The manifest or index that a descriptor leads to."""
    digest = descriptor["digest"].removeprefix("sha256:")
    verify(places, digest)
    return content(places[f"blobs/sha256/{digest}"])


def content(place: Place) -> Any:
    """The document at a place."""
    path, offset, size = place
    with path.open("rb") as file:
        file.seek(offset)
        return json.loads(file.read(size))


def verify(places: dict[str, Place], digest: str) -> None:
    """Fails unless the blob's content is what it goes by."""
    path, offset, size = places[f"blobs/sha256/{digest}"]
    with path.open("rb", buffering=0) as file:
        if sha256(file, offset, size) != digest:
            raise SystemExit(f"blob {digest} is damaged")
