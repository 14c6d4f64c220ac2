"""The archives that are fused, and an account of their blobs that owes nothing to fusion."""

from __future__ import annotations

import hashlib
import json
import posixpath
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path

ARCHITECTURES = ("amd64", "arm64")
PIECE = 1 << 20

# Which tool's archive has its layers how.
FLAVOURS = {"gzip": "ggcr", "raw": "skopeo"}
# At least 10 images, and at least 500 MB in each archive.
REAL = {
    "gzip": ["real", "--scale", "large", "--gzip-level", "6"],
    "raw": ["real", "--scale", "medium"],
}
QUICK = ["synthetic", "--images", "3", "--layer-size", "64K"]


@dataclass(frozen=True)
class Blob:
    """Content of an archive, and where it lies."""

    digest: str
    size: int
    offset: int
    path: Path


@dataclass(frozen=True)
class Inputs:
    """Archives of the same images, one for each architecture."""

    layers: str
    archives: list[Path]
    references: list[str]
    blobs: list[Blob]
    list: Path

    @property
    def distinct(self) -> int:
        """Bytes to hash and to write, at the least."""
        return sum(blob.size for blob in self.blobs)

    def warm(self) -> None:
        """Has the page cache hold the archives."""
        for archive in self.archives:
            with archive.open("rb", buffering=0) as file:
                while file.read(PIECE):
                    pass


def prepare(fixtures: Path, cache: Path, layers: str, quick: bool) -> Inputs:
    """Makes the archives unless they are in the cache, and lists their distinct blobs."""
    folder = cache / f"{layers}-layers"
    if not folder.is_dir():
        unfinished = cache / f"{folder.name}.partial"
        shutil.rmtree(unfinished, ignore_errors=True)
        what = [*(QUICK if quick else REAL[layers]), "--flavour", FLAVOURS[layers]]
        command = [fixtures, *what, "--out", unfinished]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        unfinished.rename(folder)
    archives = [folder / f"images-{architecture}.tar" for architecture in ARCHITECTURES]
    references: list[str] = []
    blobs: dict[str, Blob] = {}
    for archive in archives:
        names, held = examine(archive)
        references = references or names
        if names != references:
            raise SystemExit(f"{archive}: other images than the other archive has")
        for blob in held:
            blobs.setdefault(blob.digest, blob)
    listing = folder / "blobs.list"
    lines = (f"{blob.offset} {blob.size} {blob.digest} {blob.path}\n" for blob in blobs.values())
    listing.write_text("".join(lines))
    return Inputs(layers, archives, references, list(blobs.values()), listing)


def examine(archive: Path) -> tuple[list[str], list[Blob]]:
    """The references of a docker-archive, and the configs and layers that its images are made of."""
    with tarfile.open(archive, "r:") as tar, archive.open("rb", buffering=0) as file:
        members = {member.name.removeprefix("./"): member for member in tar}
        manifest = tar.extractfile(members["manifest.json"])
        assert manifest is not None
        images = json.load(manifest)
        names = {name for image in images for name in [image["Config"], *image["Layers"]]}
        blobs = {}
        for name in sorted(names):
            member = members[name]
            # A link stands for a layer that is there already.
            while member.issym() or member.islnk():
                folder = posixpath.dirname(member.name) if member.issym() else ""
                member = members[posixpath.normpath(posixpath.join(folder, member.linkname))]
            if member.offset_data not in blobs:
                digest = sha256(file, member.offset_data, member.size)
                blobs[member.offset_data] = Blob(digest, member.size, member.offset_data, archive)
        return [image["RepoTags"][0] for image in images], list(blobs.values())


def sha256(file: RawIOBase, offset: int, size: int) -> str:
    """The digest of a part of an open file."""
    hasher = hashlib.sha256()
    file.seek(offset)
    while size > 0:
        piece = file.read(min(size, PIECE))
        if not piece:
            raise SystemExit("an archive ends too early")
        hasher.update(piece)
        size -= len(piece)
    return hasher.hexdigest()
