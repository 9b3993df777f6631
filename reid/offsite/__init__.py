"""Galleries on a disk that is not kept: saved to a private data set of the Hub, brought back at the next start.

With them go the audit log, which knows who was erased: they are erased again from whatever comes back; and accounts
with their keys. The data set has no history, and files of earlier saves are deleted there, so that nobody erased lives
on in it. Knows no page.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reid.errors import GalleryError, ReidError
from reid.gallery import is_there
from reid.offsite.dataset import Dataset
from reid.offsite.disk import GALLERY, BroughtBack, Disk, State
from reid.settings import Settings

log = logging.getLogger(__name__)

_LOOK_S = 20.0
"""How often it is looked whether somebody was erased or may do otherwise than before: that is saved at once."""


class Offsite:
    """Saves the galleries of a folder as long as the server runs."""

    def __init__(self, settings: Settings) -> None:
        """
        Args:
            settings: which galleries, where to, and how often.

        Raises:
            GalleryError: the gallery is no file.
        """
        self._disk = Disk(settings)
        self._data_set = Dataset(settings.backup_repo, GALLERY)
        self._every_s = 60.0 * settings.backup_minutes
        self._saved: State | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="offsite", daemon=True)

    def restore(self) -> BroughtBack | None:
        """What was saved last; None where a gallery is here already, or nothing was saved yet.

        Raises:
            HubError: the Hub cannot be asked: rather not start than start empty and save that.
            GalleryError: what was saved is damaged, or belongs to another audit log than is here.
            AccountError: the accounts that were saved are damaged.
        """
        if is_there(self._disk.url):
            self._data_set.look()
            return None
        with tempfile.TemporaryDirectory(prefix="byteface-offsite-") as name:
            found = self._data_set.download(Path(name))
            if GALLERY not in found:
                return None
            back = self._disk.bring_back(found)
        self._saved = None if back.forgotten else self._disk.state()
        return back

    def save(self) -> bool:
        """Saves what is here, where anything is new. Returns whether it was.

        Raises:
            HubError: the Hub refuses, does not answer, or somebody else has saved there meanwhile.
            GalleryError: there is no room for the copy.
        """
        now = self._disk.state()
        if now is None or now == self._saved:
            return False
        with tempfile.TemporaryDirectory(prefix="byteface-offsite-") as name:
            self._data_set.save(self._disk.copy_to(Path(name)))
        self._saved = now
        return True

    def start(self) -> None:
        """Saves from now on, in a thread of its own."""
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic() + self._every_s
        while not self._stop.wait(min(_LOOK_S, self._every_s)):
            if time.monotonic() >= due or self.is_urgent():
                self._try()
                due = time.monotonic() + self._every_s

    def is_urgent(self) -> bool:
        """Whether what is here must not wait for the next save."""
        with suppress(sqlite3.Error, ReidError):  # busy: looked at again in a moment
            now = self._disk.state()
            return now is not None and now.waits_for_nothing(self._saved)
        return False

    def _try(self) -> None:
        try:
            if self.save():
                log.info("the gallery was saved to the Hub")
        except (ReidError, sqlite3.Error) as error:
            log.error("the gallery is not saved: %s", error)

    def close(self) -> None:
        """Saves once more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self._try()


@contextmanager
def kept_elsewhere(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Brings everything back before the block, saves it while the block goes on and once more after it.

    Does nothing where the settings name no data set.

    Raises:
        HubError: the Hub cannot be asked what was saved.
        GalleryError: the gallery is no .db file, or what was saved is damaged.
    """
    if not settings.backup_repo:
        yield
        return
    if settings.gallery.endswith(".npy"):
        raise GalleryError("BYTEFACE_BACKUP_REPO saves .db galleries only. Unset it, or use a .db file.")
    offsite = Offsite(settings)
    if back := offsite.restore():
        contents = back.gallery.contents
        say(
            f"Brought back from {settings.backup_repo}, as saved at {contents.made_at}: {contents.people} people, "
            f"{back.beside} galleries beside theirs, {back.accounts} accounts."
        )
    offsite.start()
    try:
        yield
    finally:
        offsite.close()
