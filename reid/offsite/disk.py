"""What of this disk is kept elsewhere: galleries, the audit log, accounts. Copies out, and back. Knows no Hub."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reid.accounts import FILE
from reid.accounts.copies import copy_accounts, digest_of_accounts
from reid.audit import AuditLog, log_path
from reid.errors import GalleryError
from reid.gallery.backup import SUFFIX, Restored, export_gallery, file_of
from reid.gallery.copies import snapshot
from reid.gallery.shelf import files_beside
from reid.rights.transfers import restore_recorded
from reid.settings import Settings
from reid.transactions import open_to_read

log = logging.getLogger(__name__)

GALLERY, AUDIT, ACCOUNTS, BESIDE = f"gallery{SUFFIX}", "audit.db", "accounts.db", "galleries/"
"""How they are called elsewhere; galleries beside the first one by their names."""

_ERASING = "('erase', 'expire', 'erase_photos', 'erase_strangers')"


@dataclass(frozen=True, slots=True)
class State:
    """What changes with everything that is to be kept.

    Attributes:
        galleries: names and revisions.
        rows: of the audit log, where everything else that is done to a gallery is a row.
        erased: erasures among them.
        accounts: digest of who may do what.
    """

    galleries: tuple[tuple[str, int], ...]
    rows: int
    erased: int
    accounts: str

    def waits_for_nothing(self, saved: State | None) -> bool:
        """Whether it must be kept at once: somebody was erased, or may do more or less than before."""
        return saved is None or (self.erased, self.accounts) != (saved.erased, saved.accounts)


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What came back: the gallery, how many beside it, how many accounts, how much of the erased was taken out."""

    gallery: Restored
    beside: int
    accounts: int
    forgotten: int


class Disk:
    """The files of one data folder that a server writes."""

    def __init__(self, settings: Settings) -> None:
        """Raises: GalleryError where the gallery is no file."""
        self.url = settings.gallery
        self._gallery = file_of(settings.gallery)
        self._audit = log_path(settings.gallery, settings.audit, settings.data_dir)
        self._accounts = settings.data_dir / FILE

    def state(self) -> State | None:
        """None where there is no gallery. Raises: sqlite3.Error where one is busy; AccountError."""
        if not self._gallery.is_file():
            return None
        galleries = [(name, _revision(path)) for name, path in self._galleries().items()]
        rows = erased = 0
        if self._audit.exists():
            with closing(open_to_read(self._audit)) as db:
                query = f"SELECT count(*), coalesce(sum(action IN {_ERASING} AND phase = 'done'), 0) FROM rows"
                rows, erased = db.execute(query).fetchone()
        return State(tuple(galleries), int(rows), int(erased), digest_of_accounts(self._accounts))

    def _galleries(self) -> dict[str, Path]:
        beside = {f"{BESIDE}{path.stem}{SUFFIX}": path for path in files_beside(self._gallery)}
        return {GALLERY: self._gallery, **beside}

    def copy_to(self, folder: Path) -> dict[str, Path]:
        """Copies of everything, by what they are called elsewhere. Raises: GalleryError; AccountError."""
        copies = {name: folder / name for name in self._galleries()}
        for name, path in self._galleries().items():
            copies[name].parent.mkdir(parents=True, exist_ok=True)
            export_gallery(str(path), copies[name])
        if self._audit.exists():
            copies[AUDIT] = folder / AUDIT
            snapshot(self._audit, copies[AUDIT])
        if self._accounts.exists():
            copies[ACCOUNTS] = folder / ACCOUNTS
            copy_accounts(self._accounts, copies[ACCOUNTS])
        return copies

    def bring_back(self, found: Mapping[str, Path]) -> BroughtBack:
        """What `copy_to` made, without anybody who was erased since; what is here already stays.

        Raises:
            GalleryError: something is damaged, or another audit log is here than belongs to it.
            AccountError: the accounts are damaged.
        """
        if AUDIT in found:
            self._bring_audit(found[AUDIT])
        beside = {name: path for name, path in found.items() if name.startswith(BESIDE) and name.count("/") == 1}
        with closing(AuditLog(self._audit)) as audit_log:
            first = restore_recorded(audit_log, found[GALLERY], self.url)
            forgotten = first.forgotten
            for name, path in beside.items():
                target = self._gallery.with_name(f"{Path(name).stem}.db")
                if not target.exists():
                    forgotten += restore_recorded(audit_log, path, str(target)).forgotten
        accounts = 0
        if ACCOUNTS in found and not self._accounts.exists():
            accounts = copy_accounts(found[ACCOUNTS], self._accounts)
        return BroughtBack(first, len(beside), accounts, forgotten)

    def _bring_audit(self, saved: Path) -> None:
        if self._audit.exists():
            (first, rows), (saved_first, saved_rows) = _ends(self._audit), _ends(saved)
            if first != saved_first:
                raise GalleryError(
                    f"{self._audit} is another audit log than the one that was saved with the gallery. Move it away, "
                    f"and {self._accounts.name} with it if it is new; the saved ones come back at the next start."
                )
            if rows >= saved_rows:
                return
            for beside in ("", "-wal", "-shm"):  # of an earlier day
                self._audit.with_name(f"{self._audit.name}{beside}").unlink(missing_ok=True)
        self._audit.parent.mkdir(parents=True, exist_ok=True)
        self._audit.touch(mode=0o600)
        shutil.copyfile(saved, self._audit)


def _revision(path: Path) -> int:
    with closing(open_to_read(path)) as db:
        (revision,) = db.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
    return int(revision)


def _ends(path: Path) -> tuple[str, int]:
    """Digest of a log's first row, by which it is known, and the number of its last."""
    with closing(open_to_read(path)) as db:
        (first,) = db.execute("SELECT hash FROM rows WHERE seq = 1").fetchone()
        (rows,) = db.execute("SELECT max(seq) FROM rows").fetchone()
    return str(first), int(rows)
