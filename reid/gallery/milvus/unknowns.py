"""Strangers' faces that a Milvus gallery keeps for a while. Knows no probe, no group and no threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from reid.gallery.checks import require_faces
from reid.gallery.milvus.journal import Journal
from reid.gallery.milvus.link import Link, quoted
from reid.gallery.milvus.plan import Plan
from reid.gallery.milvus.rows import unknown_of, unknown_rows
from reid.gallery.milvus.schema import CROPS, RECORDS
from reid.gallery.unknowns import expiry, utc_now
from reid.types import KeptFace


class MilvusUnknowns:
    """As the protocol `Unknowns`, in the gallery's own collections."""

    def __init__(
        self, link: Link, journal: Journal, dim: int, *, writable: bool, clock: Callable[[], datetime] = utc_now
    ) -> None:
        """Joins what the gallery lends."""
        self._link = link
        self._journal = journal
        self._dim = dim
        self._writable = writable
        self.clock = clock

    def keep(self, faces: Sequence[KeptFace]) -> int:
        require_faces(faces, self._dim)
        self.purge()

        def build(plan: Plan) -> int:
            there = plan.get(RECORDS, [f"unknown/{face.id}" for face in faces])
            new = {face.id: face for face in reversed(faces) if f"unknown/{face.id}" not in there}
            for face in new.values():
                row, crop = unknown_rows(face)
                plan.put(RECORDS, row)
                plan.put(CROPS, crop)
            return len(new)

        return self._journal.change(build)

    def faces(self, *, ignored: bool = False) -> list[KeptFace]:
        self.purge()
        found = self._journal.read(lambda: self._found(self._valid(ignored)))
        return sorted(sorted(found, key=lambda face: face.id), key=lambda face: face.seen_at, reverse=True)

    def face(self, face_id: str) -> KeptFace | None:
        valid = f'(owner == "ignored" or at > {quoted(self._now())})'
        found = self._journal.read(lambda: self._found(f"id == {quoted(f'unknown/{face_id}')} and {valid}"))
        return found[0] if found else None

    def _found(self, condition: str) -> list[KeptFace]:
        rows = self._link.where(RECORDS, condition)
        crops = self._link.get(CROPS, [f"u/{row['id'].partition('/')[2]}" for row in rows])
        return [unknown_of(row, crops[f"u/{row['id'].partition('/')[2]}"], self._dim) for row in rows]

    def count(self, *, ignored: bool = False) -> int:
        return self._journal.read(lambda: self._link.count(RECORDS, self._valid(ignored)))

    def ignore(self, face_ids: Sequence[str], *, ignored: bool = True) -> int:
        def build(plan: Plan) -> int:
            found = plan.get(RECORDS, [f"unknown/{face_id}" for face_id in face_ids])
            for row in found.values():
                plan.put(RECORDS, {**row, "owner": "ignored" if ignored else "kept"})
            return len(found)

        return self._journal.change(build)

    def remove(self, face_ids: Sequence[str]) -> int:
        def build(plan: Plan) -> int:
            found = plan.get(RECORDS, [f"unknown/{face_id}" for face_id in face_ids])
            for row_id in found:
                plan.drop(RECORDS, row_id)
                plan.drop(CROPS, f"u/{row_id.partition('/')[2]}")
            return len(found)

        removed = self._journal.change(build)
        self._link.compact()
        return removed

    def shorten(self, days: int) -> None:
        def build(plan: Plan) -> None:
            for row in plan.where(RECORDS, "kind", "unknown"):
                face = unknown_of(row, {"body": []}, self._dim)
                latest = expiry(face.seen_at, days)
                if latest < face.expires_at:
                    plan.put(RECORDS, unknown_rows(replace(face, expires_at=latest))[0])

        self._journal.change(build)
        self.purge()

    def purge(self) -> int:
        """Erases those whose time is over; nothing where the gallery cannot be written. Returns how many."""
        condition = f'kind == "unknown" and owner == "kept" and at <= {quoted(self._now())}'
        if not self._writable or not self._journal.read(lambda: self._link.count(RECORDS, condition)):
            return 0
        over = [row["id"].partition("/")[2] for row in self._link.where(RECORDS, condition, fields=["id"])]
        return self.remove(over)

    def _valid(self, ignored: bool) -> str:
        kept = f'owner == "kept" and at > {quoted(self._now())}'
        return f'kind == "unknown" and {"owner == " + quoted("ignored") if ignored else kept}'

    def _now(self) -> str:
        return self.clock().isoformat(timespec="seconds")
