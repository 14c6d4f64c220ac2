"""Memory that is there before the clock runs.

A virtual machine may give memory that is free back to its host, which has to bring each page back
when it is used again: slower than hashing what is written there. Who pays is chance. A copy inside
the kernel takes the small pieces that are left over, a program that writes large ones takes what
was given back; so the same program took 1.6 or 4.3 s of processors.
"""

from __future__ import annotations

import mmap
from pathlib import Path

# Linux 5.14; Python has no name for it.
POPULATE_WRITE = 23
# What is written takes more than its bytes.
MARGIN = 256 << 20


def claim(size: int) -> None:
    """Has the machine hold enough free memory for writing `size` bytes."""
    wanted = min(size + size // 2 + MARGIN, available() // 2)
    with mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as region:
        # Large pages, since those are what is given back.
        for advice in (mmap.MADV_HUGEPAGE, POPULATE_WRITE):
            try:
                region.madvise(advice)
            except OSError:
                if advice == POPULATE_WRITE:
                    touch(region)


def touch(region: mmap.mmap) -> None:
    """Writes to every page."""
    for at in range(0, len(region), mmap.PAGESIZE):
        region[at] = 1


def available() -> int:
    """Bytes that can be had without taking them from anybody."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    found = next(line for line in lines if line.startswith("MemAvailable:"))
    return int(found.split()[1]) << 10
