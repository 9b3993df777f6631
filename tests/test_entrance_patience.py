"""Clients that dribble are let go; those that wait for a long answer, or send a long body, are not."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from browser import served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from reid.entrance import patience
from reid.entrance.patience import Patient

LOOK_S = 0.1
WHOLE = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


async def slow(_: Request) -> PlainTextResponse:
    await asyncio.sleep(10 * LOOK_S)
    return PlainTextResponse("at last")


async def body(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[str, int]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "LOOKS_EVERY_S", LOOK_S)
        patch.setattr(patience, "SLOWEST", 1000)
        app = Starlette(routes=[Route("/slow", slow), Route("/body", body, methods=["POST"])])
        with served(app, http=Patient, timeout_keep_alive=60) as address:
            where = urlsplit(address)
            yield str(where.hostname), int(where.port or 0)


def ended(connection: socket.socket) -> bytes:
    """Everything until the server closes; fails where it does not."""
    connection.settimeout(20)
    told = b""
    while piece := connection.recv(65536):
        told += piece
    return told


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHo", BODY, BODY + b"x"])
def test_whoever_begins_and_does_not_go_on_is_let_go(place: tuple[str, int], begun: bytes) -> None:
    with socket.create_connection(place) as connection:
        connection.sendall(begun)
        assert b"200" not in ended(connection)


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n", BODY])
def test_a_byte_now_and_then_is_no_request(place: tuple[str, int], begun: bytes) -> None:
    with socket.create_connection(place) as connection:
        connection.sendall(begun)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            dribble(connection)


def dribble(connection: socket.socket) -> None:
    for _ in range(2000):
        connection.sendall(b"a")
        time.sleep(LOOK_S / 10)


def test_a_long_answer_is_waited_for_and_the_connection_serves_once_more(place: tuple[str, int]) -> None:
    with socket.create_connection(place) as connection:
        for _ in range(2):
            connection.sendall(WHOLE)
            connection.settimeout(20)
            told = connection.recv(65536)
            while b"at last" not in told:
                told += connection.recv(65536)
        assert b"at last" not in ended(connection)


def test_a_long_body_that_comes_steadily_arrives(place: tuple[str, int]) -> None:
    with socket.create_connection(place) as connection:
        connection.sendall(BODY)
        for _ in range(20):
            connection.sendall(b"x" * 50_000)
            time.sleep(LOOK_S / 4)
        connection.settimeout(20)
        assert b"1000000" in connection.recv(65536) + connection.recv(65536)
