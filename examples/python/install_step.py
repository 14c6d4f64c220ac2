#!/usr/bin/env python3
"""An installer's step: one archive per architecture in, one multi-architecture archive out.

    python3 install_step.py images.tar images-amd64.tar images-arm64.tar

Copy it, and change what you need. It ends with 0 if every image has both platforms, shows what it
does on a terminal, and leaves nothing half-done behind, whatever happens.
"""

from __future__ import annotations

import logging
import sys

import fusion

REQUIRED = ["linux/amd64", "linux/arm64"]


def show(now: fusion.Progress) -> None:
    """One line that overwrites itself."""
    if now.total_bytes and sys.stderr.isatty():
        print(f"\r{now.phase}: {100 * now.bytes // now.total_bytes} % ", end="", file=sys.stderr)


def fuse(output: str, sources: list[str]) -> int:
    """Fuses `sources` into `output` and returns the status of the step."""
    try:
        report = fusion.fuse(
            sources,
            output,
            # A build that forgot an architecture is found here, and not on a customer's node.
            require_platforms=REQUIRED,
            # Running the step again is fine.
            on_existing="replace",
            progress=show,
        )
    except fusion.PlatformMissingError as error:
        return fail("an architecture is missing", error)
    except fusion.ConflictError as error:
        return fail("the archives disagree", error)
    except fusion.InvalidArchiveError as error:
        # With the place, so that somebody can say whether a download or a build went wrong.
        return fail(f"{error.path} is damaged, fetch it again", error)
    except fusion.NoSpaceError as error:
        return fail("the disk is full", error)
    except fusion.FusionIOError as error:
        return fail(f"{error.filename}: {error.strerror}", error)
    except fusion.FusionError as error:
        return fail(error.kind, error)
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130

    for warning in report.warnings:
        print(f"warning: {warning.message}", file=sys.stderr)
    for image in report.images:
        platforms = ", ".join(variant.platform for variant in image.platforms)
        print(f"{image.reference}@{image.digest}  {platforms}")
    saved = report.bytes.deduplicated / 1e6
    print(f"{len(report.images)} images in {output}, {saved:.1f} MB were there twice")
    return 0


def fail(why: str, error: fusion.FusionError) -> int:
    """Says what is wrong and what to do, and returns the status."""
    print(f"error: {why}\n  {error}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {error.hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} OUTPUT SOURCE...")
    logging.basicConfig(level=logging.WARNING)
    sys.exit(fuse(sys.argv[1], sys.argv[2:]))
