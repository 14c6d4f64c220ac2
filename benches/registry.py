#!/usr/bin/env python3
"""Two archives pushed to a registry, beside what people use and what is the least that takes, in
one run.

    python3 benches/registry.py            # some minutes, 8 GB of disk
    python3 benches/registry.py --quick    # seconds: only whether what arrives is right

Every push goes to an empty docker-registry of its own (Debian's) on the loopback device.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from harness import machine, pushes
from harness.inputs import Inputs, prepare
from harness.measure import Bench, Run, Times, say
from harness.pushes import Check, Pusher
from harness.registry import PROGRAM, Registry
from harness.table import Bar, Row, markdown

HERE = Path(__file__).resolve().parent
# As charts-syncer's bundles hold them, and as docker saves them.
FLAVOURS = ("gzip", "raw")

# Beside requests that hash nothing and make no image.
FLOOR = Bar(at_most=1.4)
# How many times faster than the others. Over raw layers, which skopeo compresses first, 4 is the aim
# as well, and missed: requests that hash nothing were 3.8 to 4.7 times faster than skopeo there,
# fusion 3.2 to 4.0 times. This bar only tells when it gets worse.
SKOPEO = {"gzip": Bar(at_least=4), "raw": Bar(at_least=3)}
BUILDAH = Bar(at_least=2)
# The second push of the same, over the first.
AGAIN = Bar(at_most=0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("FUSION_BENCH_DIR") or cache / "fusion-bench")
    add = parser.add_argument
    add("--layers", choices=FLAVOURS, action="append", help="only these; repeatable")
    add("--quick", action="store_true", help="small archives, one round, no rivals, no bars")
    add("--rounds", type=int, default=5, help="of fusion and the floor [%(default)s]")
    add("--rival-rounds", type=int, default=1, help="of each rival, 0: none [%(default)s]")
    add("--check", action="store_true", help="end with 1 if a bar is missed")
    add("--folder", type=Path, default=folder, help="inputs stay, results pass [%(default)s]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fusion-bench-") as temporary:
        if options.quick:
            options.folder = Path(temporary)
            options.rounds, options.rival_rounds = 1, 0
        options.folder.mkdir(parents=True, exist_ok=True)
        raise SystemExit(run(options))


def run(options: argparse.Namespace) -> int:
    if shutil.which(PROGRAM) is None:
        raise SystemExit(f"{PROGRAM}: not installed")
    os.chdir(HERE.parent)
    build = ["cargo", "build", "--release", "--quiet", "-p", "fusion", "-p", "fusion-fixtures"]
    subprocess.run(build, check=True)
    release = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release").absolute()
    others = 0 if options.quick else machine.busy()
    about = [f"{machine.describe(options.folder)}, {others:.0%} in use by others"]
    rows = []
    for layers in options.layers or FLAVOURS:
        fixtures = release / "fusion-fixtures"
        inputs = prepare(fixtures, options.folder, layers, options.quick)
        about.append(describe(inputs))
        say("\n".join(about))
        contest = Contest(options.folder, inputs)
        found = against_the_floor(contest, release / "fusion", options)
        if options.rival_rounds > 0:
            found += against_rivals(contest, found[1].times, options)
        about.append("processor time of the registry itself: " + contest.registries())
        rows += found
    if others > 0.05:
        say("others use this machine: do not quote what follows")
    print(*(f"- {line}" for line in about), "", markdown(rows), sep="\n")
    return 1 if options.check and any(row.missed for row in rows) else 0


def describe(inputs: Inputs) -> str:
    megabytes = " + ".join(f"{path.stat().st_size / 1e6:.0f}" for path in inputs.archives)
    images = f"{len(inputs.references)} images for each of {len(inputs.archives)} architectures"
    distinct = f"{len(inputs.blobs)} distinct blobs of {inputs.distinct / 1e6:.0f} MB"
    return f"{inputs.layers} layers: {images}, {megabytes} MB, {distinct}"


class Contest:
    """The same archives, pushed by whoever comes."""

    def __init__(self, folder: Path, inputs: Inputs) -> None:
        self.folder = folder
        self.inputs = inputs
        self.bench = Bench(folder / "run")
        # What registries used of processors while somebody pushed.
        self.used: dict[str, list[float]] = {}

    def registry(self) -> Registry:
        return Registry(self.folder / "registry")

    def once(self, registry: Registry, pusher: Pusher, check: Check | None) -> Run:
        """One push. That all of it arrived is seen outside the time."""
        contender = pusher(registry)
        before = registry.processors()

        def inspect(_: Path) -> None:
            used = registry.processors() - before
            self.used.setdefault(contender.name, []).append(used)
            if check is not None:
                check(registry, self.inputs)

        return self.bench.once(contender, self.inputs, inspect)

    def registries(self) -> str:
        """What registries used of processors, by who pushed."""
        medians = {name: statistics.median(used) for name, used in self.used.items()}
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in medians.items())


def against_the_floor(contest: Contest, program: Path, options: argparse.Namespace) -> list[Row]:
    """The floor and fusion, each in turn the first; after each first push of fusion a second."""
    fusion = pushes.fusion(program)
    again = pushes.fusion(program, "fusion push, once more")
    times = {"floor": Times(), "first": Times(), "again": Times()}

    def at_floor() -> None:
        with contest.registry() as registry:
            times["floor"].runs.append(contest.once(registry, pushes.floor, None))

    def ours() -> None:
        with contest.registry() as registry:
            times["first"].runs.append(contest.once(registry, fusion, pushes.check_exactly))
            # The uploads are counted again as well: there are to be no more.
            times["again"].runs.append(contest.once(registry, again, pushes.check_exactly))

    for turn in range(options.rounds):
        for each in [at_floor, ours] if turn % 2 == 0 else [ours, at_floor]:
            each()
    floor, first, second = times.values()
    row = partial(Row, contest.inputs.layers, "registry")
    # What takes a moment says nothing about speed.
    at_most, again_at_most = (None, None) if options.quick else (FLOOR, AGAIN)
    return [
        row(pushes.FLOOR, floor),
        row("fusion push", first, first.median / floor.median, "floor", at_most),
        row("fusion push, once more", second, second.median / first.median, "the first", again_at_most),
    ]


def against_rivals(contest: Contest, ours: Times, options: argparse.Namespace) -> list[Row]:
    """Each rival that is installed."""
    rivals: list[tuple[Pusher, Bar | None]] = [
        (pushes.skopeo(keep_raw=False), SKOPEO[contest.inputs.layers]),
        (pushes.skopeo(keep_raw=True), None),
        (pushes.buildah, BUILDAH),
    ]
    rows = []
    for rival, bar in rivals:
        times = Times()
        for _ in range(options.rival_rounds):
            with contest.registry() as registry:
                contender = rival(registry)
                if missing := contender.missing():
                    say(f"  {contender.name}: not installed: {', '.join(missing)}")
                    break
                times.runs.append(contest.once(registry, rival, pushes.check))
        if times.runs:
            ratio = times.median / ours.median
            row = Row(contest.inputs.layers, "registry", contender.name, times, ratio, "fusion", bar)
            rows.append(row)
    return rows


if __name__ == "__main__":
    main()
