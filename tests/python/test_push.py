"""Pushing to a registry, and indexes in it."""

from __future__ import annotations

import inspect
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fusion
import pytest
from conftest import serve
from fusion import _options

HELLO = "docker.io/library/hello:1.0"


@pytest.fixture
def base(registry: str, request: pytest.FixtureRequest) -> str:
    """Where this test pushes to: nobody else does."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"{registry}/{name}"


def of(report: fusion.Report, reference: str = HELLO) -> fusion.Image:
    [found] = [image for image in report.images if image.reference == reference]
    return found


def platforms(image: fusion.Image) -> list[str]:
    return [variant.platform for variant in image.platforms]


def test_one_architecture_after_the_other(pair: list[str], base: str) -> None:
    first = fusion.push(pair[0], base)
    assert (first.command, first.status, first.dry_run) == ("push", "ok", False)
    assert first.destination == fusion.Destination("registry", base)
    hello = of(first)
    assert (hello.target, hello.action) == (f"{base}/library/hello:1.0", "created")
    assert hello.previous_digest is None and platforms(hello) == ["linux/amd64"]
    assert first.blobs.uploaded > 0 and first.bytes.uploaded > 0

    second = of(fusion.push(pair[1], base))
    assert second.action == "merged" and second.previous_digest == hello.digest
    assert platforms(second) == ["linux/amd64", "linux/arm64"]

    again = fusion.push(pair, base)
    assert {image.action for image in again.images} == {"unchanged"}
    assert (again.blobs.uploaded, again.bytes.uploaded) == (0, 0)
    assert of(again).digest == second.digest


def test_a_plan_sends_nothing(pair: list[str], base: str) -> None:
    planned = fusion.push(pair, base, dry_run=True)
    assert planned.dry_run and planned.bytes.uploaded > 0
    with pytest.raises(fusion.FusionError):
        fusion.inspect(f"docker://{base}/library/hello:1.0")
    done = fusion.push(pair, base)
    assert of(done).digest == of(planned).digest
    assert done.bytes.uploaded == planned.bytes.uploaded


def test_policies_for_tags_that_exist(pair: list[str], base: str) -> None:
    before = of(fusion.push(pair[0], base))
    with pytest.raises(fusion.DestinationExistsError) as caught:
        fusion.push(pair[1], base, on_existing="error")
    assert caught.value.hint is not None and "on-existing" in caught.value.hint
    skipped = of(fusion.push(pair[1], base, on_existing="skip"))
    assert (skipped.action, skipped.digest) == ("skipped", before.digest)
    replaced = of(fusion.push(pair[1], base, on_existing="replace"))
    assert (replaced.action, platforms(replaced)) == ("replaced", ["linux/arm64"])
    assert replaced.previous_digest == before.digest


def test_names(pair: list[str], base: str) -> None:
    last = fusion.push(pair, base, names="last", images="*hello*", dry_run=True)
    assert of(last).target == f"{base}/hello:1.0"
    origin = fusion.push(pair, base, names="origin", images="*hello*", dry_run=True)
    assert of(origin).target == f"{base}/docker.io/library/hello:1.0"
    rename = {"docker.io/library": f"{base}/moved"}
    moved = fusion.push(pair, base, rename=rename, images="*hello*", dry_run=True)
    assert moved.images[0].target == f"{base}/moved/hello:1.0"


@pytest.mark.parametrize(
    "claims", [(False, False), (False, True), (True, False), (True, True)], ids=str
)
def test_several_writers(pair: list[str], base: str, claims: tuple[bool, bool]) -> None:
    for source, claim_tags in zip(pair, claims):
        fusion.push(source, base, claim_tags=claim_tags)
    found = fusion.inspect(f"docker://{base}/library/hello:1.0").images[0]
    assert [variant.platform for variant in found.platforms] == ["linux/amd64", "linux/arm64"]


def test_registries_are_sources_and_destinations(pair: list[str], base: str, tmp_path: Path) -> None:
    pushed = fusion.fuse(pair, f"docker://{base}")
    assert (pushed.command, pushed.destination) == ("fuse", fusion.Destination("registry", base))
    assert of(fusion.fuse(pair[0], f"docker://{base}")).action == "unchanged"
    planned = fusion.plan(pair, f"docker://{base}")
    assert planned.dry_run and planned.bytes.uploaded == 0

    source = f"docker://{base}/library/hello:1.0"
    assert fusion.inspect(source).images[0].digest == of(pushed).digest
    assert fusion.verify(source).passed
    pulled = fusion.fuse(source, tmp_path / "pulled.tar")
    assert pulled.images[0].digest == of(pushed).digest


def test_tags_are_merged_into_unless_an_error_is_asked_for(pair: list[str], base: str) -> None:
    for verb in (fusion.fuse, fusion.plan):
        default = inspect.signature(verb).parameters["on_existing"]
        assert default.default == "error" and str(default).endswith("= 'error'")
    fusion.fuse(pair[0], f"docker://{base}")
    with pytest.raises(fusion.DestinationExistsError):
        fusion.fuse(pair[1], f"docker://{base}", on_existing="error")
    with pytest.raises(fusion.DestinationExistsError):
        fusion.plan(pair[1], f"docker://{base}", on_existing="error")
    assert of(fusion.plan(pair[1], f"docker://{base}")).action == "merged"
    assert of(fusion.fuse(pair[1], f"docker://{base}")).action == "merged"


def test_indexes(pair: list[str], base: str) -> None:
    fusion.push(pair, base)
    target = f"{base}/t/hello:1.0"
    made = fusion.index_create(target, f"{base}/library/hello:1.0", annotations={"a": "b"})
    assert made.command == "index create" and made.bytes.uploaded == 0
    [image] = made.images
    assert platforms(image) == ["linux/amd64", "linux/arm64"]
    smaller = fusion.index_create(target, remove="linux/arm64")
    assert platforms(smaller.images[0]) == ["linux/amd64"]
    told = f"{base}/acme/amdonly:0.3=linux/riscv64"
    larger = fusion.index_create(target, [told], append=True)
    assert platforms(larger.images[0]) == ["linux/amd64", "linux/riscv64"]


def test_an_index_in_a_layout(pair: list[str], tmp_path: Path) -> None:
    fusion.fuse(pair, tmp_path / "layout", format="oci")
    target = f"oci:{tmp_path}/out:harbor.local/t/hello:1.0"
    report = fusion.index_create(target, f"oci:{tmp_path}/layout:{HELLO}")
    assert report.command == "index create"
    assert report.destination is not None and report.destination.kind == "oci"
    assert platforms(report.images[0]) == ["linux/amd64", "linux/arm64"]


def test_stopping(pair: list[str], base: str) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(fusion.CancelledError):
        fusion.push(pair, base, stop=stop)

    def refuse(progress: fusion.Progress) -> None:
        raise LookupError(progress.phase)

    with pytest.raises(LookupError):
        fusion.push(pair, base, progress=refuse)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that lets only `robot$ci` in, with the password `hunter2`."""
    folder = tmp_path_factory.mktemp("closed")
    # htpasswd -nbB 'robot$ci' hunter2
    (folder / "users").write_text(f"robot$ci:{HASH}\n")
    auth = f"auth: {{htpasswd: {{realm: tests, path: {folder}/users}}}}\n"
    yield from serve(folder, auth)


HASH = "$2y$05$EbU4bvrTo64Bdd6lq9w0N.rZIa0mPwi8SQDXuv2vQ57FcAqG3srYy"


def test_passwords_let_in_and_are_shown_nowhere(
    pair: list[str], closed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1, "fusion")
    report = fusion.push(pair, f"{closed}/a", username="robot$ci", password="hunter2")
    assert report.status == "ok"
    image = f"docker://{closed}/a/library/hello:1.0"
    assert fusion.inspect(image, username="robot$ci", password="hunter2").images
    with pytest.raises(fusion.UnauthorizedError) as caught:
        fusion.push(pair, f"{closed}/a", username="robot$ci", password="hunter3")
    told = [str(caught.value), repr(caught.value), report.to_json(), caplog.text]
    assert caught.value.report is not None
    told.append(caught.value.report.to_json())
    assert caplog.records
    for text in told:
        assert "hunter" not in text


@pytest.mark.parametrize("to", ["", "harbor", "http://harbor.local", "harbor.local/a:1", "h.local//a"])
def test_places_that_are_none(pair: list[str], to: str) -> None:
    with pytest.raises(fusion.UsageError) as caught:
        fusion.push(pair, to)
    assert isinstance(caught.value.report, fusion.Report)
    assert caught.value.report.command == "push"


def test_arguments_that_make_no_sense(pair: list[str]) -> None:
    wrong: dict[str, Any]
    for wrong in ({"retries": -1}, {"create_projects": "maybe"}, {"tls_ca": ""}, {"names": "best"}):
        with pytest.raises(fusion.UsageError):
            fusion.push(pair, "harbor.local", **wrong)
    mistaken: dict[str, Any]
    for mistaken in ({"retries": "3"}, {"retries": True}, {"password": b"x"}, {"claim_tags": 1}):
        with pytest.raises(TypeError):
            fusion.push(pair, "harbor.local", **mistaken)
    with pytest.raises(TypeError):
        fusion.push(pair, Path("harbor.local"))  # type: ignore[arg-type]
    with pytest.raises(fusion.UsageError):
        fusion.push([], "harbor.local")
    for target, sources in (("oci:dir", ["a:1"]), ("h.local/a:1", []), ("-", ["a:1"]), ("", ["a:1"])):
        with pytest.raises(fusion.UsageError) as caught:
            fusion.index_create(target, sources)
        assert caught.value.report is None or caught.value.report.to_dict()["command"] == "index create"


def test_every_verb_takes_what_it_should() -> None:
    connection = {"username", "password", "tls_ca", "insecure", "plain_http", "retries"}
    pushes = {"names", "create_projects", "claim_tags", "clean_claims", "on_existing"}

    def taken(verb: Any) -> set[str]:
        return set(inspect.signature(verb).parameters)

    for verb in (fusion.fuse, fusion.plan, fusion.push, fusion.index_create, fusion.inspect, fusion.verify):
        assert connection <= taken(verb), verb
    for verb in (fusion.fuse, fusion.plan, fusion.push):
        assert pushes <= taken(verb), verb
    # What `fuse` has, `push` has, but for what a destination is.
    assert taken(fusion.fuse) - taken(fusion.push) == {"output", "format"}
    defaults = inspect.signature(fusion.push).parameters
    assert (defaults["on_existing"].default, defaults["names"].default) == ("merge", "path")
    assert defaults["retries"].default == 3
    assert {"append", "remove"} <= taken(fusion.index_create)
    # Each switch of a verb is known where arguments become choices.
    for verb in (fusion.push, fusion.index_create):
        for name, parameter in inspect.signature(verb).parameters.items():
            assert parameter.default is not False or name in _options._SWITCHES, name


def test_logs_of_a_push(pair: list[str], base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fusion")
    fusion.push(pair, base)
    assert any("fusion" in record.name for record in caplog.records)
