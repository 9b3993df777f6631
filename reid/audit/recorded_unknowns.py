"""Strangers' faces that are kept, with a record of who kept, ignored and erased them. Stores nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

from reid.actor import Role
from reid.audit.writing import Pen
from reid.gallery.base import Unknowns
from reid.types import KeptFace


class RecordingUnknowns:
    """As the protocol `Unknowns`, around another one."""

    def __init__(self, inner: Unknowns, pen: Pen) -> None:
        self.inner = inner
        self._pen = pen

    def keep(self, faces: Sequence[KeptFace]) -> int:
        ids = [face.id for face in faces]
        # whoever probes does this, where an operator chose that strangers are kept
        with self._pen.change("keep", Role.VIEWER, faces=ids, inputs=sorted({face.sha256 for face in faces})):
            return self.inner.keep(faces)

    def faces(self, *, ignored: bool = False) -> list[KeptFace]:
        return self.inner.faces(ignored=ignored)

    def face(self, face_id: str) -> KeptFace | None:
        return self.inner.face(face_id)

    def count(self, *, ignored: bool = False) -> int:
        return self.inner.count(ignored=ignored)

    def ignore(self, face_ids: Sequence[str], *, ignored: bool = True) -> int:
        with self._pen.change("ignore", Role.OPERATOR, faces=self._kept(face_ids), ignored=ignored):
            return self.inner.ignore(face_ids, ignored=ignored)

    def remove(self, face_ids: Sequence[str]) -> int:
        with self._pen.change("erase_strangers", Role.OPERATOR, faces=self._kept(face_ids)):
            return self.inner.remove(face_ids)

    def unkeep(self, face_ids: Sequence[str]) -> int:
        """Takes back what somebody's own probe kept just now. Returns how many there were."""
        with self._pen.change("erase_strangers", Role.VIEWER, faces=self._kept(face_ids), taken_back=True):
            return self.inner.remove(face_ids)

    def shorten(self, days: int) -> None:
        with self._pen.change("setting", Role.OPERATOR, key="unknowns", days=days):
            self.inner.shorten(days)

    def _kept(self, face_ids: Sequence[str]) -> list[str]:
        """Those that there are: the log is for ever, and no place for whatever somebody sends as an id."""
        return [one for one in dict.fromkeys(face_ids) if self.inner.face(one)]
