#!/usr/bin/env python3
"""An installer's step: bundles of each architecture in, images in a registry and charts out.

    python3 sync_step.py load-image.yaml kairship-amd64.bundle.tar kairship-arm64.bundle.tar

Copy it, and change what you need. The first argument is charts-syncer's configuration; the others go in
the place of the bundles that it names. One chart that fails does not keep the others back. Running it
again does what is missing.
"""

from __future__ import annotations

import logging
import sys

import fusion


def sync(config: str, sources: list[str]) -> int:
    """Syncs `sources` as `config` says, and returns the status of the step."""
    try:
        report = fusion.sync(config, sources=sources or None, keep_going=True)
    except fusion.UsageError as error:
        # With the line and the setting, if it is about the configuration.
        return fail(str(error), error)
    except fusion.RegistryError as error:
        return fail(f"refused, or out of reach ({error.status}): {error}", error)
    except fusion.FusionError as error:
        return fail(f"{error.kind}: {error}", error)
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return 130

    for warning in report.warnings:
        print(f"warning: {warning.message}", file=sys.stderr)
    for image in report.images:
        if image.error:
            print(f"{image.reference}: {image.error.message}", file=sys.stderr)
    for chart in report.charts:
        print(f"{chart.name} {chart.version}  {chart.action}  {' '.join(chart.platforms)}")
        print(f"  {chart.error.message if chart.error else chart.location}")
    return 0 if report.status == "ok" else 7


def fail(why: str, error: fusion.FusionError) -> int:
    """Says what is wrong and what to do, and returns the status."""
    print(f"error: {why}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {error.hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} CONFIG SOURCE...")
    logging.basicConfig(level=logging.WARNING)
    sys.exit(sync(sys.argv[1], sys.argv[2:]))
