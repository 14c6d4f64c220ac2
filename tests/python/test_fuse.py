"""Results of `fuse` and `plan`."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, get_args

import fusion
import pytest
from conftest import Hostile
from fusion import _fusion, _options, _verbs

HELLO = "docker.io/library/hello:1.0"


def test_two_archives_become_one(pair: list[str], tmp_path: Path) -> None:
    output = tmp_path / "images.tar"
    report = fusion.fuse(pair, output)
    assert (report.status, report.dry_run, report.error) == ("ok", False, None)
    assert report.destination == fusion.Destination("oci-archive", str(output))
    assert [image.reference for image in report.images] == [
        "docker.io/acme/amdonly:0.3",
        HELLO,
        "ghcr.io/acme/tool:2.1",
    ]
    hello = report.images[1]
    assert [variant.platform for variant in hello.platforms] == ["linux/amd64", "linux/arm64"]
    assert [variant.source for variant in hello.platforms] == pair
    assert hello.digest is not None and hello.digest.startswith("sha256:")
    assert hello.action == "created"
    assert report.bytes.written > 0 and report.blobs.unique > 0
    with tarfile.open(output) as archive:
        index = archive.extractfile(f"blobs/sha256/{hello.digest[7:]}")
        assert index is not None
        assert len(json.load(index)["manifests"]) == 2


def test_one_source_may_stand_alone(pair: list[str], tmp_path: Path) -> None:
    alone = fusion.fuse(pair[0], tmp_path / "a.tar")
    listed = fusion.fuse([Path(pair[0])], str(tmp_path / "b.tar"))
    generated = fusion.fuse((path for path in pair[:1]), tmp_path / "c.tar")
    assert alone.images == listed.images == generated.images


def test_the_report_is_the_document_of_the_command(pair: list[str], tmp_path: Path) -> None:
    output = str(tmp_path / "images.tar")
    choices = _options.choices({**DEFAULTS, "dry_run": True})
    text = _fusion.fuse([os.fsencode(path) for path in pair], os.fsencode(output), choices, None, None)
    report = fusion.Report._from_json(text)
    assert report.to_dict() == json.loads(text)
    assert report.to_json() == text


def test_a_plan_writes_nothing_and_tells_what_fuse_does(pair: list[str], tmp_path: Path) -> None:
    planned = fusion.plan(pair, tmp_path / "images.tar")
    assert planned.dry_run and list(tmp_path.iterdir()) == []
    done = fusion.fuse(pair, tmp_path / "images.tar")
    assert planned.images == done.images
    assert fusion.plan(pair).destination is None
    again = fusion.fuse(pair, tmp_path / "other.tar", dry_run=True)
    assert again.images == done.images and not (tmp_path / "other.tar").exists()


def test_results_are_frozen_compare_and_hash(pair: list[str]) -> None:
    first, second = fusion.plan(pair), fusion.plan(pair)
    assert first.images == second.images
    assert len({*first.images, *second.images}) == len(first.images)
    with pytest.raises(AttributeError):
        first.status = "failed"  # type: ignore[misc]


def test_reprs_help(pair: list[str]) -> None:
    report = fusion.plan(pair)
    assert repr(report) == "<Report plan ok: 3 images in nowhere, 1 warning>"
    digest = report.images[1].digest
    assert repr(report.images[1]) == f"<Image {HELLO}@{digest}: created, linux/amd64, linux/arm64>"


def test_choices_arrive(pair: list[str], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    report = fusion.fuse(
        pair,
        tmp_path / "layout",
        format="oci",
        images=["*hello*", "*tool*"],
        exclude="*tool*",
        platforms="linux/arm64",
        rename={"docker.io/library": "registry.local/base"},
        annotations={"org.example=odd": "yes"},
        compression="gzip:1",
        media_types="docker",
        durability="rename",
        verify="full",
        work_dir=tmp_path / "work",
        jobs=1,
        keep_going=True,
        clean=True,
    )
    assert report.destination == fusion.Destination("oci", str(tmp_path / "layout"))
    [image] = report.images
    assert image.reference == "registry.local/base/hello:1.0"
    assert [variant.platform for variant in image.platforms] == ["linux/arm64"]


def test_a_source_may_be_told_its_platform(pair: list[str]) -> None:
    report = fusion.plan(pair[0], source_platforms={Path(pair[0]): "linux/s390x"})
    platforms = {variant.platform for image in report.images for variant in image.platforms}
    assert platforms == {"linux/s390x"}


def test_merging_into_what_is_there(pair: list[str], tmp_path: Path) -> None:
    fusion.fuse(pair[0], tmp_path / "layout/")
    report = fusion.fuse(pair[1], tmp_path / "layout", on_existing="merge")
    assert [variant.platform for variant in report.images[-1].platforms] == [
        "linux/amd64",
        "linux/arm64",
    ]
    assert report.images[-1].action == "merged"


def test_with_keep_going_failures_are_in_the_report(
    pair: list[str], tmp_path: Path, hostile: Hostile
) -> None:
    sources = [hostile("flipped-layer-oci"), pair[0]]
    report = fusion.fuse(sources, tmp_path / "out.tar", keep_going=True)
    assert report.status == "partial" and report.error is None
    [failed] = [image for image in report.images if image.action == "failed"]
    assert failed.error is not None and failed.digest is None
    assert failed.error.kind == "digest-mismatch"
    assert fusion.verify(tmp_path / "out.tar").images == len(report.images) - 1


def test_paths_that_are_not_utf8(pair: list[str], tmp_path: Path) -> None:
    folder = Path(os.fsdecode(bytes(tmp_path) + b"/\xff\xfe"))
    folder.mkdir()
    source = folder / os.fsdecode(b"\xe9.tar")
    source.write_bytes(Path(pair[0]).read_bytes())
    report = fusion.fuse([source, pair[1]], folder / "out.tar", work_dir=folder)
    assert len(report.images) == 3
    assert (folder / "out.tar").exists()
    told = fusion.plan(source, source_platforms={source: "linux/s390x"})
    assert told.images[0].platforms[0].platform == "linux/s390x"
    with pytest.raises(fusion.NotFoundError) as caught:
        fusion.inspect(os.fspath(source) + "x")
    assert caught.value.filename == caught.value.path == os.fspath(source) + "x"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("format", get_args(_verbs.Format)),
        ("on_conflict", get_args(_verbs.OnConflict)),
        ("on_file_conflict", get_args(_verbs.OnFileConflict)),
        ("on_existing", get_args(_verbs.OnExisting)),
        ("media_types", get_args(_verbs.MediaTypes)),
        ("verify", get_args(_verbs.Verify)),
        ("durability", get_args(_verbs.Durability)),
        ("names", get_args(_verbs.Names)),
        ("create_projects", get_args(_verbs.Visibility)),
    ],
)
def test_the_words_of_choices_are_those_of_the_engine(
    pair: list[str], option: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(fusion.UsageError, match="expected one of " + ", ".join(words) + "$"):
        fusion.plan(pair, **{option: "no such word"})  # type: ignore[arg-type]


def test_every_option_of_the_command_is_an_argument() -> None:
    names = {
        *(name.replace("_", "-") for name in (*_options._ONE, *_options._SWITCHES)),
        *_options._MANY.values(),
        *("jobs", "work-dir", "rename", "annotation", "source-platform"),
        *("tls-ca", "retries", "create-projects", "source", "values"),
    }
    assert names == set(_fusion.option_names())


@pytest.mark.parametrize("verb", ["fuse", "inspect", "verify"])
def test_every_key_of_the_schemas_is_a_field(verb: str) -> None:
    name, root = {
        "fuse": ("report", fusion.Report),
        "inspect": ("inspect", fusion.Inspection),
        "verify": ("verify", fusion.Verification),
    }[verb]
    schemas = Path(__file__).resolve().parents[2] / "docs" / "schemas"
    document = json.loads((schemas / f"fusion.{name}.v1.schema.json").read_text())

    def walk(schema: dict[str, Any], part: Any) -> None:
        for choice in schema.get("anyOf", schema.get("oneOf", [])):
            walk(choice, part)
        if "$ref" in schema:
            found: Any = document
            for step in schema["$ref"][2:].split("/"):
                found = found[step]
            walk(found, part)
        if "items" in schema:
            walk(schema["items"], part)
        if "properties" in schema and part is not None:
            assert set(schema["properties"]) == set(_fields(part)), part
            for key, value in schema["properties"].items():
                walk(value, part._parts.get(key))

    walk(document, root)


def _fields(part: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(part)]


def test_standard_output_takes_an_archive(pair: list[str], tmp_path: Path) -> None:
    code = f"import fusion; fusion.fuse({pair!r}, '-')"
    piped = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    with tarfile.open(fileobj=io.BytesIO(piped.stdout)) as archive:
        assert "index.json" in archive.getnames()


DEFAULTS: dict[str, Any] = {
    **{name: None for name in _options._ONE},
    **{name: None for name in _options._MANY},
    **{name: False for name in _options._SWITCHES},
    **{name: None for name in ("jobs", "work_dir", "rename", "annotations", "source_platforms")},
}
