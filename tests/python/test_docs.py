"""What the README and docs/python.md show, done as it stands there."""

from __future__ import annotations

import ast
import asyncio
import builtins
import gzip
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import fusion
import pytest
from conftest import ARCHIVES, REPOSITORY
from fusion import exceptions


def blocks(document: str) -> list[tuple[int, str]]:
    """The Python in a document, and where it stands there."""
    text = (REPOSITORY / document).read_text()
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text[: match.start(1)].count("\n"), match[1]) for match in found]


def run(document: str, names: dict[str, Any], registry: str) -> None:
    listed = [(line, block.replace("harbor.local", registry)) for line, block in blocks(document)]
    assert listed
    names["__builtins__"] = builtins
    for line, block in listed:
        tree = ast.increment_lineno(ast.parse(block), line)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code: CodeType = compile(tree, document, "exec", flags=flags, dont_inherit=True)
        waits = FunctionType(code, names)()
        if waits is not None:
            asyncio.run(waits)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the archives that the examples name; loggers as they were afterwards."""
    for arch in ("amd64", "arm64"):
        source = ARCHIVES / f"skopeo-docker-archive-hello-{arch}.tar"
        shutil.copyfile(source, tmp_path / f"images-{arch}.tar")
        (tmp_path / f"images-{arch}.tar.gz").write_bytes(gzip.compress(source.read_bytes()))
        package = REPOSITORY / "fixtures" / "golden" / "sources" / f"offline-v1-{arch}.tar.gz"
        shutil.copyfile(package, tmp_path / f"addon-{arch}.tar.gz")
        bundle = package.with_name(f"web_1.5.0_{arch}.bundle.tar")
        shutil.copyfile(bundle, tmp_path / f"web-{arch}.bundle.tar")
    monkeypatch.chdir(tmp_path)
    root, level = logging.getLogger(), logging.getLogger("fusion").level
    handlers = list(root.handlers)
    yield tmp_path
    root.handlers[:] = handlers
    logging.getLogger("fusion").setLevel(level)


def test_the_readme(folder: Path, registry: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("README.md", {}, registry)
    told = capsys.readouterr().out
    assert "write 0 " in told
    assert "['linux/amd64', 'linux/arm64']" in told
    assert fusion.verify(folder / "images.tar").passed


def test_the_tour(folder: Path, registry: str, capsys: pytest.CaptureFixture[str]) -> None:
    local = f"kind: LOCAL, path: {folder}/charts"
    (folder / "load-image.yaml").write_text(
        "source: {intermediateBundlesPath: .}\n"
        f"target: {{containerRegistry: '{registry}', containerRepository: t, repo: {{{local}}}}}\n"
    )
    (folder / "clusterConfig.yaml").write_text(
        "kind: ClusterConfig\n"
        "spec: {imagesAndCharts: {type: external, externalChartRepoType: oci, "
        f"externalImageRepo: 'http://{registry}/tour', "
        f"externalChartRepo: 'http://{registry}/tour'}}}}\n"
    )
    (folder / "bak.yaml").write_text("images: {web: {registry: harbor.before}}\n")
    run("docs/python.md", {}, registry)
    told = capsys.readouterr()
    assert "docker.io/library/hello:1.0 sha256:" in told.out
    assert f"{registry}/addons/library/hello:1.0 created None" in told.out
    assert len(fusion.inspect(f"docker://{registry}/t/hello:1.0").images[0].platforms) == 2
    assert "exists" in told.out and "write" in told.err
    assert "web 1.5.0 ('linux/amd64', 'linux/arm64') offline-v1/charts/" in told.out
    assert f"web 1.5.0 created {folder}/charts/web-1.5.0.tgz None" in told.out
    assert f"bak.yaml images.web.registry harbor.before -> {registry}" in told.out
    for name in ("images.tar", "bars.tar", "task.tar", "addon.tar.gz"):
        assert fusion.verify(folder / name).passed


def test_the_table_of_errors() -> None:
    text = (REPOSITORY / "docs" / "python.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `([a-z-]+)` \|(.*)\|$", text, re.MULTILINE)
    assert {kind: name for name, kind, _ in rows} == {
        kind: known.__name__ for kind, known in exceptions.KINDS.items()
    }
    for name, _, also in rows:
        bases = {base.__name__ for base in getattr(fusion, name).__mro__}
        assert set(re.findall(r"`(\w*Error)`", also)) <= bases, name
