"""Whose uploaded file is whose, and whose conversation with the page: nobody else's can be fetched, searched or read.

Gradio itself lets everybody who is let in use any uploaded file, and fetches addresses that stand where a file should.
So a file in a request must be one that its sender uploaded to this process; an address never is.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from gradio import route_utils
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reid.actor import LOCAL, acting
from reid.entrance.room import EACH, EACH_VISITOR, NoRoomError, Room

_API = "/gradio_api/"
_WITH_FILES = ("queue/join", "run/", "api/", "call/", "component_server")
_WITH_SESSION = re.compile(r"(?:heartbeat|call/v2/[^/]+|call/[^/]+)/([^/]+)")
_LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of a request without its files: a frame of the webcam is the largest, 4 MB."""
_KEPT = 50_000

USER = "byteface.user"
"""Key of a request's scope under which the gate says whose requests are counted together."""


class Upload(route_utils.GradioUploadFile):
    """A file on its way in, which gets a folder of its own.

    Gradio names the folder after the content. Two who upload the same photograph would share it, and whoever is
    answered first erases it for the other.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sha.update(os.urandom(16))


class Parts(route_utils.GradioMultiPartParser):
    """The files of one upload. Gradio leaves what had come on the disk where their sender goes away in the middle."""

    async def parse(self) -> FormData:
        try:
            return await super().parse()
        except BaseException:
            for file in self._files_to_close_on_error:
                file.close()
                Path(file.name).unlink(missing_ok=True)
            raise


class Owners:
    """Who owns what, by an unguessable name; the longest untouched is forgotten. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, set[str]] = OrderedDict()

    def add(self, thing: str, owner: str) -> None:
        """One more owner."""
        with self._lock:
            self._owners.setdefault(thing, set()).add(owner)
            self._owners.move_to_end(thing)
            while len(self._owners) > _KEPT:
                self._owners.popitem(last=False)

    def owns(self, thing: str, who: str) -> bool:
        """Whether it is theirs."""
        with self._lock:
            return who in self._owners.get(thing, ())

    def claim(self, thing: str, who: str) -> bool:
        """The same, after making it theirs where it was nobody's."""
        with self._lock:
            known = thing in self._owners
        if not known:
            self.add(thing, who)
        return self.owns(thing, who)


class OwnUploads:
    """Between the gate, which says who asks, and Gradio."""

    def __init__(self, app: ASGIApp, room: Room | None = None) -> None:
        """
        Args:
            room: what uploads may take; None for the usual.
        """
        self._app = app
        self._room = room or Room()
        setattr(route_utils, "GradioUploadFile", Upload)  # noqa: B010 - Gradio has no setting for it
        setattr(route_utils, "GradioMultiPartParser", Parts)  # noqa: B010 - nor for this
        self._files = Owners()
        self._sessions = Owners()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(_API):
            await self._app(scope, receive, send)
            return
        rest, who = path.removeprefix(_API).rstrip("/"), acting().name
        if rest == "upload" and scope["method"] == "POST":
            await self._upload(scope, receive, send, who)
            return
        refusal = self._of_address(scope, rest, who)
        if not refusal and scope["method"] == "POST" and (rest == "cancel" or f"{rest}/".startswith(_WITH_FILES)):
            body, refusal = await self._of_body(scope, receive, who)
            receive = _again(body, receive)
        if refusal:
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _of_address(self, scope: Scope, rest: str, who: str) -> Response | None:
        if rest.startswith("file="):
            return None if self._files.owns(rest.removeprefix("file="), who) else _no_such_file()
        found = _WITH_SESSION.fullmatch(rest) if scope["method"] == "GET" or rest.startswith("heartbeat") else None
        session = found.group(1) if found else ""
        if rest == "queue/data":
            session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[-1]
        if session and not self._sessions.claim(session, who):
            return PlainTextResponse("This belongs to somebody else. Load the page again.", 404)
        return None

    async def _of_body(self, scope: Scope, receive: Receive, who: str) -> tuple[bytes, Response | None]:
        if "multipart" in Headers(scope=scope).get("content-type", ""):
            return b"", PlainTextResponse("This takes JSON. Send the file to /gradio_api/upload first.", 415)
        body = await _read(receive)
        if body is None:
            return b"", PlainTextResponse("This request is too large. Upload files one at a time.", 413)
        try:
            sent = json.loads(body or b"null")
        except (ValueError, RecursionError):
            return body, PlainTextResponse("This is not JSON. Send what the API's description says.", 400)
        if any(not self._files.owns(path, who) for path in _files_in(sent)):
            return body, _no_such_file()
        session = sent.get("session_hash") if isinstance(sent, dict) else None
        if session is not None and not self._sessions.claim(str(session), who):
            return body, PlainTextResponse("This belongs to somebody else. Load the page again.", 404)
        return body, None

    async def _upload(self, scope: Scope, receive: Receive, send: Send, who: str) -> None:
        """Lets files in as long as there is room, and notes whose they are."""
        user, came, files = str(scope.get(USER, who)), 0, list[str]()
        limit = None if who == LOCAL.name else EACH_VISITOR if who.startswith("visitor:") else EACH
        self._room.look(user)

        async def receiving() -> Message:
            nonlocal came
            message = await receive()
            size = len(message.get("body", b""))
            try:
                self._room.take(user, size, limit)
            except NoRoomError as full:
                raise HTTPException(413, str(full)) from full
            came += size
            return message

        try:
            await self._app(scope, receiving, self._noting(send, who, files))
        finally:
            self._room.arrived(user, came, files)

    def _noting(self, send: Send, who: str, files: list[str]) -> Send:
        answer = bytearray()
        good = False

        async def sending(message: Message) -> None:
            nonlocal good
            if message["type"] == "http.response.start":
                good = message["status"] == 200
            elif message["type"] == "http.response.body" and good:
                answer.extend(message.get("body", b""))
                if not message.get("more_body"):  # before the answer is whole: the next request may follow at once
                    files.extend(map(str, json.loads(bytes(answer) or b"[]")))
                    for path in files:
                        self._files.add(path, who)
            await send(message)

        return sending


def _files_in(sent: Any) -> Iterator[str]:
    """Whatever Gradio may take for a file: each `path` of a request, however deep; nothing that is no text is one."""
    waiting = [sent]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("path") is not None:
                yield one["path"] if isinstance(one["path"], str) else ""
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _no_such_file() -> Response:
    return PlainTextResponse("You uploaded no such file to this server. Upload it again.", 404)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None where it is too large or its sender went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body.extend(message.get("body", b""))
        if len(body) > _LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body once more, and then what really comes."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
