"""Galleries that are taken away and brought back, on record: who, what for, to whom; the erased stay erased."""

from __future__ import annotations

from pathlib import Path

from reid.actor import Role
from reid.audit import AuditLog
from reid.audit.writing import Pen
from reid.gallery.backup import Contents, Restored, export_gallery, restore_gallery, take_back
from reid.rights.erasures import erase_again, erasures_of
from reid.weights.files import sha256_of


def export_recorded(log: AuditLog, url: str, target: Path, *, purpose: str = "", recipient: str = "") -> Contents:
    """A gallery as one file, as `export_gallery`.

    Args:
        recipient: who is to have it.

    Raises:
        NotAllowedError: only an admin takes everything away.
        GalleryError: as `export_gallery`.
    """
    with Pen(log, url).use("export", role=Role.ADMIN, purpose=purpose, recipient=recipient) as use:
        done = export_gallery(url, target)
        use.details.update(people=done.people, photographs=done.photographs, sha256=done.sha256)
    return done


def restore_recorded(
    log: AuditLog, file: Path, url: str, *, replace: bool = False, space_id: str | None = None
) -> Restored:
    """A gallery out of a file, as `restore_gallery`, without anybody who was erased here since.

    Raises:
        NotAllowedError: only an admin replaces everything.
        EmbeddingSpaceError: as `restore_gallery`.
        GalleryError: as `restore_gallery`.
    """
    with Pen(log, url).change("restore", Role.ADMIN, inputs=[_digest(file)], replace=replace) as more:
        erased = erasures_of(log)
        done = restore_gallery(
            file, url, replace=replace, space_id=space_id, forget=lambda database: erase_again(database, erased)
        )
        more |= {"people": done.contents.people, "photographs": done.contents.photographs, "forgotten": done.forgotten}
    return done


def take_back_recorded(log: AuditLog, url: str, kept: Path) -> None:
    """What was kept beside a gallery takes its place again, as `take_back`, without anybody who was erased since."""
    with Pen(log, url).change("restore", Role.ADMIN, kept=True) as more:
        erased = erasures_of(log)

        def forget(database: Path) -> int:
            more["forgotten"] = erase_again(database, erased)
            return int(more["forgotten"])

        take_back(url, kept, forget=forget)


def _digest(file: Path) -> str:
    if not file.is_file():
        return ""  # whoever opens it says so in words
    return sha256_of(file)
