"""Progress, and how a run is stopped."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fusion
import pytest
from conftest import left_in

# How long a run may go on once it was asked to stop.
PROMPT = 0.5


def assert_prompt(attempt: Callable[[], float]) -> None:
    """`attempt` says how long it took to stop. The machine may be busy with other things: one of
    three must be prompt."""
    took = [attempt()]
    while min(took) >= PROMPT and len(took) < 3:
        took.append(attempt())
    assert min(took) < PROMPT, took


def test_progress_comes_on_the_calling_thread(pair: list[str], tmp_path: Path) -> None:
    told: list[fusion.Progress] = []
    threads = set()

    def progress(now: fusion.Progress) -> None:
        told.append(now)
        threads.add(threading.get_ident())
        assert not (tmp_path / "out.tar").exists()

    fusion.fuse(pair, tmp_path / "out.tar", progress=progress)
    assert threads == {threading.get_ident()}
    phases = [now.phase for now in told]
    assert phases[0] == "read" and "write" in phases and phases[-1] == "publish"
    writing = next(now for now in told if now.phase == "write")
    assert writing.total_bytes > 0 and writing.total_blobs > 0
    with pytest.raises(AttributeError):
        writing.bytes = 0  # type: ignore[misc]


def test_every_verb_tells_progress(pair: list[str]) -> None:
    told: list[str] = []
    fusion.inspect(pair[0], progress=lambda now: told.append("inspect"))
    fusion.verify(pair, progress=lambda now: told.append("verify"))
    fusion.plan(pair, progress=lambda now: told.append("plan"))
    assert {"inspect", "verify", "plan"} == set(told)


def test_what_the_callable_raises_arrives_unchanged(large: list[str], tmp_path: Path) -> None:
    raised = LookupError("as a caller might")

    def attempt() -> float:
        moment = 0.0

        def progress(now: fusion.Progress) -> None:
            nonlocal moment
            if now.phase == "write" and now.bytes > 0:
                moment = time.monotonic()
                raise raised

        with pytest.raises(LookupError) as caught:
            fusion.fuse(large, tmp_path / "out.tar", progress=progress)
        took = time.monotonic() - moment
        assert caught.value is raised
        assert left_in(tmp_path) == []
        return took

    assert_prompt(attempt)


@pytest.mark.parametrize("phase", ["read", "write", "publish"])
def test_nothing_is_published_whenever_the_callable_raises(
    pair: list[str], tmp_path: Path, phase: str
) -> None:
    class Odd(BaseException):
        pass

    def progress(now: fusion.Progress) -> None:
        if now.phase == phase:
            raise Odd

    with pytest.raises(Odd):
        fusion.fuse(pair, tmp_path / "out.tar", progress=progress)
    assert left_in(tmp_path) == []


def test_an_event_stops_a_run(large: list[str], tmp_path: Path) -> None:
    def attempt() -> float:
        stop = threading.Event()
        moment = 0.0

        def progress(now: fusion.Progress) -> None:
            nonlocal moment
            if now.phase == "write" and now.bytes > 0 and not stop.is_set():
                moment = time.monotonic()
                stop.set()

        with pytest.raises(fusion.CancelledError) as caught:
            fusion.fuse(large, tmp_path / "out.tar", progress=progress, stop=stop)
        took = time.monotonic() - moment
        assert isinstance(caught.value.report, fusion.Report)
        assert caught.value.report.status == "cancelled"
        assert left_in(tmp_path) == []
        return took

    assert_prompt(attempt)


# Who is started in the background by a shell ignores Ctrl-C, and so do its children: these do not.
INTERRUPTED = """
import signal, sys, time, fusion
signal.signal(signal.SIGINT, signal.default_int_handler)
told = {told}
def progress(now):
    if now.phase == "write" and now.bytes > 0 and not told:
        told.append(now)
        print("writing", flush=True)
if {silent}:
    # No callable: somebody else says when.
    progress = None
    print("writing", flush=True)
try:
    fusion.fuse({sources!r}, {output!r}, progress=progress, on_existing="replace")
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
    sys.exit(42)
"""


@pytest.mark.parametrize("silent", [False, True])
def test_ctrl_c_stops_a_run(large: list[str], tmp_path: Path, silent: bool) -> None:
    output = tmp_path / "out.tar"
    output.write_bytes(b"as it was")
    code = INTERRUPTED.format(told=[], silent=silent, sources=large, output=str(output))

    def attempt() -> float:
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child:
            assert child.stdout.readline() == "writing\n"
            time.sleep(0.15)
            sent = time.monotonic()
            child.send_signal(signal.SIGINT)
            said = child.stdout.readline().split()
            status = child.wait()
        assert (status, said[0]) == (42, "interrupted")
        assert left_in(tmp_path) == ["out.tar"]
        assert output.read_bytes() == b"as it was"
        return float(said[1]) - sent

    assert_prompt(attempt)


UNREAD = """
import os, signal, sys, time, fusion
signal.signal(signal.SIGINT, signal.default_int_handler)
reading, writing = os.pipe()
os.dup2(writing, 1)
def progress(now):
    if now.phase == "publish":
        os.write(2, b"publishing\\n")
try:
    fusion.fuse(sys.argv[1], "-", progress=progress)
except KeyboardInterrupt:
    os.write(2, f"interrupted {time.monotonic()}\\n".encode())
    os._exit(42)
"""


def test_ctrl_c_stops_a_run_whose_result_nobody_reads(large: list[str]) -> None:
    def attempt() -> float:
        command = [sys.executable, "-c", UNREAD, large[0]]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
            assert child.stderr is not None
            assert child.stderr.readline() == "publishing\n"
            time.sleep(0.15)
            sent = time.monotonic()
            child.send_signal(signal.SIGINT)
            try:
                child.wait(20)
            finally:
                child.kill()
            said = child.stderr.read().split()
        assert (child.returncode, said[-2]) == (42, "interrupted")
        return float(said[-1]) - sent

    assert_prompt(attempt)


def test_a_handler_of_signals_runs_during_a_run(large: list[str], tmp_path: Path) -> None:
    seen: list[str] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append("signal"))

    def progress(now: fusion.Progress) -> None:
        if now.phase == "write" and "write" not in seen:
            os.kill(os.getpid(), signal.SIGUSR1)
        seen.append(now.phase)

    try:
        fusion.fuse(large, tmp_path / "out.tar", progress=progress, durability="rename")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert "signal" in seen and seen[-1] == "publish"


def test_a_task_of_asyncio(pair: list[str], tmp_path: Path) -> None:
    async def both() -> list[fusion.Report]:
        jobs = (asyncio.to_thread(fusion.fuse, pair, tmp_path / f"{n}.tar") for n in range(2))
        return await asyncio.gather(*jobs)

    first, second = asyncio.run(both())
    assert first.images == second.images


def test_bars(pair: list[str], tmp_path: Path) -> None:
    shown = io.StringIO()
    with fusion.tqdm_progress(file=shown, mininterval=0) as progress:
        fusion.fuse(pair, tmp_path / "out.tar", progress=progress)
    assert "write" in shown.getvalue()


def test_bars_close_themselves_when_a_run_fails(pair: list[str], tmp_path: Path) -> None:
    shown = io.StringIO()

    class Full(Exception):
        pass

    bar = fusion.tqdm_progress(file=shown, desc="fusing")

    def progress(now: fusion.Progress) -> None:
        bar(now)
        if now.phase == "write":
            raise Full

    with pytest.raises(Full):
        fusion.fuse(pair, tmp_path / "out.tar", progress=progress)
    bar.close()
    assert "fusing" in shown.getvalue()


def test_without_tqdm_there_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: Any = sys.modules
    monkeypatch.setitem(modules, "tqdm", None)
    monkeypatch.setitem(modules, "tqdm.auto", None)
    with pytest.raises(ImportError):
        fusion.tqdm_progress()
