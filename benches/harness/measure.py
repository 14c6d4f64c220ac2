"""Runs contenders against the clock, on equal terms."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import memory
from .contenders import Contender
from .inputs import Inputs

Inspect = Callable[[Path], None]


@dataclass(frozen=True)
class Run:
    """What one run took: seconds on the clock, and of all processors together."""

    seconds: float
    processors: float


@dataclass
class Times:
    """What some runs took."""

    runs: list[Run] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        return [run.seconds for run in self.runs]

    @property
    def processors(self) -> float:
        return statistics.median(run.processors for run in self.runs)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def worst(self) -> float:
        return max(self.seconds)


class Bench:
    """A folder to run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def once(self, contender: Contender, inputs: Inputs, inspect: Inspect | None = None) -> Run:
        """One run, timed. Before it the inputs are in the page cache, nothing waits to be written
        to disk, and memory for the result is there; after it, outside the time, its result is
        looked at and goes."""
        self._clear()
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True)
        out = self.folder / "out"
        inputs.warm()
        os.sync()
        memory.claim(inputs.distinct)
        begun, spent = time.monotonic(), processor_time()
        counted = contender.run(inputs, out, scratch)
        taken = time.monotonic() - begun
        run = Run(taken if counted is None else counted, processor_time() - spent)
        say(f"    {contender.name:<37} {run.seconds:8.3f} s {run.processors:8.2f} s of processors")
        if inspect is not None:
            inspect(out)
        self._clear()
        return run

    def rounds(self, contenders: list[Contender], inputs: Inputs, count: int) -> list[Times]:
        """Every contender in every round, each in turn the first."""
        times = [Times() for _ in contenders]
        for turn in range(count):
            for at in range(len(contenders)):
                who = (at + turn) % len(contenders)
                times[who].runs.append(self.once(contenders[who], inputs))
        return times

    def _clear(self) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder)


def processor_time() -> float:
    """What the programs that were run have used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def say(words: str) -> None:
    """Tells how far it is."""
    print(words, file=sys.stderr, flush=True)
