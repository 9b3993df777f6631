"""A small HTTP server for tests: files by path, and the ways in which real servers and connections fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves `files` with ranges.

    Attributes:
        files: path -> content; anything else is a 404.
        cuts: path -> bytes after which a connection for it breaks, one entry per connection, used up in order.
        statuses: path -> status codes to answer instead, used up in order.
        ranges: whether a Range is honoured; many mirrors ignore it.
        requests: (path, Range header) of each request that came.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def count(self, path: str) -> int:
        return sum(1 for asked, _ in self.requests if asked == path)

    def publish(self, project: str, filename: str, content: bytes, sha256: str) -> None:
        """Lists a file on a simple package index at `<url>/simple`."""
        self.files[f"/files/{filename}"] = content
        page = f'<!DOCTYPE html><a href="/files/{filename}#sha256={sha256}">{filename}</a>'
        self.files[f"/simple/{project}/"] = page.encode()


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server on a free port of this machine, for the length of the block."""
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            files.requests.append((self.path, asked))
            if files.statuses.get(self.path):
                self.send_error(files.statuses[self.path].pop(0))
                return
            if self.path not in files.files:
                self.send_error(404)
                return
            content = files.files[self.path]
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and files.ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
            self.end_headers()
            cut = files.cuts[self.path].pop(0) if files.cuts.get(self.path) else None
            self.wfile.write(content[start:] if cut is None else content[start : start + cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    files.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
