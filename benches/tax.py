#!/usr/bin/env python3
"""What calling fusion from Python costs: one `fusion.fuse()`, and the seconds it took.

    python benches/tax.py OUTPUT SOURCE... [--format oci-archive] [--durability rename] [--jobs N]

Prints two numbers: the seconds of the call, and those that the import before it took. The Python
must have the package; a `progress` callable is set, as an installer has one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What `work` gives, and how long that took."""
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output")
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--format", help="oci or oci-archive [as the output's name says]")
    parser.add_argument("--durability", default="full", help="full or rename [%(default)s]")
    parser.add_argument("--jobs", type=int, help="threads [one a core]")
    options = vars(parser.parse_args())

    fusion, importing = timed(lambda: __import__("fusion"))
    calls: list[Any] = []
    sources, output = options.pop("sources"), options.pop("output")
    report, fusing = timed(
        lambda: fusion.fuse(sources, output, progress=calls.append, **options)
    )
    if not calls or not report.bytes.written:
        raise SystemExit(f"that was no run to measure: {report!r}")
    print(f"{fusing:.6f} {importing:.6f}")


if __name__ == "__main__":
    main()
