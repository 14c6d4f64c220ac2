"""Who runs: the floor, fusion, and the ways there are without fusion."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .inputs import ARCHITECTURES, Inputs

Argument = str | os.PathLike[str]

# What fusion calls the kinds of results.
FORMATS = {"archive": "oci-archive", "layout": "oci"}


@dataclass(frozen=True)
class Contender:
    """A way to get one result out of some inputs."""

    name: str
    # Given inputs, where the result goes, and a folder for what else it needs. What it returns are
    # the seconds that count, if they are not all that the program took.
    run: Callable[[Inputs, Path, Path], float | None]
    needs: list[str] = field(default_factory=list)

    def missing(self) -> list[str]:
        """The programs it needs that are not there."""
        return [program for program in self.needs if shutil.which(program) is None]


def call(*command: Argument, env: dict[str, str] | None = None) -> str:
    """Runs a program, and gives what it printed; when it fails, what it said is the error."""
    environment = os.environ | (env or {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise RuntimeError(f"`{words}`: status {done.returncode}\n{done.stderr}")
    return done.stdout


def floor(program: Path, result: str, options: list[str]) -> Contender:
    """Hashing with OpenSSL, then copying."""
    archive = ["--archive"] if result == "archive" else []

    def run(inputs: Inputs, out: Path, _: Path) -> None:
        call(program, *archive, *options, inputs.list, out)

    return Contender("floor, then sync" if "--sync" in options else "floor", run)


def fusion(program: Path, result: str, durability: str) -> Contender:
    """`fusion fuse`."""
    options = ["--quiet", "--format", FORMATS[result], "--durability", durability]

    def run(inputs: Inputs, out: Path, _: Path) -> None:
        call(program, "fuse", *inputs.archives, "-o", out, *options)

    return Contender(fusion_name(durability), run)


def fusion_name(durability: str) -> str:
    """What fusion goes by in the table."""
    return f"fusion, durability {durability}"


def c_library(program: Path, result: str, durability: str) -> Contender:
    """`fusion_fuse()`, called by a program in C."""

    def run(inputs: Inputs, out: Path, _: Path) -> None:
        call(program, out, FORMATS[result], durability, *inputs.archives)

    return Contender(f"fusion_fuse() in C, durability {durability}", run)


def python(program: Path, result: str, durability: str) -> Contender:
    """`fusion.fuse()`; what counts is the call, not the start of the interpreter."""
    tax = Path(__file__).resolve().parent.parent / "tax.py"
    options = ["--format", FORMATS[result], "--durability", durability]

    def run(inputs: Inputs, out: Path, _: Path) -> float:
        printed = call(program, tax, out, *inputs.archives, *options)
        return float(printed.split()[0])

    return Contender(f"fusion.fuse() in Python, durability {durability}", run)


def skopeo(layers: str) -> Contender:
    """The common script: each image of each architecture copied into one layout. It still lacks
    the indexes; `skopeo copy` cannot run twice at a time into one layout."""
    keep_raw = ["--dest-oci-accept-uncompressed-layers"] if layers == "raw" else []

    def run(inputs: Inputs, out: Path, scratch: Path) -> None:
        for architecture, archive in zip(ARCHITECTURES, inputs.archives):
            for reference in inputs.references:
                call(
                    *("skopeo", "--insecure-policy", "--tmpdir", scratch),
                    *("--override-os", "linux", "--override-arch", architecture),
                    *("copy", "--quiet", *keep_raw),
                    f"docker-archive:{archive}:{reference}",
                    f"oci:{out}:{reference}-{architecture}",
                )

    name = "skopeo copy, kept raw" if keep_raw else "skopeo copy"
    return Contender(name, run, ["skopeo"])


def buildah() -> Contender:
    """`buildah manifest`: for each image a list of both architectures, pushed into one layout."""

    def run(inputs: Inputs, out: Path, scratch: Path) -> None:
        state: list[Argument] = ["--root", scratch / "root", "--runroot", scratch / "run"]
        program: list[Argument] = ["buildah", *state, "--storage-driver", "vfs"]
        env = {"TMPDIR": str(scratch)}
        for reference in inputs.references:
            call(*program, "manifest", "create", reference, env=env)
            for architecture, archive in zip(ARCHITECTURES, inputs.archives):
                platform = ["--os", "linux", "--arch", architecture]
                source = f"docker-archive:{archive}:{reference}"
                call(*program, "manifest", "add", *platform, reference, source, env=env)
            target = f"oci:{out}:{reference}"
            call(*program, "manifest", "push", "--quiet", "--all", reference, target, env=env)

    return Contender("buildah manifest", run, ["buildah"])


def by_hand() -> Contender:
    """What a shell does without making any document: unpack, hash, give blobs their names."""
    script = r"""
        set -euo pipefail
        out=$1 scratch=$2; shift 2
        mkdir -p "$out/blobs/sha256"
        for archive; do
            tar -xf "$archive" -C "$(mktemp -d -p "$scratch")"
        done
        find "$scratch" -type f -print0 | xargs -0 -n 4 -P "$(nproc)" sha256sum |
            while read -r digest path; do mv "$path" "$out/blobs/sha256/$digest"; done
    """

    def run(inputs: Inputs, out: Path, scratch: Path) -> None:
        call("bash", "-c", script, "by-hand", out, scratch, *inputs.archives)

    return Contender("tar, sha256sum, mv", run, ["tar", "sha256sum"])
