"""One file over HTTP: progress, resumption after a cut, digest, then in place at once.

Knows no package index and no format.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import BinaryIO, NoReturn

import requests
from tqdm import tqdm

from reid.errors import WeightsError
from reid.weights.files import replacing, require_space, storage_errors

TIMEOUT_S = (15.0, 60.0)  # to connect, and between two pieces of the answer
ATTEMPTS = 5  # in a row without a single new byte
PIECE = 1 << 16  # bytes; what a cut connection loses at most
PAUSE_S = 1.0  # before the second attempt; doubles
OFFLINE_ADVICE = (
    "Check the connection and run it again, or bring the weights from another machine: `byteface weights export FILE` "
    "there, `byteface weights import FILE` here."
)


def fetch(
    session: requests.Session,
    url: str,
    target: Path,
    *,
    what: str,
    progress: bool,
    sha256: str | None = None,
    size: int | None = None,
) -> str:
    """Downloads `url` to `target`; a cut connection is taken up where it broke.

    Args:
        what: how messages and the progress bar call it.
        sha256: what the file must have; None when nobody knows.
        size: bytes, checked before anything is downloaded to see whether they fit.

    Returns:
        The SHA-256 of the file.

    Raises:
        WeightsError: unreachable, refused, cut too often, another file than expected, or no room. `target` is then as
            it was before.
    """
    with storage_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        if size is not None:
            require_space(target.parent, size)
        with (
            replacing(target) as file,
            tqdm(total=size, desc=what, unit="B", unit_scale=True, disable=not progress) as bar,
        ):
            arriving = _Arriving(file, bar)
            _receive_all(session, url, arriving, what)
            found = arriving.digest.hexdigest()
            if sha256 is not None and found != sha256:
                raise WeightsError(
                    f"{what} arrived with SHA-256 {found[:12]}… instead of {sha256[:12]}…, so it was thrown away. "
                    "Run it again; if that does not help, the server or a proxy on the way serves another file."
                )
    return found


class _Arriving:
    """A file while it comes in: what is written is counted, shown and hashed."""

    def __init__(self, file: BinaryIO, bar: tqdm[NoReturn]) -> None:
        self.file, self.bar = file, bar
        self.restart()

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.bar.reset()
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, block: bytes) -> None:
        self.file.write(block)
        self.digest.update(block)
        self.bar.update(len(block))
        self.size += len(block)


def _receive_all(session: requests.Session, url: str, arriving: _Arriving, what: str) -> None:
    """Writes the whole answer, over as many connections as it takes."""
    failures = 0
    while True:
        before = arriving.size
        try:
            if _receive(session, url, arriving):
                return
            error: Exception = ConnectionResetError("closed early")
        except requests.HTTPError as refused:
            status = 0 if refused.response is None else refused.response.status_code
            if 400 <= status < 500 and status not in {408, 429}:
                raise WeightsError(f"{what} is not there: the server answered {status}. {OFFLINE_ADVICE}") from refused
            error = refused
        except requests.RequestException as broken:
            error = broken
        failures = 1 if arriving.size > before else failures + 1
        if failures >= ATTEMPTS:
            raise WeightsError(f"{what} could not be downloaded ({type(error).__name__}). {OFFLINE_ADVICE}") from error
        time.sleep(PAUSE_S * 2 ** (failures - 1))


def _receive(session: requests.Session, url: str, arriving: _Arriving) -> bool:
    """One connection's worth; whether the file is complete now. Starts anew where the server cannot resume."""
    headers = {"Accept-Encoding": "identity"}
    if arriving.size:
        headers["Range"] = f"bytes={arriving.size}-"
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if answer.status_code == 416 and arriving.size:  # a file that has nothing after what is here
            return True
        answer.raise_for_status()
        if arriving.size and answer.status_code != 206:
            arriving.restart()
        length = answer.headers.get("Content-Length", "")
        end = arriving.size + int(length) if length.isdigit() else None
        if arriving.bar.total is None and end is not None:
            arriving.bar.total = end
        for block in answer.iter_content(PIECE):
            arriving.write(block)
    return end is None or arriving.size >= end
