"""The audit log: an append-only, hash-chained SQLite file beside the galleries. Knows no gallery and no page.

SQLite's triggers refuse to change or delete a row, to whoever opens the file in good faith; the chain shows it where
somebody removed them. What a chain cannot show is said in `reid.audit.verifying`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

from reid.actor import acting
from reid.audit.rows import COLUMNS, FIRST, Entry, canonical, digest, utc_now
from reid.errors import AuditError, SettingsError
from reid.transactions import atomic, open_to_read

log = logging.getLogger(__name__)

NAME = "audit.db"
APPLICATION_ID = 0x42594155  # "BYAU": no gallery, and no other database
_BUSY_S = 10.0
_OPAQUE = re.compile(r"[0-9a-f-]{32,64}")

Asking = Literal["off", "optional", "required"]
"""Whether a search says what it is for."""

TRIGGERS = {
    "rows_stay": "BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "rows_last": "BEFORE DELETE ON rows BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    # also against INSERT OR REPLACE, which deletes without a trigger
    "rows_follow": "BEFORE INSERT ON rows WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM rows) "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
}
_TABLE = """
    CREATE TABLE rows (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        started_at TEXT NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, action TEXT NOT NULL,
        phase TEXT NOT NULL, gallery TEXT NOT NULL, revision INTEGER NOT NULL, space TEXT NOT NULL,
        subjects TEXT NOT NULL, details TEXT NOT NULL, purpose TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
    ) STRICT"""
_INSERT = f"INSERT INTO rows ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class AuditLog:
    """Several threads, and several processes, may append at once. The file is made by the first row."""

    def __init__(self, path: Path, *, asking: str = "off") -> None:
        """
        Args:
            path: of the file.
            asking: whether a search must say what it is for.

        Raises:
            SettingsError: `asking` is none of the three words.
        """
        if asking not in ("off", "optional", "required"):
            raise SettingsError(f"BYTEFACE_PURPOSE is {asking!r}. Set it to off, optional or required.")
        self.path = path
        self.asking: Asking = cast(Asking, asking)
        self._db: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._secret = ""
        self._file: tuple[int, int] | None = None

    def append(self, *entries: Entry, durable: bool = False) -> int:
        """Writes rows, all or none, in the name of whoever is acting.

        Args:
            durable: whether they must outlive a power cut of this moment, as what tells of a change must. The others
                outlive a crash of the program, and are on the disk within seconds.

        Returns:
            number of the last one.

        Raises:
            AuditError: the log cannot be written, and nothing was.
        """
        actor, now = acting(), utc_now()
        with self._lock, self._writing() as db:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with atomic(db):
                seq, previous = db.execute("SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone()
                for entry in entries:
                    seq += 1
                    row = [
                        seq, entry.started_at or now, now, actor.name, actor.role.name.lower(), entry.action,
                        entry.phase, entry.gallery, entry.revision, entry.space,
                        canonical(list(dict.fromkeys(entry.subjects))), canonical(_details(entry)),
                        _text(entry.purpose or actor.purpose), previous,
                    ]  # fmt: skip
                    previous = digest([*row, ""])
                    db.execute(_INSERT, [*row, previous])
        return int(seq)

    def opaque(self, identity_id: str) -> str:
        """An id as it may stand in the log: one that is a name, as in a .npy gallery, becomes a salted digest."""
        if _OPAQUE.fullmatch(identity_id):
            return identity_id
        with self._lock, self._writing():
            salted = f"{self._secret}{identity_id}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(salted).hexdigest()[:32]

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that writes nothing. Raises: AuditError where there is no log, or it is damaged."""
        if not self.path.is_file():
            raise AuditError(f"There is no audit log at {self.path} yet. The first search or change makes it.")
        with _explained(self.path):
            db = open_to_read(self.path, busy_s=_BUSY_S)
            try:
                _check_is_ours(db, self.path)
                yield db
            finally:
                db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with _explained(self.path):
            if self._db is not None and _file_id(self.path) != self._file:
                log.warning("the audit log was taken away or replaced while it was in use; what follows goes on there")
                self._db.close()
                self._db = None
            if self._db is None:
                self._db = _opened(self.path)
                self._file = _file_id(self.path)
                (details,) = self._db.execute("SELECT details FROM rows WHERE seq = 1").fetchone()
                self._secret = str(details)
            yield self._db

    def close(self) -> None:
        """Lets go of the file; another row opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None


def log_path(gallery_url: str, chosen: str = "", home: Path | None = None) -> Path:
    """Where the log of a gallery lies: where somebody said, otherwise beside it.

    Args:
        home: the folder of the log of galleries that are no files.
    """
    if chosen:
        return Path(chosen).expanduser()
    if re.match(r"(?!sqlite:|npy:)[a-z][a-z0-9+]+:", gallery_url):
        return (home or Path()).resolve() / NAME
    gallery_url = gallery_url.removeprefix("npy:")
    return Path(gallery_url.removeprefix("sqlite:")).expanduser().resolve().parent / NAME


def _opened(path: Path) -> sqlite3.Connection:
    """Made with its first row where it is new; two processes may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            _make(db)
        _check_is_ours(db, path)
        db.execute("COMMIT")
        with contextlib.suppress(sqlite3.OperationalError):  # another process is in it: the next one switches
            db.execute("PRAGMA journal_mode = WAL").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _file_id(path: Path) -> tuple[int, int] | None:
    """Which file that is, whatever it is called; None where there is none: rows for one without a name are lost."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(_TABLE)
    now = utc_now()
    row = [1, now, now, "byteface", "admin", "log", "done", "", -1, "", "[]",
           canonical({"log": secrets.token_hex(16)}), "", FIRST]  # fmt: skip
    db.execute(_INSERT, [*row, digest([*row, ""])])
    for name, body in TRIGGERS.items():
        db.execute(f"CREATE TRIGGER {name} {body}")


def _check_is_ours(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise AuditError(f"{path} is no audit log. Name another file with BYTEFACE_AUDIT; this one was not touched.")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise AuditError(
            f"The audit log {path} cannot be used ({error}), and nothing is done that it does not record. Make room "
            "or check its permissions, or name another file with BYTEFACE_AUDIT."
        ) from error


def _details(entry: Entry) -> dict[str, Any]:
    """As they are stored: who is to have something is what somebody typed, as a purpose is."""
    details = dict(entry.details)
    if "recipient" in details:
        details["recipient"] = _text(str(details["recipient"]))
    return details


def _text(words: str, longest: int = 500) -> str:
    """Free text as it is stored: one line."""
    return " ".join(words.split())[:longest]
