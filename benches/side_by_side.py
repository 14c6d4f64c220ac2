#!/usr/bin/env python3
"""fusion beside the floor and beside what there is without it, in one run, as a Markdown table.

    python3 benches/side_by_side.py            # about a quarter of an hour, 15 GB of disk
    python3 benches/side_by_side.py --quick    # seconds: only whether all of it works
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness import contenders, machine, outcome
from harness.contenders import Contender
from harness.inputs import FLAVOURS, Inputs, prepare
from harness.measure import Bench, Times, say
from harness.table import Bar, Row, markdown

HERE = Path(__file__).resolve().parent
RESULTS = ("layout", "archive")
# fusion's durability, and what the floor does to match it.
DURABILITIES = {"rename": [], "full": ["--sync"]}

NEAR_THE_FLOOR = Bar(at_most=1.25)
# What another face than the command may cost.
NO_TAX = Bar(at_most=1.03)
# How many times faster than the others, by how the layers are.
FASTER = {
    "gzip": {"skopeo": Bar(at_least=50), "buildah": Bar(at_least=10)},
    "raw": {"skopeo": Bar(at_least=4), "buildah": Bar(at_least=10)},
}


@dataclass(frozen=True)
class Programs:
    """What was built for this run."""

    fusion: Path
    fixtures: Path
    floor: Path
    c_library: Path
    python: Path


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="fusion-bench-") as temporary:
        folder = Path(temporary) if options.quick else options.folder
        folder.mkdir(parents=True, exist_ok=True)
        return run(options, folder)


def arguments() -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("FUSION_BENCH_DIR") or cache / "fusion-bench")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="small inputs, one round, no rivals, nothing cached")
    add("--check", action="store_true", help="end with status 1 if a bar is missed")
    add("--rounds", type=int, default=7, help="rounds of fusion and the floor [%(default)s]")
    add("--rival-rounds", type=int, default=1, help="runs of each rival, 0: none [%(default)s]")
    add("--layers", choices=FLAVOURS, action="append", help="only these; repeatable")
    add("--result", choices=RESULTS, action="append", help="only these; repeatable")
    add("--durability", choices=DURABILITIES, action="append", help="only these; repeatable")
    add("--folder", type=Path, default=folder, help="inputs stay, results pass [%(default)s]")
    add("--fusion", type=Path, help="the command, instead of building it")
    add("--fixtures", type=Path, help="the generator, instead of building it")
    add("--library", type=Path, help="where libfusion is installed, instead of building it")
    add("--python", type=Path, help="a Python that has the package, instead of building it")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.rival_rounds = 1, 0
    return options


def run(options: argparse.Namespace, folder: Path) -> int:
    programs = build(options, folder)
    all_inputs = [
        prepare(programs.fixtures, folder, layers, options.quick)
        for layers in options.layers or FLAVOURS
    ]
    others = 0 if options.quick else machine.busy()
    about = machine.describe(folder)
    if not options.quick:
        about += f", {others:.0%} in use by others"
    if others > 0.05:
        say(f"{others:.0%} of this machine in use by others: do not quote what follows")
    bench = Bench(folder / "run")
    rows: list[Row] = []
    for inputs in all_inputs:
        say(describe(inputs))
        rows += beside_the_floor(bench, inputs, programs, options)
        rows += beside_rivals(bench, inputs, rows, options)
    print(about, *map(describe, all_inputs), sep="\n- ", end="\n\n")
    print(markdown(rows))
    return 1 if options.check and any(row.missed for row in rows) else 0


def build(options: argparse.Namespace, folder: Path) -> Programs:
    """Builds what is not given."""
    os.chdir(HERE.parent)
    said = partial(subprocess.run, check=True, stdout=subprocess.PIPE, text=True)
    if not (options.fusion and options.fixtures):
        said(["cargo", "build", "--release", "-p", "fusion", "-p", "fusion-fixtures"])
    metadata = said(["cargo", "metadata", "--no-deps", "--format-version", "1"]).stdout
    release = Path(json.loads(metadata)["target_directory"], "release")
    floor = folder / "floor"
    source = HERE / "floor" / "floor.c"
    said(["cc", "-std=c11", "-O2", "-o", floor, source, "-lcrypto", "-pthread"])
    return Programs(
        fusion=options.fusion or release / "fusion",
        fixtures=options.fixtures or release / "fusion-fixtures",
        floor=floor,
        c_library=build_c(options, release, folder.resolve()),
        python=build_python(options, folder.resolve()),
    )


def build_c(options: argparse.Namespace, release: Path, folder: Path) -> Path:
    """The program in C, with libfusion as it is installed."""
    prefix = options.library
    if prefix is None:
        prefix = folder / "libfusion"
        run = partial(subprocess.run, check=True, stdout=subprocess.PIPE)
        run(["cargo", "build", "--release", "-p", "fusion-ffi"])
        run(["scripts/install-lib.sh", prefix], env=os.environ | {"FUSION_TARGET": str(release)})
    program, library = folder / "fuse", prefix.resolve() / "lib"
    command = ["cc", "-std=c11", "-O2", "-o", program, HERE / "faces" / "fuse.c"]
    paths = [f"-I{prefix.resolve() / 'include'}", f"-L{library}", f"-Wl,-rpath,{library}"]
    subprocess.run([*command, *paths, "-lfusion"], check=True)
    return program


def build_python(options: argparse.Namespace, folder: Path) -> Path:
    """A Python with the wheel that is released, and nothing else."""
    if options.python:
        # Not resolved: where it stands is what makes it a virtual environment.
        return options.python.absolute()
    wheels, environment = folder / "wheels", folder / "python"
    run = partial(subprocess.run, check=True, stdout=subprocess.PIPE, text=True)
    wheel = run(["scripts/wheel.sh", wheels]).stdout.splitlines()[-1]
    run([sys.executable, "-m", "venv", "--clear", environment])
    python = environment / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel])
    return python


def describe(inputs: Inputs) -> str:
    megabytes = " + ".join(f"{path.stat().st_size / 1e6:.0f}" for path in inputs.archives)
    images = f"{len(inputs.references)} images for each of {len(inputs.archives)} architectures"
    distinct = f"{len(inputs.blobs)} distinct blobs of {inputs.distinct / 1e6:.0f} MB"
    return f"{inputs.layers} layers: {images}, {megabytes} MB, {distinct}"


def beside_the_floor(
    bench: Bench, inputs: Inputs, programs: Programs, options: argparse.Namespace
) -> list[Row]:
    """fusion, by each of its faces, and the floor in turns, for every kind of result."""
    rows = []
    for result in options.result or RESULTS:
        faster = quickest_copy(bench, inputs, programs, result, options)
        for durability in options.durability or DURABILITIES:
            say(f"  {result}, durability {durability}")
            floor_options = faster + DURABILITIES[durability]
            floor = contenders.floor(programs.floor, result, floor_options)
            fusion = contenders.fusion(programs.fusion, result, durability)
            faces = other_faces(programs, result, durability)
            # Once before it counts: what comes out is what should.
            for face in [fusion, *faces]:
                bench.once(face, inputs, partial(outcome.check, inputs))
            contest = [floor, fusion, *faces]
            at_floor, ours, *theirs = bench.rounds(contest, inputs, options.rounds)
            rows.append(Row(inputs.layers, result, floor.name, at_floor))
            measured = [(fusion, ours, at_floor, "floor", NEAR_THE_FLOOR)]
            measured += [
                (face, times, ours, "the command", NO_TAX) for face, times in zip(faces, theirs)
            ]
            for who, times, base, against, bar in measured:
                ratio = times.median / base.median
                # What takes a moment says nothing about speed.
                at_most = None if options.quick else bar
                rows.append(Row(inputs.layers, result, who.name, times, ratio, against, at_most))
    return rows


def other_faces(programs: Programs, result: str, durability: str) -> list[Contender]:
    """fusion otherwise than by its command; each has to be as fast."""
    return [
        contenders.c_library(programs.c_library, result, durability),
        contenders.python(programs.python, result, durability),
    ]


def quickest_copy(
    bench: Bench, inputs: Inputs, programs: Programs, result: str, options: argparse.Namespace
) -> list[str]:
    """How the floor copies fastest here: inside the kernel or not, on one core or on all."""
    ways = [["--copiers", "1"], [], ["--write", "--copiers", "1"], ["--write"]]
    if options.quick:
        return ways[0]
    say(f"  {result}: which copy is the fastest")
    floors = [contenders.floor(programs.floor, result, way) for way in ways]
    times = bench.rounds(floors, inputs, 2)
    return min(zip(times, ways), key=lambda each: each[0].best)[1]


def beside_rivals(
    bench: Bench, inputs: Inputs, rows: list[Row], options: argparse.Namespace
) -> list[Row]:
    """Each rival that is installed, against fusion writing the same kind of result."""
    if options.rival_rounds == 0:
        return []
    ours = [row.times for row in rows if is_rivalled(row, inputs)]
    rivals: list[tuple[Contender, Bar | None]] = [
        (contenders.skopeo(inputs.layers), FASTER[inputs.layers]["skopeo"]),
        (contenders.buildah(), FASTER[inputs.layers]["buildah"]),
        (contenders.by_hand(), None),
    ]
    found = []
    for rival, bar in rivals:
        if missing := rival.missing():
            say(f"  {rival.name}: not installed: {', '.join(missing)}")
            continue
        say(f"  {rival.name}")
        times = Times([bench.once(rival, inputs) for _ in range(options.rival_rounds)])
        ratio = times.median / ours[0].median if ours else None
        found.append(Row(inputs.layers, "layout", rival.name, times, ratio, "fusion", bar))
    return found


def is_rivalled(row: Row, inputs: Inputs) -> bool:
    """Whether these are the times of fusion that rivals are set against: rivals write a layout
    and leave it to the system when it reaches the disk."""
    job = (inputs.layers, "layout", contenders.fusion_name("rename"))
    return (row.layers, row.result, row.name) == job


if __name__ == "__main__":
    raise SystemExit(main())
