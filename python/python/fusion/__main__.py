"""``python -m fusion``: the ``fusion`` command, from this package."""

from __future__ import annotations

import os
import signal
import sys

from ._fusion import command


def main() -> int:
    """Runs ``sys.argv`` as the command does and returns its exit status."""
    # The command has its own way to stop: once cleanly, the second time at once. Python would only
    # note the signal, and raise when everything is over.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return command([b"fusion", *map(os.fsencode, sys.argv[1:])])


if __name__ == "__main__":
    sys.exit(main())
