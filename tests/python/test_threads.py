"""The interpreter lock, processes, memory, logging."""

from __future__ import annotations

import concurrent.futures
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import fusion
import pytest


THROUGH_PIPES = """
import os, sys, threading, fusion
verb, source = sys.argv[1:]
content = open(source, "rb").read()
fed, feeding = os.pipe()
taken, result = os.pipe()
os.dup2(fed, 0)
os.dup2(result, 1)
os.close(result)

def feed():
    for start in range(0, len(content), 512):
        os.write(feeding, content[start:start + 512])
    os.close(feeding)

got = []
def take():
    while chunk := os.read(taken, 512):
        got.append(chunk)

threads = [threading.Thread(target=feed), threading.Thread(target=take)]
for thread in threads:
    thread.start()
if verb == "fuse":
    fusion.fuse("-", "-")
elif verb == "plan":
    assert len(fusion.plan("-").images) == 3
elif verb == "inspect":
    assert len(fusion.inspect("-")) == 3
else:
    assert fusion.verify("-").passed
os.close(1)
for thread in threads:
    thread.join()
sys.stderr.buffer.write(b"".join(got))
"""


@pytest.mark.parametrize("verb", ["fuse", "plan", "inspect", "verify"])
def test_a_run_gets_its_source_from_another_thread_of_python(
    verb: str, pair: list[str], tmp_path: Path
) -> None:
    """A pipe holds less than the archive: whoever held the interpreter lock while waiting for more
    of it, or for room for the result, would wait for ever."""
    source, wanted = tmp_path / "source.tar", tmp_path / "wanted.tar"
    source.write_bytes(Path(pair[0]).read_bytes().ljust(1 << 18, b"\0"))
    command = [sys.executable, "-c", THROUGH_PIPES, verb, str(source)]
    ended = subprocess.run(command, check=True, stderr=subprocess.PIPE, timeout=60)
    if verb == "fuse":
        fusion.fuse(source, wanted)
        assert ended.stderr == wanted.read_bytes()


def test_another_thread_keeps_its_pace(large: list[str], tmp_path: Path) -> None:
    """How long a thread that wants to run is kept from it by anything but a lack of processors:
    that can only be the interpreter lock. At most a tenth of the time, in one of three runs."""
    waits: list[float] = []
    while len(waits) < 3 and min(waits, default=1) >= 0.1:
        done = threading.Event()

        def spin(done: threading.Event = done) -> None:
            ran, queued = _scheduled()
            begun = time.perf_counter()
            while not done.is_set():
                sum(range(100))
            took = time.perf_counter() - begun
            now_ran, now_queued = _scheduled()
            waits.append(1 - (now_ran - ran + now_queued - queued) / took)

        thread = threading.Thread(target=spin)
        thread.start()
        try:
            report = fusion.fuse(
                large,
                tmp_path / "out.tar",
                on_existing="replace",
                durability="rename",
                jobs=1,
                progress=lambda now: None,
            )
        finally:
            done.set()
            thread.join()
        assert report.elapsed_seconds > 0.05
    assert min(waits) < 0.1, waits


def _scheduled() -> tuple[float, float]:
    """For how many seconds this thread has run, and has waited for a processor."""
    told = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
    ran, queued, _ = told.split()
    return int(ran) / 1e9, int(queued) / 1e9


def test_a_thousand_runs_take_no_memory(pair: list[str], tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def some(count: int) -> None:
        for at in range(count):
            fusion.fuse(pair, tmp_path / "out.tar", on_existing="replace", durability="rename")
            if at % 5:
                continue
            fusion.plan(pair, progress=lambda now: None)
            fusion.inspect(pair[0])
            with pytest.raises(fusion.NothingSelectedError):
                fusion.plan(pair, images="nothing")

    some(100)
    before = resident()
    some(1000)
    grown = resident() - before
    assert grown < 4 << 20, f"{grown} bytes more"


def images_of(sources: list[str], output: str) -> list[str]:
    """What a worker process does."""
    return [image.reference for image in fusion.fuse(sources, output).images]


def fails(sources: list[str]) -> None:
    fusion.plan(sources, require_platforms="linux/s390x")


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes(method: str, pair: list[str], tmp_path: Path) -> None:
    # Something has run here before: a fork inherits what it left.
    fusion.fuse(pair, tmp_path / "here.tar")
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        jobs = [pool.submit(images_of, pair, str(tmp_path / f"{n}.tar")) for n in range(4)]
        assert [len(job.result(60)) for job in jobs] == [3] * 4
        with pytest.raises(fusion.PlatformMissingError) as caught:
            pool.submit(fails, pair).result(60)
    assert caught.value.report is not None
    with context.Pool(1) as workers:
        assert len(workers.apply(images_of, (pair, str(tmp_path / "pool.tar")))) == 3


def test_a_fork_in_the_middle_of_a_run(large: list[str], pair: list[str], tmp_path: Path) -> None:
    children: list[int] = []

    def progress(now: fusion.Progress) -> None:
        if now.phase == "write" and now.bytes > 0 and not children:
            child = os.fork()
            if child == 0:
                # Only this thread lives here.
                status = 1
                try:
                    fusion.fuse(pair, tmp_path / "child.tar")
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)

    fusion.fuse(large, tmp_path / "out.tar", progress=progress, durability="rename")
    assert children
    assert os.waitpid(children[0], 0)[1] == 0
    assert fusion.verify(tmp_path / "child.tar").passed


LEFT_BEHIND = """
import fusion, sys, threading
writing = threading.Event()
def work(output):
    fusion.fuse(sys.argv[2:], output, progress=lambda now: writing.set())
for number in range(2):
    threading.Thread(target=work, args=(f"{sys.argv[1]}{number}",), daemon=True).start()
writing.wait()
"""


def test_threads_that_are_left_behind_do_no_harm(large: list[str], tmp_path: Path) -> None:
    """Neither a crash nor a word; the runs stop, and take away what they had written."""
    command = [sys.executable, "-c", LEFT_BEHIND, str(tmp_path / "out"), *large]
    for _ in range(5):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert list(tmp_path.iterdir()) == []


def test_exit_handlers_may_run_something(pair: list[str], tmp_path: Path) -> None:
    code = "import atexit, sys; atexit.register(lambda: fusion.fuse(sys.argv[2:], sys.argv[1]))"
    command = [sys.executable, "-c", f"{code}; import fusion", str(tmp_path / "out.tar"), *pair]
    subprocess.run(command, check=True, timeout=60)
    assert fusion.verify(tmp_path / "out.tar").passed


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Any:
    handler = Kept()
    logger = logging.getLogger("fusion")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_by_default_nothing_below_a_warning_is_logged(kept: Kept, pair: list[str]) -> None:
    fusion.plan(pair)
    assert all(record.levelno >= logging.WARNING for record in kept.records)


def test_the_engine_logs_to_the_logger_fusion(kept: Kept, pair: list[str]) -> None:
    logging.getLogger("fusion").setLevel(logging.DEBUG)
    fusion.plan(pair)
    assert any(record.levelno == logging.DEBUG for record in kept.records)
    assert all(record.name.startswith("fusion.") for record in kept.records)
    assert any(pair[0] in record.getMessage() for record in kept.records)
    kept.records.clear()
    logging.getLogger("fusion").setLevel(logging.NOTSET)
    fusion.plan(pair)
    assert kept.records == []


def test_a_handler_that_fails_stops_nothing(
    pair: list[str], kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    def fail(record: logging.LogRecord) -> None:
        raise RuntimeError("as a handler might")

    monkeypatch.setattr(kept, "emit", fail)
    logging.getLogger("fusion").setLevel(logging.DEBUG)
    assert fusion.plan(pair).status == "ok"
    assert unraisable


def test_the_command(pair: list[str], tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fusion", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    fused = run("fuse", *pair, "-o", str(tmp_path / "out.tar"), "-vv")
    assert fused.returncode == 0, fused.stderr
    assert "DEBUG" in fused.stderr
    listed = run("inspect", "--json", str(tmp_path / "out.tar"))
    assert listed.stdout == fusion.inspect(tmp_path / "out.tar").to_json()
    assert run("fuse", *pair, "-o", str(tmp_path / "out.tar")).returncode == 3
    assert run("nonsense").returncode == 2
    assert run("--version").stdout == f"fusion {fusion.__version__}\n"


def test_ctrl_c_ends_the_command(large: list[str], tmp_path: Path) -> None:
    output = str(tmp_path / "out.tar")
    command = [sys.executable, "-m", "fusion", "fuse", *large, "-o", output, "--progress", "plain"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        child.stderr.readline()
        time.sleep(0.2)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
        status = child.wait()
        took = time.monotonic() - sent
    assert (status, took < 1) == (130, True), said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
