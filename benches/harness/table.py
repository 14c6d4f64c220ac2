"""Results as a Markdown table, each against what is required of it."""

from __future__ import annotations

from dataclasses import dataclass

from .measure import Times


@dataclass(frozen=True)
class Bar:
    """What a ratio must reach."""

    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        return f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"

    def reached(self, ratio: float) -> bool:
        """Whether it does."""
        if self.at_most is not None:
            return ratio <= self.at_most
        return self.at_least is None or ratio >= self.at_least


@dataclass(frozen=True)
class Row:
    """One contender's times for one job."""

    layers: str
    result: str
    name: str
    times: Times
    # Its median over that of `against`: the floor for fusion, the command for fusion's other faces,
    # fusion for everybody else.
    ratio: float | None = None
    against: str = ""
    bar: Bar | None = None

    @property
    def missed(self) -> bool:
        """Whether there is a bar and the ratio does not reach it."""
        return self.bar is not None and self.ratio is not None and not self.bar.reached(self.ratio)


HEAD = """\
| layers | result | what | median s | least–most s (runs) | CPU s | ratio | bar | |
|---|---|---|--:|--:|--:|--:|--:|---|"""


def markdown(rows: list[Row]) -> str:
    """The table."""
    return "\n".join([HEAD, *map(line, rows)])


def line(row: Row) -> str:
    """A row of the table."""
    times = row.times
    spread = f"{times.best:.2f}–{times.worst:.2f} ({len(times.seconds)})"
    ratio = bar = verdict = ""
    if row.ratio is not None:
        digits = 2 if row.ratio < 10 else 0
        ratio = f"{row.ratio:.{digits}f} × {row.against}"
    if row.bar is not None:
        bar, verdict = str(row.bar), "FAIL" if row.missed else "PASS"
    seconds = [f"{times.median:.3f}", spread, f"{times.processors:.2f}"]
    cells = [row.layers, row.result, row.name, *seconds, ratio, bar, verdict]
    return "| " + " | ".join(cells) + " |"
