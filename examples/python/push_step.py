#!/usr/bin/env python3
"""An installer's step: one archive per architecture in, multi-architecture tags in a registry out.

    python3 push_step.py harbor.local/addons images-amd64.tar.gz images-arm64.tar.gz

Copy it, and change what you need. The user is REGISTRY_USER with REGISTRY_PASSWORD; without them,
whoever `docker login` or `podman login` stored. Running it again sends only what is missing.
"""

from __future__ import annotations

import logging
import os
import sys

import fusion


def push(to: str, sources: list[str]) -> int:
    """Pushes `sources` to `to` and returns the status of the step."""
    try:
        report = fusion.push(
            sources,
            to,
            username=os.environ.get("REGISTRY_USER"),
            password=os.environ.get("REGISTRY_PASSWORD"),
            # A build that forgot an architecture is found here, and not on a customer's node.
            require_platforms=["linux/amd64", "linux/arm64"],
        )
    except fusion.RegistryError as error:
        return fail(f"the registry refused it, or cannot be reached ({error.status})", error)
    except fusion.PlatformMissingError as error:
        return fail("an architecture is missing", error)
    except fusion.InvalidArchiveError as error:
        return fail(f"{error.path} is damaged, fetch it again", error)
    except fusion.FusionError as error:
        return fail(error.kind, error)
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return 130

    for warning in report.warnings:
        print(f"warning: {warning.message}", file=sys.stderr)
    for image in report.images:
        # What the tag led to before, should somebody want to go back.
        before = image.previous_digest or "nothing"
        print(f"{image.target}@{image.digest}  {image.action}, before: {before}")
    print(f"{report.bytes.uploaded / 1e6:.1f} MB sent, {report.blobs.reused} blobs were there")
    return 0


def fail(why: str, error: fusion.FusionError) -> int:
    """Says what is wrong and what to do, and returns the status."""
    print(f"error: {why}\n  {error}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {error.hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} HOST/PREFIX SOURCE...")
    logging.basicConfig(level=logging.WARNING)
    sys.exit(push(sys.argv[1], sys.argv[2:]))
