"""A gallery on a disk that is not kept: saved to a private data set of the Hub, brought back at the next start.

With it goes the audit log, which knows who was erased: they are erased again from whatever comes back. The data set has
no history, and files of earlier saves are deleted there, so that nobody erased lives on in it. Knows no page.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from reid import hub
from reid.audit import AuditLog, log_path
from reid.errors import GalleryError, HubError, ReidError
from reid.gallery import is_there
from reid.gallery.backup import Restored, export_gallery, file_of
from reid.gallery.copies import snapshot
from reid.rights.transfers import restore_recorded
from reid.settings import Settings

log = logging.getLogger(__name__)

GALLERY, AUDIT = "gallery.byteface", "audit.db"
_LOOK_S = 20.0
"""How often it is looked whether somebody was erased: that is saved at once."""

_ERASING = "('erase', 'expire', 'erase_photos', 'erase_strangers')"


class Offsite:
    """Saves one gallery as long as the server runs."""

    def __init__(self, settings: Settings) -> None:
        """
        Args:
            settings: which gallery, where to, and how often.

        Raises:
            GalleryError: the gallery is no file.
        """
        self._repo, self._url = settings.backup_repo, settings.gallery
        self._every_s = 60.0 * settings.backup_minutes
        self._gallery = file_of(settings.gallery)
        self._audit = log_path(settings.gallery, settings.audit, settings.data_dir)
        self._head: str | None = None  # the commit that we know of: a save over another one is refused
        self._saved: tuple[int, ...] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="offsite", daemon=True)

    def restore(self) -> Restored | None:
        """The gallery of the last save; None where one is here already, or nothing was saved yet.

        Raises:
            HubError: the Hub cannot be asked: rather not start than start empty and save that.
            GalleryError: what was saved is damaged.
        """
        if is_there(self._url):
            self._head = self._known_head()
            return None
        with tempfile.TemporaryDirectory(prefix="byteface-offsite-") as name:
            found = self._download(Path(name))
            if found is None:
                return None
            gallery, audit = found
            if audit and not self._audit.exists():
                self._audit.parent.mkdir(parents=True, exist_ok=True)
                self._audit.touch(mode=0o600)
                shutil.copyfile(audit, self._audit)
            with closing(AuditLog(self._audit)) as audit_log:
                back = restore_recorded(audit_log, gallery, self._url)
        self._saved = () if back.forgotten else self._signature()
        return back

    def _download(self, folder: Path) -> tuple[Path, Path | None] | None:
        from huggingface_hub import hf_hub_download

        self._head = self._known_head()
        if self._head is None:
            return None
        with hub.asked(self._repo) as api:
            there = {file.path for file in api.list_repo_tree(self._repo, repo_type="dataset", revision=self._head)}
            if GALLERY not in there:
                return None
            paths = [
                Path(hf_hub_download(self._repo, one, repo_type="dataset", revision=self._head, local_dir=folder))
                for one in (GALLERY, AUDIT) if one in there
            ]  # fmt: skip
        return paths[0], paths[1] if len(paths) > 1 else None

    def _known_head(self) -> str | None:
        """Commit of the data set as it is; None where there is none yet. Raises: HubError."""
        try:
            with hub.asked(self._repo) as api:
                return str(api.repo_info(self._repo, repo_type="dataset").sha)
        except HubError as error:
            if error.status == 404:
                return None
            raise

    def save(self) -> bool:
        """Saves what is here, where anything is new. Returns whether it was.

        Raises:
            HubError: the Hub refuses, does not answer, or somebody else has saved there meanwhile.
            GalleryError: there is no room for the copy.
        """
        now = self._signature()
        if not now or now == self._saved:
            return False
        with tempfile.TemporaryDirectory(prefix="byteface-offsite-") as name:
            files = {GALLERY: Path(name) / GALLERY, AUDIT: Path(name) / AUDIT}
            export_gallery(self._url, files[GALLERY])
            if self._audit.exists():
                snapshot(self._audit, files[AUDIT])
            with hub.asked(self._repo) as api:
                self._commit(api, {one: path for one, path in files.items() if path.exists()})
        self._saved = now
        return True

    def _commit(self, api: Any, files: dict[str, Path]) -> None:
        from huggingface_hub import CommitOperationAdd

        if self._head is None:
            self._head = self._begin(api)
        added = [CommitOperationAdd(path_in_repo=one, path_or_fileobj=str(path)) for one, path in files.items()]
        api.create_commit(
            self._repo, added, commit_message="Save", repo_type="dataset", parent_commit=self._head
        )  # fmt: skip
        api.super_squash_history(self._repo, repo_type="dataset", commit_message="Save")
        self._head = str(api.repo_info(self._repo, repo_type="dataset").sha)
        ours = {one.upload_info.sha256.hex() for one in added}
        old = [one for one in api.list_lfs_files(self._repo, repo_type="dataset") if one.oid not in ours]
        api.permanently_delete_lfs_files(self._repo, old, repo_type="dataset")

    def _begin(self, api: Any) -> str:
        """Makes the data set, or takes one in which nothing was saved. Returns its commit."""
        api.create_repo(self._repo, repo_type="dataset", private=True, exist_ok=True)
        head = str(api.repo_info(self._repo, repo_type="dataset").sha)
        if GALLERY in {file.path for file in api.list_repo_tree(self._repo, repo_type="dataset", revision=head)}:
            raise HubError(f"Another gallery was saved to {self._repo} since the start. Start again, or name another.")
        return head

    def _signature(self) -> tuple[int, ...]:
        """Grows with changes of the gallery, rows of the log and erasures; empty where there is no gallery."""
        if not self._gallery.is_file():
            return ()
        with closing(sqlite3.connect(f"{self._gallery.as_uri()}?mode=ro", uri=True)) as db:
            (revision,) = db.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
        rows = erased = 0
        if self._audit.exists():
            with closing(sqlite3.connect(f"{self._audit.as_uri()}?mode=ro", uri=True)) as db:
                query = f"SELECT count(*), coalesce(sum(action IN {_ERASING} AND phase = 'done'), 0) FROM rows"
                rows, erased = db.execute(query).fetchone()
        return int(revision), int(rows), int(erased)

    def start(self) -> None:
        """Saves from now on, in a thread of its own."""
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic() + self._every_s
        while not self._stop.wait(min(_LOOK_S, self._every_s)):
            with suppress(sqlite3.Error):  # busy: looked at again in a moment
                erased = self._signature()[2:] != self._saved[2:] if self._saved else True
                if erased or time.monotonic() >= due:
                    self._try()
                    due = time.monotonic() + self._every_s

    def _try(self) -> None:
        try:
            if self.save():
                log.info("the gallery was saved to the Hub")
        except ReidError as error:
            log.error("the gallery is not saved: %s", error)

    def close(self) -> None:
        """Saves once more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self._try()


@contextmanager
def kept_elsewhere(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Brings the gallery back before the block, saves it while the block goes on and once more after it.

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
        people, when = back.contents.people, back.contents.made_at
        say(f"Brought back {people} people from {settings.backup_repo}, as saved at {when}.")
    offsite.start()
    try:
        yield
    finally:
        offsite.close()
