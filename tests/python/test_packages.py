"""Chart bundles and packages, fused and inspected."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import fusion
import pytest
from conftest import REPOSITORY, left_in
from fusion import _verbs

SOURCES = REPOSITORY / "fixtures" / "golden" / "sources"
BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture
def bundles() -> list[str]:
    """The bundles of one chart, one per architecture."""
    return [str(SOURCES / f"web_1.5.0_{arch}.bundle.tar") for arch in ("amd64", "arm64")]


@pytest.fixture
def packages() -> list[str]:
    """Packages with bundles, archives, a layout and files, one per architecture."""
    return [str(SOURCES / f"offline-v1-{arch}.tar.gz") for arch in ("amd64", "arm64")]


def members(archive: bytes) -> dict[str, bytes]:
    """The files of a tar, plain or compressed."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                found[member.name] = content.read()
    return found


def test_bundles_of_one_chart_become_one(bundles: list[str], tmp_path: Path) -> None:
    output = tmp_path / "web_1.5.0.bundle.tar"
    report = fusion.fuse(bundles, output)
    assert report.destination == fusion.Destination("bundle", str(output))
    [chart] = report.charts
    assert chart == fusion.Chart("web", "1.5.0", "created", "", BOTH)
    assert repr(chart) == "<Chart web 1.5.0: created, linux/amd64, linux/arm64>"
    assert repr(report).startswith(f"<Report fuse ok: 2 images and 1 chart in {output}")

    found = members(output.read_bytes())
    source = members(Path(bundles[0]).read_bytes())
    assert list(found)[0] == "hints.yaml" and list(found)[-1] == "images.tar"
    assert {name: text for name, text in found.items() if name != "images.tar"} == {
        name: text for name, text in source.items() if name != "images.tar"
    }
    (tmp_path / "images.tar").write_bytes(found["images.tar"])
    for image in fusion.inspect(tmp_path / "images.tar"):
        assert tuple(platform.platform for platform in image.platforms) == BOTH


def test_packages_become_one_package(packages: list[str], tmp_path: Path) -> None:
    output = tmp_path / "offline-v1.tar.gz"
    report = fusion.fuse(packages, output)
    assert report.destination == fusion.Destination("package", str(output))
    backup, web = report.charts
    assert (backup.name, backup.version, backup.platforms) == ("backup", "5.2.0", BOTH[:1])
    assert (web.name, web.platforms) == ("web", BOTH)
    assert web.location == "offline-v1/charts/web_1.5.0.bundle.tar"
    assert any("backup 5.2.0" in warning.message for warning in report.warnings)

    found = members(output.read_bytes())
    assert b"for amd64" in found["offline-v1/bin/tool"]
    assert b"for arm64" in found["offline-v1/bin/tool.linux-arm64"]
    assert "images.tar" in members(found[web.location])
    assert left_in(tmp_path) == [output.name]


@pytest.mark.parametrize(("policy", "kept"), [("first", "arm64"), ("last", "amd64")])
def test_a_policy_decides_which_file_stays(
    packages: list[str], tmp_path: Path, policy: _verbs.OnFileConflict, kept: str
) -> None:
    output = tmp_path / "offline-v1.tar"
    report = fusion.fuse(packages[::-1], output, on_file_conflict=policy)
    found = members(output.read_bytes())
    assert f"for {kept}".encode() in found["offline-v1/bin/tool"]
    assert not [name for name in found if name.startswith("offline-v1/bin/tool.linux-")]
    codes = [warning.code for warning in report.warnings]
    assert codes.count("file-conflict") == 2


def test_files_that_differ_can_be_an_error(packages: list[str], tmp_path: Path) -> None:
    with pytest.raises(fusion.ConflictError) as caught:
        fusion.fuse(packages, tmp_path / "offline-v1.tar", on_file_conflict="error")
    assert caught.value.member == "offline-v1/bin/tool"
    assert caught.value.hint is not None and "beside" in caught.value.hint
    assert left_in(tmp_path) == []


def test_charts_that_differ_are_an_error(bundles: list[str], tmp_path: Path) -> None:
    changed = SOURCES / "web_1.5.0_changed.bundle.tar"
    with pytest.raises(fusion.ConflictError, match=r"values\.yaml.*replicas: 1.*replicas: 2"):
        fusion.fuse([bundles[0], changed], tmp_path / "web.bundle.tar")
    assert left_in(tmp_path) == []
    fusion.fuse([bundles[0], changed], tmp_path / "web.bundle.tar", on_conflict="last")
    values = members((tmp_path / "web.bundle.tar").read_bytes())["original-chart/values.yaml"]
    assert b"replicas: 2" in values


def test_a_plan_of_packages_writes_nothing(packages: list[str], tmp_path: Path) -> None:
    planned = fusion.plan(packages, tmp_path / "offline-v1.tar.gz", on_file_conflict="last")
    assert left_in(tmp_path) == []
    done = fusion.fuse(packages, tmp_path / "offline-v1.tar.gz", on_file_conflict="last")
    assert planned.images == done.images and planned.charts == done.charts


def test_prefixes_and_formats_say_what_is_what(bundles: list[str], tmp_path: Path) -> None:
    prefixed = [f"bundle:{path}" for path in bundles]
    package = fusion.fuse(prefixed, tmp_path / "a.tar", format="package")
    archive = fusion.fuse(prefixed, f"oci-archive:{tmp_path / 'b.tar'}")
    assert package.destination is not None and package.destination.kind == "package"
    assert archive.destination is not None and archive.destination.kind == "oci-archive"
    assert package.images == archive.images
    with pytest.raises(fusion.InvalidArchiveError, match="not a bundle"):
        fusion.inspect(f"bundle:{tmp_path / 'b.tar'}")


def test_an_inspection_gives_its_charts(packages: list[str], bundles: list[str]) -> None:
    inspection = fusion.inspect(packages[0])
    assert (inspection.source.kind, inspection.source.compression) == ("package", "gzip")
    backup, web = inspection.charts
    assert isinstance(web, fusion.InspectedChart)
    assert web.images == ("docker.io/acme/web:1.5", "docker.io/library/api:2.0")
    assert web.platforms == BOTH[:1]
    assert web.location == "offline-v1-amd64/charts/web_1.5.0.bundle.tar"
    assert repr(web) == "<InspectedChart web 1.5.0: 2 images, linux/amd64>"
    assert repr(backup) == "<InspectedChart backup 5.2.0: 1 image, linux/amd64>"
    assert repr(inspection).endswith("images and 2 charts>")
    with pytest.raises(AttributeError):
        web.name = "other"  # type: ignore[misc]

    [alone] = fusion.inspect(f"package:{bundles[1]}").charts
    assert (alone.location, alone.platforms) == ("", BOTH[1:])
