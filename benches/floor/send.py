#!/usr/bin/env python3
"""The least that a push to a registry takes: each blob in one request, one after another.

    python3 benches/floor/send.py LIST HOST REPOSITORY

LIST has a line for each blob: its offset, its size, the hexadecimal digits of its SHA-256, and the
file that it lies in. Nothing is hashed, nothing is asked, no manifest is made.
"""

from __future__ import annotations

import http.client
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 20


def main() -> None:
    listing, host, repository = sys.argv[1:]
    connection = http.client.HTTPConnection(host)
    for line in Path(listing).read_text().splitlines():
        offset, size, digest, path = line.split(" ", 3)
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
