"""The disk that uploads take: a private folder of this process, so much for each user, and never the last of it.

Knows files and users by name, no request.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from reid.errors import ReidError

log = logging.getLogger(__name__)

EACH = 8 << 30
"""Bytes that an account's or key's uploads may take before they are used; an import's zip has 1 GB at most."""
EACH_VISITOR = 512 << 20
RESERVE = 512 << 20
"""Bytes of the disk that are left: galleries and the audit log are written there too."""

_PREFIX = "byteface-work-"
_LOCK = "in-use"


class NoRoomError(ReidError):
    """One more byte of an upload is too much."""


class Room:
    """Who takes how much. Safe for several threads.

    Attributes:
        reserve: bytes of the disk that stay free.
    """

    def __init__(self, reserve: int = RESERVE) -> None:
        self.reserve = reserve
        self._lock = threading.Lock()
        self._coming: defaultdict[str, int] = defaultdict(int)
        self._files: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def take(self, user: str, size: int, limit: int | None) -> None:
        """So many more bytes are on their way.

        Args:
            limit: for all that the user has here; None for no other than the disk.

        Raises:
            NoRoomError: there is no room for them.
        """
        free = shutil.disk_usage(tempfile.gettempdir()).free
        with self._lock:
            held = self._coming[user] + sum(self._files[user].values())
            if free - size < self.reserve:
                raise NoRoomError("This machine's disk is nearly full. Ask whoever runs it to make room.")
            if limit is not None and held + size > limit:
                raise NoRoomError("You uploaded more than one user may at a time. Use what is there, then go on.")
            self._coming[user] += size

    def arrived(self, user: str, coming: int, files: list[str]) -> None:
        """An upload ended, with these files or with none."""
        with self._lock:
            self._coming[user] -= coming
            self._files[user].update({file: size for file in files if (size := _size(file))})

    def look(self, user: str) -> None:
        """Forgets what was used meanwhile, and with it is gone."""
        with self._lock:
            left = {file: size for file, size in self._files.pop(user, {}).items() if Path(file).exists()}
            if left:
                self._files[user] = left


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Where this process keeps everything temporary, readable by its own user alone; afterwards all of it is gone.

    Uploads, imports that are unpacked and downloads that are made lie there for a while. A process that is killed
    leaves its own behind: the next one removes every such folder that nobody holds any more.
    """
    before, of_gradio = tempfile.tempdir, os.environ.get("GRADIO_TEMP_DIR")
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        _remove_unheld(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder / f".{_LOCK}", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / f".{_LOCK}").rename(folder / _LOCK)  # only now it counts: nobody sees it unheld
    tempfile.tempdir = str(folder)
    if of_gradio is None:
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        if of_gradio is None:
            os.environ.pop("GRADIO_TEMP_DIR", None)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_unheld(folder: Path) -> None:
    try:
        found = folder.lstat()
        if found.st_uid != os.getuid() or folder.is_symlink():
            return
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:  # somebody else's, or one that is just being made
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        log.info("removed temporary files of a process that was killed")
    except BlockingIOError:
        pass  # its process lives
    finally:
        os.close(lock)
