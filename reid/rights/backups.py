"""Copies of galleries that were made in their folder, and when each goes. An erasure does not reach into them.

Knows files by what they say they are, not by their names alone: nothing else is ever removed.
"""

from __future__ import annotations

import logging
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reid.gallery.backup import FORMAT, SUFFIX
from reid.gallery.shelf import is_gallery

log = logging.getLogger(__name__)

_PATTERNS = ("*.before-*.db", "*.before-*.bak", f"*{SUFFIX}")


@dataclass(frozen=True, slots=True)
class Copy:
    """One older copy of a gallery.

    Attributes:
        goes_at: when it is removed; None where copies are kept until somebody removes them.
    """

    path: Path
    made_at: datetime
    goes_at: datetime | None

    def __str__(self) -> str:
        when = f"goes on {self.goes_at:%Y-%m-%d}" if self.goes_at else "is kept until you delete it"
        return f"{self.path.name} {when}"


def copies_in(folder: Path, keep_days: int) -> list[Copy]:
    """Copies beside galleries, the oldest first.

    Args:
        folder: of the galleries.
        keep_days: from when it was made; 0 keeps it.
    """
    files = {file for pattern in _PATTERNS for file in folder.glob(pattern) if file.is_file() and _is_copy(file)}
    found = []
    for file in files:
        made = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        found.append(Copy(file, made, made + timedelta(days=keep_days) if keep_days > 0 else None))
    return sorted(found, key=lambda copy: (copy.made_at, copy.path.name))


def purge_copies(folder: Path, keep_days: int, now: datetime | None = None) -> int:
    """Removes those whose time is over. Returns how many."""
    now = now or datetime.now(UTC)
    over = [copy for copy in copies_in(folder, keep_days) if copy.goes_at is not None and copy.goes_at <= now]
    for copy in over:
        copy.path.unlink(missing_ok=True)
    if over:
        log.info("removed %d copies of galleries whose time was over", len(over))
    return len(over)


def _is_copy(file: Path) -> bool:
    if file.suffix != SUFFIX:
        return is_gallery(file)
    try:
        with zipfile.ZipFile(file) as archive:
            return FORMAT.encode() in archive.read("manifest.json")[:4096]
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError):
        return False
