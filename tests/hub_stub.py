"""A stand-in for the Hugging Face Hub on this machine: repositories by name, and its ways to say no.

Answers what the client asks when it downloads; a test that uploads adds its routes to `HubStub.routes`. The client
reads HF_ENDPOINT once at import, so code under test runs in a process of its own: `HubStub.environment`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What the stub sends back; `drop` closes the connection instead."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False

    @classmethod
    def json(cls, value: object, status: int = 200) -> Answer:
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    @classmethod
    def error(cls, status: int, code: str) -> Answer:
        """As the Hub names its errors: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo."""
        return cls(status, b"{}", {"X-Error-Code": code})


Route = Callable[["HubStub", "re.Match[str]", bytes], Answer]


@dataclass
class HubStub:
    """Repositories and what was asked.

    Attributes:
        commits: repository -> its commits, oldest first; each is id, then path -> content. Those of data sets and
            Spaces are called as in addresses: `datasets/owner/name`, `spaces/owner/name`.
        gated: repositories that ask for consent.
        private: repositories that are hidden.
        down: drop every connection.
        routes: (method, pattern of the whole path) -> answer; looked at before the built-in ones.
        requests: (method, path) in order.
        made: commits, those of a history that was squashed included.
    """

    url: str = ""
    commits: dict[str, list[tuple[str, dict[str, bytes]]]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    down: bool = False
    routes: list[tuple[str, str, Route]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0

    def commit(self, repository: str, files: dict[str, bytes]) -> str:
        """Adds a commit with exactly these files; returns its id."""
        history = self.commits.setdefault(repository, [])
        self.made += 1
        name = hashlib.sha1(f"{repository}{self.made}".encode()).hexdigest()
        history.append((name, dict(files)))
        return name

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """For a child process: this stub is its Hub, `home` its cache."""
        unwanted = {"HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN_PATH", "HF_OIDC_RESOURCE", "SYSTEM", "SPACE_ID"}
        kept = {key: value for key, value in os.environ.items() if key not in unwanted}
        return kept | {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_TOKEN": "hf_test",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
            **more,
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        path = path.partition("?")[0]
        self.requests.append((method, path))
        if self.down:
            return Answer(drop=True)
        builtin: list[tuple[str, str, Route]] = [
            ("GET", r"/api/(models|datasets|spaces)/([^/]+/[^/]+)(?:/revision/([^/]+))?", _info),
            ("GET|HEAD", r"/((?:datasets/|spaces/)?[^/]+/[^/]+)/resolve/([^/]+)/(.+)", _resolve),
        ]
        for methods, pattern, route in self.routes + builtin:
            found = re.fullmatch(pattern, path)
            if found and method in methods.split("|"):
                return route(self, found, body)
        return Answer.error(404, "RepoNotFound")

    def find(self, repository: str, revision: str | None) -> tuple[str, dict[str, bytes]] | Answer:
        """A commit's id and files, or the Hub's way to say no."""
        if repository in self.gated:
            return Answer.error(403, "GatedRepo")
        if repository not in self.commits or repository in self.private:
            return Answer.error(404, "RepoNotFound")
        history = self.commits[repository]
        if revision in {None, "main"}:
            return history[-1]
        for name, files in history:
            if name == revision:
                return name, files
        return Answer.error(404, "RevisionNotFound")


def repository_of(kind: str, name: str) -> str:
    """`models`, `owner/name` -> `owner/name`; of data sets and Spaces with their kind before it."""
    return name if kind == "models" else f"{kind}/{name}"


def _info(hub: HubStub, asked: re.Match[str], _: bytes) -> Answer:
    found = hub.find(repository_of(asked[1], asked[2]), asked[3])
    return found if isinstance(found, Answer) else Answer.json({"id": asked[2], "sha": found[0]})


def _resolve(hub: HubStub, asked: re.Match[str], _: bytes) -> Answer:
    found = hub.find(asked[1], asked[2])
    if isinstance(found, Answer):
        return found
    commit, files = found
    if asked[3] not in files:
        return Answer.error(404, "EntryNotFound")
    content = files[asked[3]]
    headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
    return Answer(body=content, headers=headers)


@contextmanager
def hub_stub() -> Iterator[HubStub]:
    """A stub on a free port, for the length of the block."""
    hub = HubStub()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = hub.answer(self.command, self.path, body)
            if answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
