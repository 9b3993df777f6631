"""Who was erased stays erased: their ids, from the audit log, are taken out of a backup before it is restored.

The ids are opaque, and the log is the one thing that no restoring puts back to an earlier day. Knows no page.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from reid.audit import AuditLog
from reid.errors import AuditError
from reid.gallery import Gallery, open_gallery
from reid.gallery.same_faces import forget_same_faces

_ERASING = ("erase", "expire", "erase_strangers", "erase_photos")
"""Erasing for good. Photographs that were taken out one by one are a correction, which a backup takes back, unless
their person went with the last of them.
"""


@dataclass(slots=True)
class Erasures:
    """Ids that must not come back.

    Attributes:
        people: of identities that were erased, or whose time was over.
        photos: of the photographs that went with them, whoever had them before.
        strangers: of kept faces that were erased.
    """

    people: set[str] = field(default_factory=set)
    photos: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.people or self.photos or self.strangers)


def erasures_of(log: AuditLog) -> Erasures:
    """Everything that was erased and not enrolled again since.

    An erasure that was begun and never ended, because of a crash, counts: it was asked for.

    Raises:
        AuditError: there is a log, and it cannot be read.
    """
    found = Erasures()
    if not log.path.is_file():
        return found
    with log.reading() as db:
        marks = ", ".join("?" * len(_ERASING))
        failed = {
            json.loads(row[0]).get("of")
            for row in db.execute(f"SELECT details FROM rows WHERE phase = 'failed' AND action IN ({marks})", _ERASING)
        }
        rows = db.execute(
            f"SELECT seq, action, subjects, details FROM rows WHERE (action IN ({marks}) AND phase = 'begun') "
            "OR (action IN ('enrol', 'keep') AND phase = 'done') ORDER BY seq",
            _ERASING,
        )
        for seq, action, subjects, details in rows:
            if seq not in failed:
                _follow(found, action, json.loads(subjects), json.loads(details))
    return found


def _follow(found: Erasures, action: str, people: list[str], details: dict[str, list[str]]) -> None:
    photos, faces = details.get("photos", []), details.get("faces", [])
    match action:
        case "enrol":  # again, and so on a ground of its own
            found.people.difference_update(people)
            found.photos.difference_update(photos)
        case "keep":
            found.strangers.difference_update(faces)
        case "erase_strangers":
            found.strangers.update(faces)
        case "erase_photos":
            found.people.update(details.get("gone", []))
            found.photos.update(details.get("last", []))
        case _:
            found.people.update(people)
            found.photos.update(photos)


def erase_again(database: Path, erased: Erasures) -> int:
    """Takes out of a gallery's file, which nobody else uses, what was erased after it was copied.

    Returns:
        how many photographs and kept faces went.

    Raises:
        AuditError: somebody is still in it.
    """
    if not erased:
        return 0
    with closing(open_gallery(str(database), space_id=None, dim=None, create=False)) as gallery:
        return erase_from(gallery, erased)


def erase_from(gallery: Gallery, erased: Erasures) -> int:
    """The same in an open gallery. Raises: AuditError."""
    gone = 0
    for identity in gallery.identities() if erased else []:
        if identity.id in erased.people:
            forget_same_faces(gallery, gallery.photos(identity.id))
            gone += gallery.remove(identity.id).photos
            continue
        ids, _ = gallery.embeddings([identity.id]).get(identity.id, ([], None))
        if held := [one for one in ids if one in erased.photos]:
            gone += gallery.remove_photos(held).photos
    if erased.strangers:
        gone += gallery.unknowns.remove(sorted(erased.strangers))
    left = {identity.id for identity in gallery.identities()} & erased.people if erased else set()
    if left:
        raise AuditError(f"{len(left)} erased people are still in the backup. Do not restore it; report this.")
    return gone
