"""Every kind of error, as its own class and with its facts."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import http.server
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fusion
import pytest
from conftest import Hostile, generator, left_in
from fusion import _fusion, exceptions

# `internal` is a bug of fusion: no input leads there that is known.
UNREACHABLE = {"internal"}

# What a registry answers to everything, and the kind of error that this is.
ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "registry": (500, {}, b""),
    "unauthorized": (401, {"WWW-Authenticate": 'Basic realm="r"'}, b""),
    "project-missing": (404, {}, b""),
    "denied": (403, {}, b'{"errors":[{"code":"DENIED","message":"no"}]}'),
}
REGISTRY = {*ANSWERS, "unreachable"}


class Scene:
    """What a provocation may use."""

    def __init__(self, pair: list[str], hostile: Hostile, folder: Path) -> None:
        self.pair, self.hostile, self.folder = pair, hostile, folder
        self.output = folder / "out.tar"


def usage(scene: Scene) -> None:
    fusion.fuse(scene.pair, scene.output, platforms="no platform")


def nothing_selected(scene: Scene) -> None:
    fusion.fuse(scene.pair, scene.output, images="nothing/*")


def invalid_archive(scene: Scene) -> None:
    fusion.fuse(scene.hostile("truncated-in-member"), scene.output)


def digest_mismatch(scene: Scene) -> None:
    fusion.fuse(scene.hostile("flipped-layer-oci"), scene.output)


def unsupported(scene: Scene) -> None:
    fusion.fuse(scene.hostile("schema1"), scene.output)


def limit_exceeded(scene: Scene) -> None:
    fusion.fuse(scene.hostile("deep-indexes"), scene.output)


def input_changed(scene: Scene) -> None:
    source = scene.folder / "changing.tar"
    shutil.copyfile(scene.pair[0], source)

    def shorten(progress: fusion.Progress) -> None:
        if progress.phase == "write":
            os.truncate(source, 2048)

    try:
        fusion.fuse(source, scene.output, progress=shorten)
    finally:
        source.unlink()


def conflict(scene: Scene) -> None:
    # The same names and platform, and other content.
    other = scene.pair[1]
    fusion.fuse(scene.pair, scene.output, source_platforms={other: "linux/amd64"})


def platform_missing(scene: Scene) -> None:
    fusion.fuse(scene.pair, scene.output, require_platforms=["linux/amd64", "linux/s390x"])


def destination_exists(scene: Scene) -> None:
    scene.output.write_bytes(b"")
    try:
        fusion.fuse(scene.pair, scene.output)
    finally:
        scene.output.unlink()


def not_found(scene: Scene) -> None:
    fusion.fuse(scene.folder / "none.tar", scene.output)


def permission_denied(scene: Scene) -> None:
    if os.geteuid() == 0:
        # Not even root makes files there.
        fusion.fuse(scene.pair, "/sys/kernel/out.tar")
        return
    scene.folder.chmod(0o500)
    try:
        fusion.fuse(scene.pair, scene.output)
    finally:
        scene.folder.chmod(0o700)


def busy(scene: Scene) -> None:
    def once_more(progress: fusion.Progress) -> None:
        if progress.phase == "write":
            fusion.fuse(scene.pair, scene.output)

    fusion.fuse(scene.pair, scene.output, progress=once_more)


def io_(scene: Scene) -> None:
    fusion.fuse(scene.pair, Path(scene.pair[0]) / "out.tar")


def no_space(scene: Scene) -> None:
    source = scene.folder / "sparse.tar"
    vast_archive(source, 2 * shutil.disk_usage(scene.folder).free)
    try:
        fusion.fuse(source, scene.output)
    finally:
        source.unlink()


def cancelled(scene: Scene) -> None:
    stop = threading.Event()
    stop.set()
    fusion.fuse(scene.pair, scene.output, stop=stop)


@contextlib.contextmanager
def pretending(kind: str) -> Iterator[str]:
    """A registry that answers everything with the same; one without a project is a Harbor."""
    status, headers, body = ANSWERS[kind]
    known = {"/v2/": b"{}", "/api/v2.0/ping": b"Pong"} if kind == "project-missing" else {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            said = known.get(self.path)
            self.send_response(status if said is None else 200)
            for name, value in headers.items():
                self.send_header(name, value)
            content = body if said is None else said
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def refused(kind: str) -> Callable[[Scene], None]:
    def provoke(scene: Scene) -> None:
        with pretending(kind) as host:
            fusion.push(scene.pair, host, plain_http=True, retries=0)

    return provoke


def unreachable(scene: Scene) -> None:
    with pretending("registry") as host:
        pass
    # Nobody listens there any more.
    fusion.push(scene.pair, host, plain_http=True, retries=0)


PROVOKED: dict[str, Callable[[Scene], None]] = {
    "usage": usage,
    "nothing-selected": nothing_selected,
    "invalid-archive": invalid_archive,
    "digest-mismatch": digest_mismatch,
    "unsupported": unsupported,
    "limit-exceeded": limit_exceeded,
    "input-changed": input_changed,
    "conflict": conflict,
    "platform-missing": platform_missing,
    "destination-exists": destination_exists,
    "not-found": not_found,
    "permission-denied": permission_denied,
    "busy": busy,
    "io": io_,
    "no-space": no_space,
    "cancelled": cancelled,
    "unreachable": unreachable,
    **{kind: refused(kind) for kind in ANSWERS},
}


def test_every_kind_has_a_class_and_a_provocation() -> None:
    kinds = set(_fusion.error_kinds())
    assert kinds == set(exceptions.KINDS)
    assert kinds == set(PROVOKED) | UNREACHABLE
    assert len(set(exceptions.KINDS.values())) == len(kinds)
    for kind, known in exceptions.KINDS.items():
        assert issubclass(known, fusion.FusionError)
        assert known("why").kind == kind
        assert getattr(fusion, known.__name__) is known


@pytest.mark.parametrize("kind", sorted(PROVOKED))
def test_every_kind_arrives(
    kind: str, pair: list[str], hostile: Hostile, tmp_path: Path
) -> None:
    scene = Scene(pair, hostile, tmp_path)
    with pytest.raises(fusion.FusionError) as caught:
        PROVOKED[kind](scene)
    error = caught.value
    assert type(error) is exceptions.KINDS[kind], repr(error)
    assert error.kind == kind
    report = error.report
    if kind != "usage":
        assert isinstance(report, fusion.Report)
        assert report.status == ("cancelled" if kind == "cancelled" else "failed")
        assert report.error is not None
        assert (report.error.kind, report.error.message) == (kind, str(error))
        for fact in ("path", "member", "digest", "offset", "hint"):
            assert getattr(report.error, fact) == getattr(error, fact)
    if isinstance(error, OSError):
        assert error.errno and error.strerror == os.strerror(error.errno)
        assert error.filename == error.path
    if error.hint is not None and sys.version_info >= (3, 11):
        assert error.__notes__ == [f"hint: {error.hint}"]
    # Nothing was published, and nothing is left.
    assert left_in(tmp_path) == []


def test_what_a_registry_answered_is_told(pair: list[str]) -> None:
    with pretending("denied") as host, pytest.raises(fusion.DeniedError) as caught:
        fusion.push(pair, host, plain_http=True, retries=0)
    assert (caught.value.status, caught.value.code) == (403, "DENIED")


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_what_a_registry_said_survives_a_pool(kind: str) -> None:
    known = exceptions.KINDS[kind]
    assert issubclass(known, fusion.RegistryError)
    error = known("no", status=403, code="DENIED", hint="ask")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.kind, again.hint) == ("no", kind, "ask")
    assert (again.status, again.code) == (403, "DENIED")


def test_facts_arrive(pair: list[str], hostile: Hostile, tmp_path: Path) -> None:
    source = hostile("flipped-layer-oci")
    with pytest.raises(fusion.DigestMismatchError) as caught:
        fusion.fuse(source, tmp_path / "out.tar")
    error = caught.value
    assert error.path == source
    assert error.digest is not None and error.digest.startswith("sha256:")
    assert error.member is not None and error.member.startswith("blobs/sha256/")
    assert isinstance(error, fusion.InvalidArchiveError) and isinstance(error, ValueError)
    with pytest.raises(fusion.InvalidArchiveError) as broken:
        fusion.fuse(hostile("truncated-in-member"), tmp_path / "out.tar")
    assert broken.value.offset is not None
    with pytest.raises(fusion.PlatformMissingError) as lacking:
        fusion.fuse(pair, tmp_path / "out.tar", require_platforms="linux/s390x")
    assert lacking.value.hint is not None
    with pytest.raises(FileExistsError) as exists:
        fusion.fuse(pair, tmp_path.parent / tmp_path.name, format="oci-archive")
    assert exists.value.errno == errno.EEXIST


def test_habits_of_python_hold(pair: list[str], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        fusion.inspect(tmp_path / "none.tar")
    assert missing.value.errno == errno.ENOENT
    assert missing.value.filename == str(tmp_path / "none.tar")
    with pytest.raises(ValueError):
        fusion.plan(pair, compression="brotli")
    with pytest.raises(ValueError):
        fusion.plan(pair, images="[")
    with pytest.raises(fusion.ConflictError):
        fusion.plan(pair, require_platforms="linux/s390x")


def test_errors_travel_between_processes(pair: list[str]) -> None:
    with pytest.raises(fusion.PlatformMissingError) as caught:
        fusion.plan(pair, require_platforms="linux/s390x")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is fusion.PlatformMissingError
    assert (str(again), again.hint, again.kind) == (
        str(caught.value),
        caught.value.hint,
        "platform-missing",
    )
    assert again.report == caught.value.report
    missing = pickle.loads(pickle.dumps(fusion.NotFoundError("gone", path="a", errno=2)))
    assert (missing.errno, missing.filename, str(missing)) == (2, "a", "gone")


@pytest.mark.parametrize(
    ("arguments", "choices", "wanted"),
    [
        ((None, "out"), {}, TypeError),
        ((7, "out"), {}, TypeError),
        ((b"a.tar", "out"), {}, TypeError),
        (([b"a.tar"], "out"), {}, TypeError),
        ((["a.tar", None], "out"), {}, TypeError),
        (({"a.tar": 1}, "out"), {}, TypeError),
        (([], "out"), {}, ValueError),
        (("", "out"), {}, ValueError),
        (("a.tar", None), {}, TypeError),
        (("a.tar", b"out"), {}, TypeError),
        (("a.tar", ""), {}, ValueError),
        (("a\0.tar", "out"), {}, ValueError),
        (("a.tar", "o\0ut"), {}, ValueError),
        (("\ud800.tar", "out"), {}, ValueError),
        (("a.tar", "\udfff"), {}, ValueError),
        (("a.tar", "out"), {"jobs": 0}, ValueError),
        (("a.tar", "out"), {"jobs": -1}, ValueError),
        (("a.tar", "out"), {"jobs": 1.5}, TypeError),
        (("a.tar", "out"), {"jobs": True}, TypeError),
        (("a.tar", "out"), {"format": 1}, TypeError),
        (("a.tar", "out"), {"format": "zip"}, ValueError),
        (("a.tar", "out"), {"on_conflict": "\ud800"}, ValueError),
        (("a.tar", "out"), {"name": b"x"}, TypeError),
        (("a.tar", "out"), {"dry_run": "no"}, TypeError),
        (("a.tar", "out"), {"platforms": 1}, TypeError),
        (("a.tar", "out"), {"platforms": [1]}, TypeError),
        (("a.tar", "out"), {"platforms": ""}, ValueError),
        (("a.tar", "out"), {"name": "\udc80"}, ValueError),
        (("a.tar", "out"), {"rename": [("a", "b")]}, TypeError),
        (("a.tar", "out"), {"rename": {"": "b"}}, ValueError),
        (("a.tar", "out"), {"annotations": {"": "b"}}, ValueError),
        (("a.tar", "out"), {"annotations": {"a": 1}}, TypeError),
        (("a.tar", "out"), {"source_platforms": {"a.tar": "?"}}, ValueError),
        (("a.tar", "out"), {"source_platforms": {b"a.tar": "linux/arm64"}}, TypeError),
        (("a.tar", "out"), {"work_dir": 1}, TypeError),
        (("a.tar", "out"), {"work_dir": "a\0b"}, ValueError),
        (("a.tar", "out"), {"work_dir": ""}, ValueError),
        (("a.tar", "out"), {"progress": "loud"}, TypeError),
        (("a.tar", "out"), {"stop": True}, TypeError),
        (("a.tar", "out"), {"no_such_option": 1}, TypeError),
    ],
)
def test_bad_arguments(
    arguments: Any,
    choices: dict[str, Any],
    wanted: type[Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(wanted) as caught:
        fusion.fuse(*arguments, **choices)
    assert not isinstance(caught.value, fusion.InternalError)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("source", [None, 3, b"a.tar", "", "a\0b", "\ud800", ["a.tar"]])
def test_bad_arguments_of_inspect_and_verify(source: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        fusion.inspect(source)
    if source != ["a.tar"]:
        with pytest.raises((TypeError, ValueError)):
            fusion.verify(source)
    with pytest.raises(TypeError):
        fusion.inspect("a.tar", reference=7)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        fusion.verify("a.tar", jobs=-1)


def test_no_bad_input_brings_the_interpreter_down(tmp_path: Path) -> None:
    """Every archive of the generator's list, in this process, several at a time: a report or a
    `FusionError`."""
    every = tmp_path / "all"
    every.mkdir()
    command = [generator(), "hostile", "--out", str(every)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    cases = sorted(path for case in every.iterdir() for path in case.iterdir())
    assert len(cases) > 90

    def ask(case: Path) -> None:
        output = tmp_path / f"{case.parent.name}-out.tar"
        for verb in (
            lambda: fusion.inspect(case),
            lambda: fusion.verify(case),
            lambda: fusion.fuse(case, output, durability="rename", jobs=1),
        ):
            try:
                verb()
            except fusion.FusionError as error:
                assert not isinstance(error, fusion.InternalError), (case, error)
        output.unlink(missing_ok=True)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(ask, cases))) == len(cases)
    assert left_in(tmp_path) == ["all"]


def test_an_input_that_is_cut_off_while_it_is_mapped(pair: list[str], tmp_path: Path) -> None:
    """At sixty places, in every phase: an error or a report, and a living interpreter."""
    outcomes = []
    for at in range(1, 60):
        source = tmp_path / f"{at}.tar"
        shutil.copyfile(pair[0], source)
        size = source.stat().st_size

        def shorten(progress: fusion.Progress, source: Path = source, at: int = at) -> None:
            if progress.phase != "read" or at % 2:
                os.truncate(source, size * at // 60)

        try:
            fusion.fuse(source, tmp_path / "out.tar", on_existing="replace", progress=shorten)
            outcomes.append("ok")
        except fusion.FusionError as error:
            assert not isinstance(error, fusion.InternalError), error
            outcomes.append(error.kind)
    assert "input-changed" in outcomes, outcomes


CUT_OFF = """
import sys, fusion
asked = []
def progress(now):
    if now.phase == "write" and not asked:
        asked.append(now)
        print("mapped", flush=True)
        sys.stdin.readline()
try:
    fusion.fuse(sys.argv[1], sys.argv[2], progress=progress)
except fusion.InputChangedError as error:
    print(error.path, error.hint is not None, flush=True)
"""


def test_an_input_that_another_process_cuts_off(large: list[str], tmp_path: Path) -> None:
    """The pages that are gone are touched by threads that Python knows nothing of."""
    source = tmp_path / "source.tar"
    shutil.copyfile(large[0], source)
    command = [sys.executable, "-X", "faulthandler", "-c", CUT_OFF]
    command += [str(source), str(tmp_path / "out.tar")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "mapped\n"
        os.truncate(source, 4096)
        said, complaints = child.communicate("go on\n", timeout=60)
    assert (child.returncode, said, complaints) == (0, f"{source} True\n", "")
    assert left_in(tmp_path) == ["source.tar"]


SAYS = """
import sys, fusion
try:
    fusion.fuse(sys.argv[2:], "-")
except fusion.FusionIOError as error:
    with open(sys.argv[1], "w") as said:
        print(type(error).__name__, error.errno, file=said)
"""


@pytest.mark.parametrize(
    ("redirection", "kind", "number"),
    [
        (">&-", "FusionIOError", errno.EBADF),
        ("<&- >&- 2>&-", "FusionIOError", errno.EBADF),
        ("1</dev/null", "FusionIOError", errno.EBADF),
        (">/dev/full", "NoSpaceError", errno.ENOSPC),
        ("| true", "FusionIOError", errno.EPIPE),
    ],
)
def test_a_standard_output_that_takes_nothing(
    redirection: str, kind: str, number: int, pair: list[str], tmp_path: Path
) -> None:
    """Closed, closed with all others, read-only, full, without a reader."""
    said = tmp_path / "said"
    # `true` is over before anything is written.
    script = f'{{ sleep 0.1; "$0" -c "$1" "$2" "$3" "$4"; }} {redirection}'
    subprocess.run(["sh", "-c", script, sys.executable, SAYS, str(said), *pair], check=True)
    assert said.read_text() == f"{kind} {number}\n"
    assert left_in(tmp_path) == ["said"]


def vast_archive(path: Path, size: int) -> None:
    """An archive as docker writes them, whose layer is `size` bytes of nothing; it takes no room."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]},
        }
    ).encode()
    listing = json.dumps(
        [{"Config": "config.json", "RepoTags": ["vast:1"], "Layers": ["layer.tar"]}]
    ).encode()
    with path.open("wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in (("manifest.json", listing), ("config.json", config)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with path.open("r+b") as sparse:
        member = tarfile.TarInfo("layer.tar")
        member.size = size
        header = member.tobuf(tarfile.GNU_FORMAT)
        # Over the end marker.
        end = _end_of_members(path)
        sparse.seek(end)
        sparse.write(header)
        sparse.truncate(end + len(header) + size + 1024)


def _end_of_members(path: Path) -> int:
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    return last.offset_data + (last.size + 511) // 512 * 512


def test_a_pool_of_threads_gets_each_its_own(pair: list[str], tmp_path: Path) -> None:
    def job(number: int) -> str:
        try:
            fusion.fuse(pair, tmp_path / f"{number}.tar", images=None if number % 2 else "no/*")
        except fusion.NothingSelectedError as error:
            return error.kind
        return "ok"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(job, range(20))) == ["nothing-selected", "ok"] * 10
