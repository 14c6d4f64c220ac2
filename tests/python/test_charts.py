"""Charts with their images: `sync` and `import_addon`."""

from __future__ import annotations

import io
import re
import tarfile
import threading
from pathlib import Path
from typing import Any

import fusion
import pytest
from conftest import REPOSITORY
from fusion import _options

SOURCES = REPOSITORY / "fixtures" / "golden" / "sources"
AMD64, ARM64, CHANGED = (
    SOURCES / f"web_1.5.0_{name}.bundle.tar" for name in ("amd64", "arm64", "changed")
)
PACKAGES = [SOURCES / f"offline-v1-{arch}.tar.gz" for arch in ("amd64", "arm64")]
BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """Below which the names of this test are: nobody else's are."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")


@pytest.fixture
def config(registry: str, project: str, tmp_path: Path) -> Path:
    """charts-syncer's configuration: images into the registry, charts into a folder."""
    path = tmp_path / "load-image.yaml"
    path.write_text(
        "source: {intermediateBundlesPath: nowhere}\n"
        "target:\n"
        f"  containerRegistry: {registry}\n"
        f"  containerRepository: {project}\n"
        f"  repo: {{kind: LOCAL, path: '{tmp_path}/charts'}}\n"
    )
    return path


def only(report: fusion.Report) -> fusion.Chart:
    [chart] = report.charts
    return chart


def values_of(chart: fusion.Chart) -> str:
    with tarfile.open(fileobj=io.BytesIO(Path(chart.location).read_bytes())) as archive:
        member = archive.extractfile(f"{chart.name}/values.yaml")
        assert member is not None
        return member.read().decode()


def test_one_architecture_after_the_other(config: Path, registry: str, project: str) -> None:
    first = fusion.sync(config, sources=AMD64)
    assert (first.command, first.status, first.values) == ("sync", "ok", ())
    chart = only(first)
    assert (chart.action, chart.platforms, chart.error) == ("created", ("linux/amd64",), None)
    assert f'repository: "{project}/web"' in values_of(chart) and registry in values_of(chart)
    assert {image.target for image in first.images} == {
        f"{registry}/{project}/web:1.5",
        f"{registry}/{project}/api:2.0",
    }

    second = fusion.sync(config, sources=ARM64)
    assert only(second).action == "unchanged"
    assert {image.action for image in second.images} == {"merged"}
    again = fusion.sync(config, sources=[AMD64, ARM64])
    assert only(again).platforms == BOTH and again.bytes.uploaded == 0
    assert "values" not in again.to_dict()


def test_a_plan_writes_nothing(config: Path, registry: str, project: str) -> None:
    planned = fusion.sync(config, sources=[AMD64, ARM64], dry_run=True)
    assert planned.dry_run and only(planned).action == "created"
    assert not (config.parent / "charts").exists()
    with pytest.raises(fusion.FusionError):
        fusion.inspect(f"docker://{registry}/{project}/web:1.5")


def test_policies_for_charts_that_exist(config: Path) -> None:
    fusion.sync(config, sources=AMD64)
    kept = fusion.sync(config, sources=CHANGED)
    assert only(kept).action == "skipped"
    assert [warning.code for warning in kept.warnings].count("chart-differs") == 1
    with pytest.raises(fusion.DestinationExistsError) as caught:
        fusion.sync(config, sources=CHANGED, on_existing_chart="error")
    assert isinstance(caught.value.report, fusion.Report)
    replaced = only(fusion.sync(config, sources=CHANGED, on_existing_chart="replace"))
    assert replaced.action == "replaced" and "replicas: 2" in values_of(replaced)


def test_failures_are_in_the_report_if_the_run_keeps_going(config: Path) -> None:
    fusion.sync(config, sources=AMD64)
    report = fusion.sync(
        config, sources=CHANGED, on_existing_chart="error", keep_going=True
    )
    assert report.status == "partial"
    chart = only(report)
    assert chart.action == "failed"
    assert chart.error is not None and chart.error.kind == "destination-exists"
    assert fusion.Report._from_json(report.to_json()) == report


def test_damaged_sources_are_in_the_report_if_the_run_keeps_going(
    config: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.bundle.tar"
    cut.write_bytes(AMD64.read_bytes()[:-5000])
    with pytest.raises(fusion.InvalidArchiveError):
        fusion.sync(config, sources=[AMD64, cut])
    report = fusion.sync(config, sources=[AMD64, cut], keep_going=True)
    assert report.status == "partial"
    [damaged] = report.damaged
    assert damaged.location == str(cut) and damaged.error.kind == "invalid-archive"
    # The other is a bundle of the same chart.
    assert only(report).action == "failed"
    assert fusion.Report._from_json(report.to_json()) == report


def test_charts_are_chosen(config: Path) -> None:
    with pytest.raises(fusion.NothingSelectedError):
        fusion.sync(config, sources=AMD64, charts="nginx")
    with pytest.raises(fusion.UsageError):
        fusion.sync(config, sources=AMD64, charts=["[", "web"])
    report = fusion.sync(
        config, sources=[str(AMD64)], charts=["web@1.*"], latest_version_only=True, skip_images=True
    )
    assert only(report).action == "created" and not report.images


@pytest.mark.parametrize("named", [False, True])
def test_saved_values(config: Path, registry: str, tmp_path: Path, named: bool) -> None:
    saved = tmp_path / "bak.yaml"
    saved.write_text("# mine\nimages:\n  web:\n    registry: harbor.before  # before\n")
    values: Any = {"web": saved} if named else saved
    planned = fusion.sync(config, sources=AMD64, values=values, dry_run=True)
    assert "harbor.before" in saved.read_text()
    report = fusion.sync(config, sources=AMD64, values=values)
    [carried] = report.values
    assert planned.values == report.values
    change = fusion.ChangedValue("images.web.registry", "harbor.before", registry)
    assert carried == fusion.CarriedValues(str(saved), "web", (change,), ())
    text = saved.read_text()
    assert text.startswith("# mine\n") and registry in text and "# before" in text
    assert report.to_dict()["values"] == [carried.to_dict()]


def test_packages_are_imported(registry: str, project: str, tmp_path: Path) -> None:
    config = tmp_path / "clusterConfig.yaml"
    config.write_text(
        "kind: ClusterConfig\n"
        "spec:\n"
        "  imagesAndCharts:\n"
        "    type: external\n"
        f"    externalImageRepo: http://{registry}/{project}\n"
        "    externalChartRepoType: oci\n"
        f"    externalChartRepo: http://{registry}/{project}/charts\n"
    )
    with pytest.raises(fusion.UsageError, match="no package is named"):
        fusion.import_addon(config)
    first = fusion.import_addon(config, PACKAGES[0], names="last")
    assert first.command == "import-addon"
    assert [(chart.name, chart.action) for chart in first.charts] == [
        ("backup", "created"),
        ("web", "created"),
    ]
    # What images are called is found out by those that are there.
    second = fusion.import_addon(config, PACKAGES, platforms=BOTH)
    web = second.charts[1]
    assert (web.action, web.platforms) == ("unchanged", BOTH)
    assert web.location == f"oci://{registry}/{project}/charts/web:1.5.0"
    targets = {image.target for image in second.images}
    assert f"{registry}/{project}/web:1.5" in targets
    assert "names" in {warning.code for warning in second.warnings}


def test_configurations_that_make_no_sense(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("source:\n  intermediateBundlePath: x\ntarget: {}\n")
    with pytest.raises(fusion.UsageError, match="line 2.*intermediateBundlePath") as caught:
        fusion.sync(wrong)
    assert caught.value.path == str(wrong)
    assert isinstance(caught.value.report, fusion.Report)
    assert caught.value.report.command == "sync"
    with pytest.raises(fusion.NotFoundError):
        fusion.sync(tmp_path / "missing.yaml")
    with pytest.raises(fusion.NotFoundError) as missing:
        fusion.import_addon(tmp_path / "missing.yaml")
    assert isinstance(missing.value.report, fusion.Report)
    assert missing.value.report.command == "import-addon"


def test_arguments_that_make_no_sense(config: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"sources": 1},
        {"sources": b"a"},
        {"charts": 1},
        {"values": ["a"]},
        {"values": {1: "a"}},
        {"values": {"web": 1}},
        {"skip_images": 1},
        {"latest_version_only": "yes"},
        {"on_existing_chart": 1},
        {"progress": 1},
    ]
    for arguments in wrong:
        with pytest.raises(TypeError):
            fusion.sync(config, **arguments)
    with pytest.raises(TypeError):
        fusion.sync(b"load-image.yaml")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        fusion.import_addon(config, 1)  # type: ignore[arg-type]
    refused: list[dict[str, Any]] = [{"sources": []}, {"on_existing_chart": "no"}]
    for arguments in refused:
        with pytest.raises(fusion.UsageError):
            fusion.sync(config, **arguments)
    assert _options.choices({"values": {"web": "a=b"}})["values"] == [("web", b"a=b")]


def test_stopping(config: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(fusion.CancelledError):
        fusion.sync(config, sources=AMD64, stop=stop)

    def refuse(progress: fusion.Progress) -> None:
        raise LookupError(progress.phase)

    with pytest.raises(LookupError):
        fusion.sync(config, sources=AMD64, progress=refuse)
