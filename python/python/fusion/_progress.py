"""Progress bars."""

from __future__ import annotations

import importlib
from typing import Any

from ._results import Progress


class _Bar:
    """A bar of `tqdm` for each phase of a run; also a context manager, which closes the last."""

    def __init__(self, tqdm: Any, options: dict[str, Any]) -> None:
        self._tqdm = tqdm
        self._options = options
        self._key: tuple[str, int] | None = None
        self._bar: Any = None

    def __call__(self, progress: Progress) -> None:
        key = (progress.phase, progress.total_bytes)
        if key != self._key:
            self.close()
            self._key = key
            # A phase of unknown length is too short to be shown.
            if progress.total_bytes:
                self._bar = self._tqdm(
                    **{
                        "total": progress.total_bytes,
                        "desc": progress.phase,
                        "unit": "B",
                        "unit_scale": True,
                        "unit_divisor": 1024,
                        **self._options,
                    }
                )
        if self._bar is not None:
            self._bar.update(progress.bytes - self._bar.n)

    def close(self) -> None:
        """Closes the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def tqdm_progress(**options: Any) -> _Bar:
    """A ``progress`` callable that shows a bar of `tqdm <https://tqdm.github.io>`_.

        fusion.fuse(sources, "images.tar", progress=fusion.tqdm_progress())

    Use it for one run. It is also a context manager, which closes the bar when its block ends.

    Args:
        options: Passed on to ``tqdm.tqdm``: ``desc``, ``leave``, ``file``, ``disable``, …

    Raises:
        ImportError: `tqdm` is not installed (``pip install tqdm``).
    """
    return _Bar(importlib.import_module("tqdm.auto").tqdm, options)
