"""The golden cases: what every face must answer, key by key, and byte by byte.

`fixtures/golden/README.md` says how a case is run and what is masked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import fusion
import pytest
from conftest import REPOSITORY

FIXTURES = REPOSITORY / "fixtures"
GOLDEN = FIXTURES / "golden"


def cases() -> list[dict[str, Any]]:
    table = json.loads((GOLDEN / "cases.json").read_text())
    assert table["schema"] == "fusion.golden/v1"
    listed: list[dict[str, Any]] = table["cases"]
    return listed


# What options are called here, if not as on the command line.
NAMES = {
    "platform": "platforms",
    "require-platform": "require_platforms",
    "image": "images",
    "annotation": "annotations",
    "source-platform": "source_platforms",
}
STATUSES = {
    fusion.InternalError: 1,
    fusion.UsageError: 2,
    fusion.ConflictError: 3,
    fusion.InvalidArchiveError: 4,
    fusion.NoSpaceError: 8,
    fusion.FusionIOError: 5,
    fusion.CancelledError: 130,
}


def keywords(options: dict[str, Any], folder: str) -> dict[str, Any]:
    """Options of the command line as arguments."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name in ("rename", "annotation"):
            value = dict(pair.split("=", 1) for pair in value)
        elif name == "source-platform":
            value = dict((f"{folder}{pair}").rsplit("=", 1) for pair in value)
        elif name == "jobs":
            value = int(value)
        found[NAMES.get(name, name.replace("-", "_"))] = value
    return found


def masked(value: Any, folder: str) -> Any:
    if isinstance(value, str):
        return value.replace(folder, "")
    if isinstance(value, list):
        return [masked(one, folder) for one in value]
    if isinstance(value, dict):
        return {key: masked(one, folder) for key, one in value.items()}
    return value


def published(output: Path) -> str | None:
    """The digest of what is at the destination."""
    if output.is_dir():
        files = [path for path in output.rglob("*") if path.is_file()]
        names = sorted(path.relative_to(output).as_posix() for path in files)
        lines = [f"{digest(output / name)}  {name}\n" for name in names]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    return digest(output) if output.exists() else None


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_report_has_a_case() -> None:
    names = [case["name"] for case in cases()]
    assert names and sorted(names) == sorted(path.stem for path in (GOLDEN / "reports").iterdir())


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["name"]))
def test_golden(case: dict[str, Any], tmp_path: Path) -> None:
    folder = f"{tmp_path}/"
    runs = [*case.get("before", []), case]
    for source in [source for run in runs for source in run["sources"]]:
        if "/" in source:
            shutil.copyfile(FIXTURES / source, tmp_path / Path(source).name)

    def sources(run: dict[str, Any]) -> list[str]:
        return [folder + source.rsplit("/", 1)[-1] for source in run["sources"]]

    for run in runs[:-1]:
        fusion.fuse(sources(run), folder + run["output"], **keywords(run["options"], folder))

    document: Any
    try:
        if case["verb"] == "fuse":
            output, choices = folder + case["output"], keywords(case["options"], folder)
            document = fusion.fuse(sources(case), output, **choices)
            status = 7 if document.status == "partial" else 0
        elif case["verb"] == "inspect":
            document = fusion.inspect(sources(case)[0], reference=case.get("reference"))
            status = 0
        else:
            assert case["verb"] == "verify"
            document = fusion.verify(sources(case), **keywords(case["options"], folder))
            status = 0 if document.passed else 4
    except fusion.FusionError as error:
        document = error.report
        status = next(status for known, status in STATUSES.items() if isinstance(error, known))
    told = masked(document.to_dict(), folder)
    told["version"] = "<version>"
    if "elapsed_seconds" in told:
        told["elapsed_seconds"] = 0
    if told.get("destination"):
        told["destination"]["location"] = "<destination>"

    result = published(tmp_path / case["output"]) if "output" in case else None
    wanted = json.loads((GOLDEN / "reports" / f"{case['name']}.json").read_text())
    assert {"status": status, "document": told, "output": result} == wanted
