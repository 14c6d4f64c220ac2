"""The golden cases: what every face must answer, key by key, and byte by byte.

`fixtures/golden/README.md` says how a case is run and what is masked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fusion
import pytest
from conftest import REPOSITORY, serve

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
    "chart": "charts",
}
STATUSES = {
    fusion.InternalError: 1,
    fusion.UsageError: 2,
    fusion.ConflictError: 3,
    fusion.InvalidArchiveError: 4,
    fusion.NoSpaceError: 8,
    fusion.FusionIOError: 5,
    fusion.RegistryError: 6,
    fusion.CancelledError: 130,
}


class Stage:
    """A folder, and the registry that a case names, if it does."""

    def __init__(self, folder: Path, registry: str) -> None:
        self.folder = folder
        self.registry = registry

    def filled(self, word: str) -> str:
        """`word` with its placeholders filled in."""
        return word.replace("{registry}", self.registry).replace("{folder}", str(self.folder))

    def place(self, word: str) -> str:
        """The path or place that `word` is for."""
        return self.filled(word) if is_filled_in(word) else f"{self.folder}/{word}"

    def sources(self, run: dict[str, Any]) -> list[str]:
        listed: list[str] = run["sources"]
        return [
            self.filled(one) if is_filled_in(one) else self.place(one.rsplit("/", 1)[-1])
            for one in listed
        ]

    def keywords(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of the command line as arguments."""
        found: dict[str, Any] = {}
        for name, value in options.items():
            if name in ("rename", "annotation"):
                value = dict(self.filled(pair).split("=", 1) for pair in value)
            elif name == "source-platform":
                value = dict(self.place(pair).rsplit("=", 1) for pair in value)
            elif name == "jobs":
                value = int(value)
            elif name == "values":
                value = self.filled(value)
            found[NAMES.get(name, name.replace("-", "_"))] = value
        return found

    def run(self, run: dict[str, Any]) -> tuple[Any, int]:
        """Runs, and says what came of it: the document, and the exit status."""
        sources, options = self.sources(run), self.keywords(run["options"])
        report: fusion.Report
        verb = run.get("verb", "fuse")
        if verb == "inspect":
            return fusion.inspect(sources[0], reference=run.get("reference"), **options), 0
        if verb == "verify":
            found = fusion.verify(sources, **options)
            return found, 0 if found.passed else 4
        if verb == "push":
            report = fusion.push(sources, self.place(run["to"]), **options)
        elif verb == "sync":
            report = fusion.sync(self.place(run["config"]), sources=sources or None, **options)
        elif verb == "import-addon":
            report = fusion.import_addon(self.place(run["config"]), sources or None, **options)
        elif verb == "index create":
            report = fusion.index_create(self.place(run["target"]), sources, **options)
        else:
            assert verb == "fuse"
            report = fusion.fuse(sources, self.place(run["output"]), **options)
        return report, 7 if report.status == "partial" else 0

    def masked(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(f"{self.folder}/", "")
            return value.replace(self.registry, "{registry}") if self.registry else value
        if isinstance(value, list):
            return [self.masked(one) for one in value]
        if isinstance(value, dict):
            return {key: self.masked(one) for key, one in value.items()}
        return value


def is_filled_in(word: str) -> bool:
    """Whether a word of a case is given as it stands, once its placeholders are filled in."""
    return "{registry}" in word or "{folder}" in word


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


@pytest.fixture
def stage(
    case: dict[str, Any], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A folder, and an empty registry if the case names one."""
    if "{registry}" in json.dumps(case):
        for host in serve(tmp_path_factory.mktemp("registry")):
            yield Stage(tmp_path, host)
    else:
        yield Stage(tmp_path, "")


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["name"]))
def test_golden(case: dict[str, Any], stage: Stage) -> None:
    before: list[dict[str, Any]] = case.get("before", [])
    for source in [source for run in [*before, case] for source in run["sources"]]:
        if "/" in source and not is_filled_in(source):
            shutil.copyfile(FIXTURES / source, stage.folder / Path(source).name)
    for name, lines in case.get("files", {}).items():
        (stage.folder / name).write_text("".join(f"{stage.filled(line)}\n" for line in lines))
    for run in before:
        stage.run(run)

    document: Any
    try:
        document, status = stage.run(case)
    except fusion.FusionError as error:
        document = error.report
        status = next(status for known, status in STATUSES.items() if isinstance(error, known))
    told = stage.masked(document.to_dict())
    told["version"] = "<version>"
    if "elapsed_seconds" in told:
        told["elapsed_seconds"] = 0
    if told.get("destination"):
        told["destination"]["location"] = "<destination>"

    result = published(stage.folder / case["output"]) if "output" in case else None
    wanted = json.loads((GOLDEN / "reports" / f"{case['name']}.json").read_text())
    assert {"status": status, "document": told, "output": result} == wanted
