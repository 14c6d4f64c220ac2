"""Who pushes: the floor, fusion, and the ways there are without fusion."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .contenders import Argument, Contender, call
from .inputs import ARCHITECTURES, Inputs
from .registry import Registry

# Where in the registry all of it goes.
PROJECT = "bench"
INDEX = "application/vnd.oci.image.index.v1+json"

# As many as fusion has.
CONNECTIONS = 6
FLOOR = f"floor: each blob by one PUT, {CONNECTIONS} at a time"

# Given where to push to.
Pusher = Callable[[Registry], Contender]
# Fails unless what arrived is right.
Check = Callable[[Registry, Inputs], object]


def repository(reference: str) -> tuple[str, str]:
    """Where the image `HOST/NAME:TAG` goes: the repository, and the tag."""
    name, _, tag = reference.partition("/")[2].rpartition(":")
    return f"{PROJECT}/{name}", tag


def floor(registry: Registry) -> Contender:
    """The distinct blobs, each in one request."""
    program = Path(__file__).resolve().parent.parent / "floor" / "send.py"

    def run(inputs: Inputs, _: Path, __: Path) -> None:
        repository = f"{PROJECT}/floor"
        call(sys.executable, program, inputs.list, registry.host, repository, str(CONNECTIONS))

    return Contender(FLOOR, run)


def fusion(program: Path, name: str = "fusion push") -> Pusher:
    """`fusion push`."""

    def to(registry: Registry) -> Contender:
        def run(inputs: Inputs, _: Path, scratch: Path) -> None:
            target = f"{registry.host}/{PROJECT}"
            words: list[Argument] = ["push", *inputs.archives, "--to", target, "--quiet"]
            call(program, *words, env={"TMPDIR": str(scratch)})

        return Contender(name, run)

    return to


def skopeo(keep_raw: bool) -> Pusher:
    """The common script: each image of each architecture copied, then an index of both. The
    indexes are put by hand, over HTTP, which costs less than any program would."""
    options = ["--preserve-digests"] if keep_raw else []

    def to(registry: Registry) -> Contender:
        def run(inputs: Inputs, _: Path, scratch: Path) -> None:
            for reference in inputs.references:
                name, tag = repository(reference)
                children = []
                for architecture, archive in zip(ARCHITECTURES, inputs.archives):
                    single = f"{tag}-{architecture}"
                    call(
                        *("skopeo", "--insecure-policy", "--tmpdir", scratch),
                        *("--override-os", "linux", "--override-arch", architecture),
                        *("copy", "--quiet", "--dest-tls-verify=false", *options),
                        f"docker-archive:{archive}:{reference}",
                        f"docker://{registry.host}/{name}:{single}",
                    )
                    children.append(described(registry, f"{name}/manifests/{single}", architecture))
                index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
                registry.put(f"{name}/manifests/{tag}", INDEX, index)

        return Contender(f"skopeo copy{', kept raw' * keep_raw}, and indexes", run, ["skopeo"])

    return to


def described(registry: Registry, path: str, architecture: str) -> dict[str, Any]:
    """What an index says of a manifest."""
    _, headers = registry.get(path)
    return {
        "mediaType": headers["Content-Type"],
        "digest": headers["Docker-Content-Digest"],
        "size": int(headers["Content-Length"]),
        "platform": {"os": "linux", "architecture": architecture},
    }


def buildah(registry: Registry) -> Contender:
    """`buildah manifest`: for each image a list of both architectures, pushed."""

    def run(inputs: Inputs, _: Path, scratch: Path) -> None:
        state: list[Argument] = ["--root", scratch / "root", "--runroot", scratch / "run"]
        program: list[Argument] = ["buildah", *state, "--storage-driver", "vfs"]
        env = {"TMPDIR": str(scratch)}
        for reference in inputs.references:
            call(*program, "manifest", "create", reference, env=env)
            for architecture, archive in zip(ARCHITECTURES, inputs.archives):
                platform = ["--os", "linux", "--arch", architecture]
                source = f"docker-archive:{archive}:{reference}"
                call(*program, "manifest", "add", *platform, reference, source, env=env)
            name, tag = repository(reference)
            target = f"docker://{registry.host}/{name}:{tag}"
            push = ["manifest", "push", "--quiet", "--all", "--tls-verify=false"]
            call(*program, *push, reference, target, env=env)

    return Contender("buildah manifest", run, ["buildah"])


def check(registry: Registry, inputs: Inputs) -> dict[str, int]:
    """Every image is there for each architecture, with all its blobs; these, and their sizes."""
    found: dict[str, int] = {}
    for reference in inputs.references:
        name, tag = repository(reference)
        index, _ = registry.get(f"{name}/manifests/{tag}")
        offered = [child["platform"]["architecture"] for child in index["manifests"]]
        if sorted(offered) != sorted(ARCHITECTURES):
            raise SystemExit(f"{name}:{tag} is for {', '.join(offered) or 'nothing'}")
        for child in index["manifests"]:
            manifest, _ = registry.get(f"{name}/manifests/{child['digest']}")
            for blob in [manifest["config"], *manifest["layers"]]:
                if registry.size(name, blob["digest"]) != blob["size"]:
                    raise SystemExit(f"{name}: blob {blob['digest']} has another size")
                found[blob["digest"].removeprefix("sha256:")] = blob["size"]
    return found


def check_exactly(registry: Registry, inputs: Inputs) -> None:
    """The blobs that are there are those of the archives, and each was uploaded once, however
    often somebody pushed."""
    found = check(registry, inputs)
    if found != {blob.digest: blob.size for blob in inputs.blobs}:
        raise SystemExit("the registry does not have exactly the blobs of the archives")
    uploads = registry.uploads()
    if uploads != dict.fromkeys(found, 1):
        told = f"{uploads.total()} uploads of {len(uploads)} blobs"
        raise SystemExit(f"{told} instead of one of each of {len(found)}")
