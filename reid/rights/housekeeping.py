"""What has to happen every day, whether somebody looks or not: whoever's time is over is erased, old copies go.

Every gallery of the folder, also of another embedding space and ones that nobody has opened. Knows no page.
"""

from __future__ import annotations

import logging
import threading
from contextlib import closing, suppress
from pathlib import Path

from reid.actor import SYSTEM, act_as, working_as
from reid.audit.recording import recorded
from reid.audit.verifying import head_of
from reid.audit.writing import Pen
from reid.errors import AuditError, ReidError
from reid.gallery import open_gallery
from reid.recognizer import Recognizer
from reid.rights.backups import copies_in, purge_copies
from reid.rights.expiry import purge

log = logging.getLogger(__name__)

_EVERY_S = 3600.0
"""Between two looks: the day of a person ends within the hour."""


class Housekeeping:
    """Looks at once when it starts, and then by the hour, in a thread of its own."""

    def __init__(self, recognizer: Recognizer) -> None:
        """
        Args:
            recognizer: whose galleries are meant.
        """
        self._recognizer = recognizer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Looks once before it returns."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> int:
        """Does what is due. Returns how many people were erased."""
        gone = 0
        with working_as(SYSTEM):
            for url in self._recognizer.shelf.urls():
                try:
                    gone += self._look_at(url)
                except ReidError as error:  # one gallery that cannot be opened does not keep the others waiting
                    log.warning("a gallery could not be looked through for people whose time is over: %s", error)
            folder = Path(self._recognizer.shelf.urls()[0].removeprefix("sqlite:")).expanduser().parent
            self._copies(folder)
            with suppress(AuditError):  # there is none before something was done
                log.info("the audit log ends at %s", head_of(self._recognizer.audit))
        return gone

    def _look_at(self, url: str) -> int:
        opened = open_gallery(url, space_id=None, dim=None, create=False)
        with closing(opened):
            return purge(recorded(opened, self._recognizer.audit, self._recognizer.forget))

    def _copies(self, folder: Path) -> None:
        if not any(copy.goes_at for copy in copies_in(folder, self._recognizer.backup_days)):
            return
        if gone := purge_copies(folder, self._recognizer.backup_days):
            pen = Pen(self._recognizer.audit, str(folder))
            pen.log.append(pen.entry("erase_copies", details={"files": gone, "days": self._recognizer.backup_days}))

    def _go_on(self) -> None:
        act_as(SYSTEM)
        while not self._stop.wait(_EVERY_S):
            try:
                self.look()
            except ReidError as error:
                log.warning("housekeeping waits for its next hour: %s", error)
