#!/usr/bin/env python3
"""Two offline packages fused into a layout, beside what is the least that takes, in one run.

    python3 benches/packages.py            # some minutes, 18 GB of disk
    python3 benches/packages.py --quick    # seconds: only whether all of it works

Compressed packages against inflating both side by side with igzip, and then hashing and copying
their distinct blobs (the floor); uncompressed ones against the floor alone. Needs igzip (Debian's
isal).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from harness import contenders, machine
from harness.contenders import Contender
from harness.inputs import Blob, Inputs, sha256
from harness.measure import Bench, Times, say
from harness.table import Bar, Row, markdown

HERE = Path(__file__).resolve().parent
BAR = Bar(at_most=1.25)
LARGE = ["--bundles", "20", "--images", "3", "--size", "3G"]
SMALL = ["--bundles", "3", "--images", "2", "--size", "4M"]
# The durability that does no more than the floor.
DURABILITY = "rename"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--quick", action="store_true", help="small packages, one round")
    parser.add_argument("--rounds", type=int, default=5, help="of each [%(default)s]")
    parser.add_argument("--check", action="store_true", help="end with 1 if a bar is missed")
    folder = Path(os.environ.get("FUSION_BENCH_DIR") or cache / "fusion-bench")
    parser.add_argument("--folder", type=Path, default=folder, help="[%(default)s]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fusion-bench-") as temporary:
        if options.quick:
            options.folder, options.rounds = Path(temporary), 1
        options.folder.mkdir(parents=True, exist_ok=True)
        raise SystemExit(run(options))


def run(options: argparse.Namespace) -> int:
    os.chdir(HERE.parent)
    build = ["cargo", "build", "--release", "--quiet", "-p", "fusion", "-p", "fusion-fixtures"]
    subprocess.run(build, check=True)
    release = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release").absolute()
    program = options.folder / "floor"
    source = HERE / "floor" / "floor.c"
    compile_floor = ["cc", "-std=c11", "-O2", "-o", program, source, "-lcrypto", "-pthread"]
    subprocess.run(compile_floor, check=True)

    size = SMALL if options.quick else LARGE
    raw = packages(release, options.folder, "none", size)
    gzip = packages(release, options.folder, "gzip", size)
    blobs = account(raw)
    listing = options.folder / "packages.list"
    lines = (f"{blob.offset} {blob.size} {blob.digest} {blob.path}\n" for blob in blobs)
    listing.write_text("".join(lines))
    bench = Bench(options.folder / "run")
    floor = contenders.floor(program, "layout", [])
    fusion = contenders.fusion(release / "fusion", "layout", DURABILITY)
    rows = []
    for wrapped, archives in (("none", raw), ("gzip", gzip)):
        inputs = Inputs(f"packages, {wrapped}", archives, [], blobs, listing)
        say(f"{inputs.layers}: {sum(path.stat().st_size for path in archives) / 1e6:.0f} MB")
        contest = [floor, fusion] + ([inflating()] if wrapped == "gzip" else [])
        for contender in contest:
            if contender.missing():
                raise SystemExit(f"{', '.join(contender.missing())}: not installed")
            bench.once(contender, inputs)
        at_floor, ours, *inflated = bench.rounds(contest, inputs, options.rounds)
        least = at_floor.median + sum(times.median for times in inflated)
        against = "floor" if wrapped == "none" else "(igzip + floor)"
        rows += [row(inputs, each.name, times) for each, times in zip(contest, [at_floor])]
        rows += [row(inputs, each.name, times) for each, times in zip(contest[2:], inflated)]
        bar = None if options.quick else BAR
        ratio = ours.median / least
        rows.append(Row(inputs.layers, "layout", fusion.name, ours, ratio, against, bar))
    about = f"{sum(blob.size for blob in blobs) / 1e6:.0f} MB in {len(blobs)} distinct blobs"
    print(f"- {machine.describe(options.folder)}\n- {about}\n\n{markdown(rows)}")
    return 1 if options.check and any(row.missed for row in rows) else 0


def row(inputs: Inputs, name: str, times: Times) -> Row:
    return Row(inputs.layers, "layout", name, times)


def packages(release: Path, folder: Path, outer: str, size: list[str]) -> list[Path]:
    """The packages of both architectures, unless they are there."""
    made = folder / f"packages-{outer}"
    if not made.is_dir():
        unfinished = folder / f"{made.name}.partial"
        command = [release / "fusion-fixtures", "package", "--kind", "addon", *size]
        command += ["--outer", outer, "--out", unfinished]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # Without them nothing but the content is read.
        for checksum in unfinished.glob("*sum"):
            checksum.unlink()
        unfinished.rename(made)
    return sorted(made.iterdir())


def account(archives: list[Path]) -> list[Blob]:
    """The distinct blobs of uncompressed packages, and where they lie."""
    blobs: dict[str, Blob] = {}
    for path in archives:
        with tarfile.open(path, "r:") as package, path.open("rb", buffering=0) as file:
            for bundle in package:
                if not bundle.name.endswith(".bundle.tar"):
                    continue
                for at, images in members(path, bundle.offset_data):
                    if images.name != "images.tar":
                        continue
                    start = at + images.offset_data
                    for inner, blob in members(path, start):
                        offset = inner + blob.offset_data
                        if blob.isfile() and blob.name != "manifest.json":
                            digest = sha256(file, offset, blob.size)
                            found = Blob(digest, blob.size, offset, path)
                            blobs.setdefault(digest, found)
    return list(blobs.values())


def members(path: Path, start: int) -> list[tuple[int, tarfile.TarInfo]]:
    """The members of the archive that begins at a byte of a file, and that byte."""
    with path.open("rb") as file:
        file.seek(start)
        # Offsets count from where it was told to begin.
        with tarfile.open(fileobj=file, mode="r:") as tar:
            return [(0, member) for member in tar]


def inflating() -> Contender:
    """Both packages inflated at once, into nothing."""

    def run(inputs: Inputs, _: Path, __: Path) -> None:
        with open(os.devnull, "wb") as nothing:
            inflate = [
                subprocess.Popen(["igzip", "-d", "-c", path], stdout=nothing)
                for path in inputs.archives
            ]
            if any([process.wait() for process in inflate]):
                raise RuntimeError("igzip failed")

    return Contender("igzip -dc, both at once", run, ["igzip"])


if __name__ == "__main__":
    main()
