"""Everything that is held about one person as one zip: GDPR article 15 in a file. Others' data is left out.

Photographs are not in it: only the crops of the person's own face are held.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from reid import threshold as thresholds
from reid.audit.log import AuditLog
from reid.audit.reading import Filters, rows_of
from reid.audit.recording import RecordingGallery
from reid.audit.rows import Row
from reid.gallery.copies import writing
from reid.tables import plain
from reid.types import Identity, KeptFace, Photo
from reid.unknowns import sightings_of

_README = """What ByteFace holds about you
============================

Made on {made_at} from the gallery "{gallery}".

person.json      your name, the ground on which you are enrolled, until when, notes and other fields; of each
                 photograph when it was added, what it was called and how good it is; faces of which somebody said
                 that they are not you, with the numbers that were computed from them
crops/           the pictures of your face that are kept, {photos} of them. The photographs they are cut from are not
embeddings.csv   the numbers that were computed from each crop, and that searches compare (embedding space {space})
strangers/       faces that nobody has named and that look like you, if any: {strangers}
log.csv          what was done: when you were enrolled, changed, looked at, found or shown, by whom and what for.
                 Of searches it says how alike you were to the face that was searched, from which similarity on somebody
                 was named, and whether it was you; of comparisons what was decided. Other people are left out

These are biometric data: keep the file where you would keep a passport.
"""


@dataclass(frozen=True, slots=True)
class Dossier:
    """What went into a file."""

    identity: Identity
    photographs: int
    strangers: int
    log_rows: int


def write_dossier(
    gallery: RecordingGallery, identity_id: str, target: Path, *, purpose: str = "", recipient: str = ""
) -> Dossier:
    """Writes everything held about somebody; that it was done is on record.

    Args:
        target: is there whole or not at all.
        recipient: who is to have it.

    Raises:
        IdentityNotFoundError: they are not enrolled.
        GalleryError: the file cannot be written.
    """
    identity = gallery.identity(identity_id)
    part = target.with_name(f".{target.name}.part")
    with gallery.pen.use(
        "disclose", subjects=[identity_id], purpose=purpose, recipient=recipient, kind="dossier"
    ) as use:
        try:
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                part.touch(mode=0o600)
                with part.open("wb") as file:
                    done = _fill(file, gallery, identity)
                part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        use.details.update(photographs=done.photographs, strangers=done.strangers)
    return done


def _fill(file: IO[bytes], gallery: RecordingGallery, identity: Identity) -> Dossier:
    photos, strangers = gallery.photos(identity.id), _strangers(gallery, identity.id)
    log = list(_log_lines(gallery.pen.log, identity.id))
    readme = _README.format(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"), gallery=gallery.pen.name, photos=len(photos),
        space=gallery.space_id, strangers=len(strangers),
    )  # fmt: skip
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", readme)
        person = _person(gallery, identity, photos)
        archive.writestr("person.json", json.dumps(person, ensure_ascii=False, indent=1))
        archive.writestr("embeddings.csv", _embeddings(photos))
        archive.writestr("log.csv", _table(_LOG_COLUMNS, log))
        for photo in photos:
            archive.writestr(f"crops/{photo.id}.jpg", photo.crop_jpeg)
        for face, similarity in strangers:
            archive.writestr(f"strangers/{face.seen_at[:10]}-{similarity:.2f}-{face.id}.jpg", face.crop_jpeg)
    return Dossier(identity, len(photos), len(strangers), len(log))


def _person(gallery: RecordingGallery, identity: Identity, photos: list[Photo]) -> dict[str, Any]:
    return {
        "id": identity.id,
        "name": identity.name,
        "enrolled_at": identity.created_at,
        "record": dict(identity.metadata),
        "photographs": [
            {
                "id": photo.id, "source": photo.source, "sha256": photo.sha256, "added_at": photo.added_at,
                "quality": photo.quality, "crop": f"crops/{photo.id}.jpg",
                "landmarks_px": photo.landmarks_px.round(2).tolist(),
            }
            for photo in photos
        ],
        "said_not_to_be_this_person": [
            {"source": one.source, "added_at": one.added_at, "embedding": one.embedding.tolist()}
            for one in gallery.rejections([identity.id])
        ],
        "said_to_be_another_person_than": sum(identity.id in pair for pair in gallery.apart()),
    }  # fmt: skip


def _embeddings(photos: list[Photo]) -> str:
    lines = [[photo.id, *map(float, photo.embedding)] for photo in photos]
    return _table(["photo", *(str(number) for number in range(len(lines[0]) - 1 if lines else 0))], lines)


def _strangers(gallery: RecordingGallery, identity_id: str) -> list[tuple[KeptFace, float]]:
    """Kept faces that a search would take for this person."""
    own = gallery.get_meta("calibration")
    threshold = thresholds.from_json(own) if own else thresholds.measured_default(gallery.space_id)
    found = sightings_of(gallery, identity_id, threshold.value)
    return list(found.faces) if found else []


_LOG_COLUMNS = (
    "row", "from", "to", "who", "role", "what", "phase", "gallery", "what_for", "recipient",
    "similarity", "threshold", "outcome",
)  # fmt: skip


def _log_lines(log: AuditLog, identity_id: str) -> Iterator[list[Any]]:
    """Rows about somebody, the oldest first, without the other people who are in them."""
    own = log.opaque(identity_id)
    for row in reversed(rows_of(log, Filters(person=own))):
        facts = row.facts
        yield [
            row.seq, row.started_at, row.at, plain(row.actor), row.role, row.action, row.phase, plain(row.gallery),
            plain(row.purpose), plain(str(facts.get("recipient", ""))), _similarity(row, own),
            facts.get("threshold", ""), _outcome(row, own),
        ]  # fmt: skip


def _similarity(row: Row, own: str) -> float | str:
    """The highest that a face of a search had to this person; empty where none is written."""
    facts = row.facts
    if "similarity" in facts:
        return float(facts["similarity"]) if facts["similarity"] is not None else ""
    faces = facts.get("found", [])
    values = [
        pair[1] for face in faces if isinstance(face, dict) for pair in face.get("candidates", []) if pair[0] == own
    ]
    return max(values, default="")


def _outcome(row: Row, own: str) -> str:
    """What came of it for this person; empty where nothing was decided."""
    facts = row.facts
    said = str(facts.get("verdict") or facts.get("decision") or "")
    if said:
        return f"{said}, taken back" if facts.get("taken_back") else said
    given = [face["given"][0] for face in facts.get("found", []) if isinstance(face, dict) and face.get("given")]
    if own in given or (row.action == "live" and own in row.subject_ids):
        return "named"
    return "shown, not named" if (row.action, row.phase) == ("search", "done") else ""


def _table(columns: Any, lines: list[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()
