"""A registry to push to: Debian's docker-registry, on a free port of the loopback device."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = "docker-registry"
# As long as a busy machine may take to start it.
PATIENCE = 60

CONFIG = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: false}}}}
storage:
  filesystem: {{rootdirectory: '{store}'}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: '127.0.0.1:0', secret: of benches}}
"""

LIST_TYPES = ", ".join(
    f"application/vnd.{kind}"
    for kind in (
        "oci.image.index.v1+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "docker.distribution.manifest.v2+json",
    )
)

ADDRESS = re.compile(r'listening on (127\.0\.0\.1:\d+)')
UPLOAD = re.compile(r'"PUT /v2/\S+/blobs/uploads/\S+[?&]digest=sha256(?:%3A|:)([0-9a-f]{64})\S* \S+" 201 ')


class Registry:
    """An empty one, as long as the block lasts that it is opened for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.host = ""

    def __enter__(self) -> Registry:
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(store=self.folder / "store"))
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", config], stdout=log, stderr=log)
        try:
            self.host = self._address()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def _address(self) -> str:
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE and self.process.poll() is None:
            if found := ADDRESS.search(self.log()):
                return found[1]
            time.sleep(0.02)
        raise RuntimeError(f"{PROGRAM} did not start:\n{self.log()}")

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def processors(self) -> float:
        """The seconds that it has used of all processors together so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def uploads(self) -> Counter[str]:
        """How often each blob arrived whole, by the hexadecimal digits of its digest; told by the
        registry itself."""
        return Counter(UPLOAD.findall(self.log()))

    def get(self, path: str) -> tuple[Any, Any]:
        """A document, and the headers that came with it."""
        with self._ask("GET", path, None, {"Accept": LIST_TYPES}) as answer:
            return json.load(answer), answer.headers

    def size(self, repository: str, digest: str) -> int:
        """How large a blob is that the registry has to have."""
        with self._ask("HEAD", f"{repository}/blobs/{digest}", None, {}) as answer:
            return int(answer.headers["Content-Length"])

    def put(self, path: str, media_type: str, document: Any) -> None:
        """Stores a manifest or an index."""
        body = json.dumps(document).encode()
        self._ask("PUT", path, body, {"Content-Type": media_type}).close()

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        url = f"http://{self.host}/v2/{path}"
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            return DIRECTLY.open(request)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error}: {error.read()!r}") from error


# Whatever proxy the environment names: this is the loopback device.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
