"""Types, as mypy and pyright see them; running it checks that they are true."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import fusion
import pytest
from conftest import REPOSITORY

if TYPE_CHECKING:
    from typing_extensions import assert_type
elif sys.version_info >= (3, 11):
    from typing import assert_type
else:

    def assert_type(value: Any, _: Any) -> Any:
        return value


def test_types(pair: list[str], tmp_path: Path) -> None:
    def progress(now: fusion.Progress) -> int:
        assert_type(now.phase, Literal["read", "write", "publish"])
        assert_type(now.bytes, int)
        return 0

    report = fusion.fuse(
        [Path(pair[0]), pair[1]],
        tmp_path / "out.tar",
        format="oci-archive",
        platforms=("linux/amd64", "linux/arm64"),
        rename={"a": "b"},
        annotations={"a": "b"},
        source_platforms={Path(pair[0]): "linux/amd64"},
        on_existing="replace",
        on_file_conflict="beside",
        progress=progress,
        stop=threading.Event(),
    )
    assert_type(report, fusion.Report)
    assert_type(report.images, "tuple[fusion.Image, ...]")
    assert_type(report.images[0].digest, "str | None")
    assert_type(report.images[0].platforms[0].platform, str)
    assert_type(
        report.images[0].action,
        Literal["created", "merged", "replaced", "unchanged", "skipped", "failed"],
    )
    assert_type(report.status, Literal["ok", "partial", "failed", "cancelled"])
    assert_type(report.charts, "tuple[fusion.Chart, ...]")
    assert_type(report.bytes.written, int)
    assert_type(report.elapsed_seconds, float)
    assert_type(report.to_json(), str)
    assert_type(report.to_dict(), "dict[str, Any]")
    assert_type(fusion.plan(pair[0]), fusion.Report)
    assert_type(fusion.plan(pair, source_platforms={pair[0]: "linux/amd64"}), fusion.Report)

    inspection = fusion.inspect(Path(pair[0]))
    assert_type(inspection, fusion.Inspection)
    assert_type(iter(inspection), "Iterator[fusion.InspectedImage]")
    assert_type(inspection.images[0].platforms[0].layers[0].diff_id, "str | None")
    assert_type(inspection.charts, "tuple[fusion.InspectedChart, ...]")

    verification = fusion.verify(iter(pair))
    assert_type(verification, fusion.Verification)
    assert_type(verification.passed, bool)
    assert_type(verification.findings, "tuple[fusion.Finding, ...]")


def test_types_of_registries(pair: list[str], registry: str) -> None:
    report = fusion.push(
        [Path(pair[0]), pair[1]],
        f"{registry}/typing",
        names="path",
        create_projects="private",
        on_existing="merge",
        plain_http=True,
        retries=0,
    )
    assert_type(report, fusion.Report)
    assert_type(report.images[0].target, "str | None")
    assert_type(report.images[0].previous_digest, "str | None")
    assert_type(report.blobs.mounted, int)
    target = f"{registry}/typing/all:1"
    source = f"{registry}/typing/library/hello:1.0"
    assert_type(fusion.index_create(target, source), fusion.Report)
    assert_type(fusion.index_create(target, [source], append=True), fusion.Report)
    error = fusion.RegistryError("no", status=403, code="DENIED")
    assert_type(error.status, "int | None")
    assert_type(error.code, "str | None")


def test_types_of_charts(registry: str, tmp_path: Path) -> None:
    config = tmp_path / "load-image.yaml"
    config.write_text(
        "source: {intermediateBundlesPath: .}\n"
        f"target: {{containerRegistry: '{registry}', repo: {{kind: LOCAL, path: '{tmp_path}'}}}}\n"
    )
    bundle = REPOSITORY / "fixtures" / "golden" / "sources" / "web_1.5.0_amd64.bundle.tar"
    saved = tmp_path / "bak.yaml"
    saved.write_text("images: {web: {registry: before}}\n")
    report = fusion.sync(
        config,
        sources=[bundle],
        charts=("web",),
        values={"web": saved},
        on_existing_chart="keep",
        names="path",
        dry_run=True,
    )
    assert_type(report, fusion.Report)
    assert_type(report.charts[0].error, "fusion.ErrorReport | None")
    assert_type(report.damaged, "tuple[fusion.DamagedSource, ...]")
    assert_type(report.values, "tuple[fusion.CarriedValues, ...]")
    assert_type(report.values[0].changes[0].old, "str | None")
    assert_type(report.values[0].kept, "tuple[fusion.KeptValue, ...]")
    assert_type(fusion.sync(config, sources=bundle, values=saved, dry_run=True), fusion.Report)
    with pytest.raises(fusion.NotFoundError):
        fusion.import_addon(tmp_path / "missing.yaml", [bundle], values={"web": "v.yaml"})


def test_types_of_errors(pair: list[str]) -> None:
    with pytest.raises(fusion.FusionIOError) as caught:
        fusion.inspect("/nowhere")
    error = caught.value
    assert_type(error.kind, str)
    assert_type(error.path, "str | None")
    assert_type(error.offset, "int | None")
    assert_type(error.hint, "str | None")
    assert_type(error.report, "fusion.Report | fusion.Inspection | fusion.Verification | None")
    assert isinstance(error, OSError) and error.errno is not None


def wrong_types(pair: list[str]) -> None:
    """Never called: each line is an error, and the checkers complain about an ignored one."""
    fusion.fuse(pair)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    fusion.fuse(b"a", "b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.plan(pair, on_conflict="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.plan(pair, on_file_conflict="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.plan(pair, "a", "b")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    fusion.plan(pair, progress=os.getpid)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.push(pair)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    fusion.push(pair, "h.local", names="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.push(pair, "h.local", create_projects="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.push(pair, "h.local", password=b"x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.sync("c.yaml", pair)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    fusion.sync("c.yaml", on_existing_chart="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.import_addon(pair)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fusion.plan(pair).images[0].reference = ""  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
