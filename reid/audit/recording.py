"""A gallery that asks who is acting and writes down what is done to it, whoever does it: the page, the API, a command.

It stores nothing itself. What only reads passes through; who looks at a person is written down where they are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reid.actor import Role, require
from reid.audit.log import AuditLog
from reid.audit.recorded_unknowns import RecordingUnknowns
from reid.audit.writing import Pen
from reid.errors import GalleryError, IdentityNotFoundError
from reid.gallery.base import Erased, Gallery
from reid.gallery.same_faces import forget_same_faces
from reid.gallery.vouching import forget_gone, vouch
from reid.types import Candidate, Embeddings, Identity, Photo, Rejection

RETENTION = "retention"
"""Key under which a gallery keeps how long people are held where nobody says otherwise: `{"days": 365}`."""

_POLICY = {"calibration": "threshold", "score_odds": "threshold", RETENTION: "setting"}
"""What is kept with a gallery that only an admin changes, and what the log calls it."""

_FIELDS = ("consent", "expires", "notes")


Forget = Callable[[Sequence[str]], int]


class RecordingGallery:
    """As the protocol `Gallery`, around another one."""

    def __init__(self, inner: Gallery, log: AuditLog, forget: Forget | None = None) -> None:
        self.inner = inner
        self._forget = forget
        self.pen = Pen(log, inner.url, inner)

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def space_id(self) -> str:
        return self.inner.space_id

    @property
    def read_only(self) -> bool:
        """Whether changes are refused by the gallery itself."""
        return bool(getattr(self.inner, "read_only", True))

    @property
    def unknowns(self) -> RecordingUnknowns:
        return RecordingUnknowns(self.inner.unknowns, self.pen)

    # --- changes -----------------------------------------------------------------------------------------------------

    def add(self, photos: Sequence[Photo]) -> None:
        people = list(dict.fromkeys(photo.identity_id for photo in photos))
        ids = [self.pen.log.opaque(photo.id) for photo in photos]
        inputs = list(dict.fromkeys(photo.sha256 for photo in photos if photo.sha256))
        with self.pen.change("enrol", Role.OPERATOR, people, photos=ids, inputs=inputs):
            days = retention_days(self)
            new = [one for one in people if days and not self._knows(one)]
            self.inner.add(photos)
            for identity_id in new:
                self._stamp(identity_id, (datetime.now(UTC).date() + timedelta(days=days)).isoformat())

    def _knows(self, identity_id: str) -> bool:
        try:
            return bool(self.inner.identity(identity_id))
        except IdentityNotFoundError:
            return False

    def _stamp(self, identity_id: str, day: str) -> None:
        metadata = self.inner.identity(identity_id).metadata
        self.inner.edit(identity_id, metadata={**metadata, "expires": day})

    def set_expiry(self, identity_id: str, day: str, action: str) -> None:
        """Writes a person's last day, ISO 8601, and nothing else. Raises: IdentityNotFoundError."""
        with self.pen.change(action, Role.OPERATOR, [identity_id], expires=day):
            self._stamp(identity_id, day)

    def rename(self, identity_id: str, name: str) -> None:
        with self.pen.change("rename", Role.OPERATOR, [identity_id]):
            self.inner.rename(identity_id, name)

    def merge(self, source_id: str, target_id: str) -> None:
        with self.pen.change("merge", Role.OPERATOR, [source_id, target_id]):
            self.inner.merge(source_id, target_id)

    def move(self, photo_ids: Sequence[str], identity_id: str) -> None:
        ids = [self.pen.log.opaque(one) for one in photo_ids]
        with self.pen.change("move", Role.OPERATOR, [identity_id, *self._owners(photo_ids)], photos=ids):
            self.inner.move(photo_ids, identity_id)

    def remove(self, identity_id: str) -> Erased:
        return self.erase(identity_id)

    def erase(self, identity_id: str, action: str = "erase", **details: Any) -> Erased:
        """Erases a person, and what training keeps of their photographs. Raises: IdentityNotFoundError."""
        held = self.inner.photos(identity_id)
        photos = [self.pen.log.opaque(photo.id) for photo in held]
        with self.pen.change(action, Role.OPERATOR, [identity_id], photos=photos, **details) as more:
            if self._forget:  # first: where it fails, nobody believes that all of it is gone
                more["cached"] = self._forget([photo.sha256 for photo in held])
            more["elsewhere"] = forget_same_faces(self.inner, held)
            done = self.inner.remove(identity_id)
            forget_gone(self.inner)
            return done

    def remove_photos(self, photo_ids: Sequence[str]) -> Erased:
        held = self._held(photo_ids)
        last = self._last(held)
        ids, gone_too = ([self.pen.log.opaque(one.id) for one in some] for some in (held, last))
        gone = [self.pen.log.opaque(one) for one in dict.fromkeys(photo.identity_id for photo in last)]
        details = {"photos": ids, **({"gone": gone, "last": gone_too} if last else {})}
        owners = list(dict.fromkeys(photo.identity_id for photo in held))
        with self.pen.change("erase_photos", Role.OPERATOR, owners, **details) as more:
            if self._forget:
                more["cached"] = self._forget([photo.sha256 for photo in held])
            done = self.inner.remove_photos(photo_ids)
            forget_gone(self.inner)
            more["people"] = done.identities
            return done

    def edit(
        self, identity_id: str, *, metadata: Mapping[str, str] | None = None, cover_photo_id: str | None = None
    ) -> None:
        details: dict[str, Any] = {"cover": True} if cover_photo_id is not None else {}
        if metadata is not None:
            # names of free fields are free text too: only how many there are
            details["fields"] = [one for one in _FIELDS if metadata.get(one)]
            details["others"] = len(set(metadata) - set(_FIELDS))
            details["expires"] = metadata.get("expires", "")[:10]
        with self.pen.change("edit", Role.OPERATOR, [identity_id], **details):
            self.inner.edit(identity_id, metadata=metadata, cover_photo_id=cover_photo_id)

    def reject(self, rejection: Rejection) -> None:
        with self.pen.change("reject", Role.OPERATOR, [rejection.identity_id], rejection=rejection.id):
            self.inner.reject(rejection)

    def withdraw(self, rejection_id: str) -> None:
        with self.pen.change("withdraw", Role.OPERATOR, rejection=rejection_id):
            self.inner.withdraw(rejection_id)

    def set_apart(self, first_id: str, second_id: str, *, apart: bool = True) -> None:
        with self.pen.change("apart", Role.OPERATOR, [first_id, second_id], apart=apart):
            self.inner.set_apart(first_id, second_id, apart=apart)

    def vouch(self, photo_id: str, *, same: bool = True) -> None:
        """Remembers that a photograph which differs shows its person after all, or forgets it. Raises: GalleryError."""
        ids = [self.pen.log.opaque(photo_id)]
        with self.pen.change("vouch", Role.OPERATOR, self._owners([photo_id]), photos=ids, same=same):
            vouch(self.inner, photo_id, same=same)

    def set_meta(self, key: str, value: str) -> None:
        role = Role.ADMIN if key in _POLICY else Role.OPERATOR
        with self.pen.change(_POLICY.get(key, "setting"), role, key=key, **self._values(key, value)):
            self.inner.set_meta(key, value)

    def _values(self, key: str, value: str) -> dict[str, Any]:
        """A threshold's numbers before and after; of other settings the new one, which holds nothing personal."""
        if key == "score_odds":
            return {}
        if key != "calibration":
            return {"value": value[:200]}
        before, after = self.inner.get_meta(key), json.loads(value)
        return {
            "before": json.loads(before).get("value") if before else None,
            "value": after.get("value"),
            "fpir": after.get("fpir"),
        }

    def _owners(self, photo_ids: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(photo.identity_id for photo in self._held(photo_ids)))

    def _held(self, photo_ids: Sequence[str]) -> list[Photo]:
        return [photo for photo in map(self.inner.photo, dict.fromkeys(photo_ids)) if photo]

    def _last(self, photos: Sequence[Photo]) -> list[Photo]:
        """Those of people who have no others, and so go with them."""
        counted = Counter(photo.identity_id for photo in photos)
        return [one for one in photos if self.inner.identity(one.identity_id).photo_count <= counted[one.identity_id]]

    # --- reading -----------------------------------------------------------------------------------------------------

    def search(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        require(Role.VIEWER)
        found = self.inner.search(probes, k)
        if len(found):
            self.pen.compared(found)
        return found

    def identities(self) -> list[Identity]:
        return self.inner.identities()

    def identity(self, identity_id: str) -> Identity:
        return self.inner.identity(identity_id)

    def find(self, name: str) -> Identity | None:
        return self.inner.find(name)

    def spellings(self, name: str) -> list[str]:
        return self.inner.spellings(name)

    def photos(self, identity_id: str) -> list[Photo]:
        return self.inner.photos(identity_id)

    def photo(self, photo_id: str) -> Photo | None:
        return self.inner.photo(photo_id)

    def rejections(self, identity_ids: Sequence[str]) -> list[Rejection]:
        return self.inner.rejections(identity_ids)

    def apart(self) -> set[tuple[str, str]]:
        return self.inner.apart()

    def revision(self) -> int:
        return self.inner.revision()

    def templates(self) -> tuple[list[str], Embeddings]:
        return self.inner.templates()

    def embeddings(self, identity_ids: Sequence[str]) -> dict[str, tuple[list[str], Embeddings]]:
        return self.inner.embeddings(identity_ids)

    def count(self) -> int:
        return self.inner.count()

    def get_meta(self, key: str) -> str | None:
        return self.inner.get_meta(key)

    def close(self) -> None:
        self.inner.close()


def recorded(gallery: Gallery, log: AuditLog, forget: Forget | None = None) -> RecordingGallery:
    """The same gallery, from now on with a record of what is done to it.

    Args:
        forget: removes what is kept elsewhere of photographs, by their SHA-256, and says how many files went.
    """
    return gallery if isinstance(gallery, RecordingGallery) else RecordingGallery(gallery, log, forget)


def retention_days(gallery: Gallery) -> int:
    """How long somebody who is enrolled now is held where nobody says otherwise; 0 for no end."""
    text = gallery.get_meta(RETENTION)
    return int(json.loads(text)["days"]) if text else 0


def pen_of(gallery: Gallery) -> Pen:
    """What writes about a gallery. Raises: GalleryError where nothing does: an entry point forgot `recorded`."""
    if not isinstance(gallery, RecordingGallery):
        raise GalleryError(f"What is done to {gallery.url} is not recorded. Open it through a Recognizer.")
    return gallery.pen
