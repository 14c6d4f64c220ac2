"""Results of `inspect` and `verify`."""

from __future__ import annotations

import json
from pathlib import Path

import fusion
import pytest
from conftest import Hostile
from fusion import _fusion, _options


def test_an_inspection_gives_its_images(pair: list[str]) -> None:
    inspection = fusion.inspect(pair[0])
    assert inspection.source.kind == "docker-archive"
    assert len(inspection) == 3 == len(list(inspection))
    hello = next(image for image in inspection if image.reference == "docker.io/library/hello:1.0")
    assert hello.platforms[0].platform == "linux/amd64"
    assert len(hello.platforms[0].layers) == 2
    assert repr(inspection) == f"<Inspection {pair[0]} (docker-archive): 3 images>"


def test_an_inspection_of_one_image(pair: list[str]) -> None:
    [image] = fusion.inspect(Path(pair[0]), reference="hello:1.0")
    assert image.names == ("hello:1.0",)
    [image] = fusion.inspect(f"docker-archive:{pair[0]}:docker.io/library/hello:1.0")
    assert image.reference == "docker.io/library/hello:1.0"


def test_documents_are_those_of_the_command(pair: list[str]) -> None:
    text = _fusion.inspect(pair[0].encode(), None, _options.choices({}), None, None)
    inspection = fusion.Inspection._from_json(text)
    assert inspection.to_json() == text and inspection.to_dict() == json.loads(text)
    text = _fusion.verify([pair[0].encode()], _options.choices({}), None, None)
    verification = fusion.Verification._from_json(text)
    assert verification.to_dict() == json.loads(text)


def test_sound_archives_verify(pair: list[str]) -> None:
    verification = fusion.verify(pair, jobs=1)
    assert verification.passed and verification.findings == ()
    assert verification.sources == tuple(pair) and verification.blobs > 0


def test_every_finding_is_listed(hostile: Hostile) -> None:
    source = hostile("lying-blob-oci")
    verification = fusion.verify(source)
    assert not verification.passed and verification.status == "failed"
    finding = next(each for each in verification.findings if each.code == "digest-mismatch")
    assert (finding.path, finding.severity) == (source, "error")
    assert finding.digest is not None and finding.digest.startswith("sha256:")
    assert repr(verification).startswith("<Verification failed: ")


def test_a_source_that_cannot_be_read_raises(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.tar")
    with pytest.raises(fusion.NotFoundError) as caught:
        fusion.verify([missing])
    report = caught.value.report
    assert isinstance(report, fusion.Verification) and not report.passed
    assert report.sources == (missing,) and report.error is not None
    with pytest.raises(fusion.NotFoundError) as gone:
        fusion.inspect(missing)
    inspection = gone.value.report
    assert isinstance(inspection, fusion.Inspection) and inspection.error is not None
    assert inspection.source.location == missing and inspection.error.kind == "not-found"
