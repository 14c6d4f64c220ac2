"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

PROGRAMS = [["openssl", "version"], ["skopeo", "--version"], ["buildah", "--version"]]


def describe(folder: Path) -> str:
    """Processor, memory, kernel, file system and versions."""
    words = [f"{os.cpu_count()} × {processor()}", memory(), f"Linux {platform.release()}"]
    words.append(file_system(folder))
    for program in PROGRAMS:
        if shutil.which(program[0]):
            words.append(said(program))
    return ", ".join(word for word in words if word)


def busy(seconds: float = 2) -> float:
    """The part of the processors that others use now."""
    before = ticks()
    time.sleep(seconds)
    idle, total = (now - then for now, then in zip(ticks(), before))
    return 1 - idle / total


def ticks() -> tuple[int, int]:
    """What all processors did since they began: nothing, anything."""
    spent = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return spent[3] + spent[4], sum(spent)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def file_system(folder: Path) -> str:
    return said(["stat", "--file-system", "--format", "%T", str(folder)])


def said(command: list[str]) -> str:
    """The first line a program says, without what only its build cares for."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    first = (done.stdout.splitlines() or [""])[0]
    return first.partition(" (")[0].strip()
