"""What the tests share: archives, and a place to write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ARCHIVES = REPOSITORY / "fixtures" / "archives"


Hostile = Callable[[str], str]
"""Makes a bad input by its name in the fixtures' list, and says where it is."""


def generator() -> str:
    """The program that makes archives; scripts/test-python.sh builds it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    default = target / "release" / "fusion-fixtures"
    program = os.environ.get("FUSION_FIXTURES", str(default))
    if not shutil.which(program):
        pytest.fail(f"{program} is not there: cargo build --release -p fusion-fixtures")
    return program


@pytest.fixture
def pair() -> list[str]:
    """Two archives that `docker save` wrote, one per architecture."""
    return [str(ARCHIVES / f"docker-20.10-save-{arch}.tar") for arch in ("amd64", "arm64")]


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """Bad inputs."""
    folder = tmp_path_factory.mktemp("hostile")

    def make(name: str) -> str:
        case = folder / name
        if not case.exists():
            command = [generator(), "hostile", "--out", str(folder), name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = sorted(case.iterdir())
        return str(found[0])

    return make


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two archives of half a gigabyte each, so that a fuse takes a while."""
    folder = tmp_path_factory.mktemp("large")
    command = [generator(), "synthetic", "--out", str(folder), "--images", "4"]
    command += ["--layers", "2", "--shared", "0", "--layer-size", "64M"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    yield [str(folder / f"images-{arch}.tar") for arch in ("amd64", "arm64")]
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's docker-registry on a free port of the loopback device: ``127.0.0.1:PORT``."""
    yield from serve(tmp_path_factory.mktemp("registry"))


def serve(folder: Path, more: str = "") -> Iterator[str]:
    """A registry that keeps its files in `folder`, with `more` in its configuration, until the
    generator is closed."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.fail("docker-registry is not there: apt-get install docker-registry")
    configuration = folder / "config.yml"
    configuration.write_text(
        "version: 0.1\n"
        "log: {level: info, formatter: text}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/store}}, delete: {{enabled: true}}}}\n"
        f'http: {{addr: "127.0.0.1:0"}}\n{more}'
    )
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([program, "serve", configuration], stdout=out, stderr=out)
    try:
        yield f"127.0.0.1:{listening(process, log)}"
    finally:
        process.kill()
        process.wait()


def listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """The port that a registry listens on, by its log."""
    for _ in range(150):
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"docker-registry did not start: {log.read_text()}")


def left_in(folder: Path) -> list[str]:
    """What lies in a folder, hidden files included."""
    return sorted(entry.name for entry in folder.iterdir())
