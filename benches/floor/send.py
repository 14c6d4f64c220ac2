#!/usr/bin/env python3
"""The least that a push to a registry takes: each blob in one request, several at a time.

    python3 benches/floor/send.py LIST HOST REPOSITORY CONNECTIONS

LIST has a line for each blob: its offset, its size, the hexadecimal digits of its SHA-256, and the
file that it lies in. Nothing is hashed, nothing is asked, no manifest is made.
"""

from __future__ import annotations

import http.client
import sys
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue

PIECE = 1 << 20


def main() -> None:
    listing, host, repository, connections = sys.argv[1:]
    blobs: SimpleQueue[str] = SimpleQueue()
    for line in Path(listing).read_text().splitlines():
        blobs.put(line)
    with ThreadPoolExecutor(int(connections)) as pool:
        workers = [pool.submit(send, blobs, host, repository) for _ in range(int(connections))]
    for worker in workers:
        worker.result()


def send(blobs: SimpleQueue[str], host: str, repository: str) -> None:
    """Sends blobs by a connection of its own, until there are no more."""
    connection = http.client.HTTPConnection(host)
    while True:
        try:
            offset, size, digest, path = blobs.get_nowait().split(" ", 3)
        except Empty:
            return
        connection.request("POST", f"/v2/{repository}/blobs/uploads/")
        place = expect(connection, 202)
        target = urllib.parse.urlsplit(place)._replace(scheme="", netloc="").geturl()
        headers = {"Content-Length": size, "Content-Type": "application/octet-stream"}
        body = pieces(Path(path), int(offset), int(size))
        connection.request("PUT", f"{target}&digest=sha256:{digest}", body, headers)
        expect(connection, 201)


def expect(connection: http.client.HTTPConnection, status: int) -> str:
    """Where the answer leads, which has to have that status."""
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != status:
        raise SystemExit(f"status {answer.status} instead of {status}: {said!r}")
    return answer.getheader("Location", "")


def pieces(path: Path, offset: int, size: int) -> Iterator[bytes]:
    """A part of a file."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        while size > 0:
            piece = file.read(min(size, PIECE))
            if not piece:
                raise SystemExit(f"{path} ends too early")
            size -= len(piece)
            yield piece


if __name__ == "__main__":
    main()
