"""One gallery, or the parts of one, into another of any kind: resumed where it was stopped, compared at the end.

What was copied is written down in the target, so a stopped run goes on there; whatever changed in the source meanwhile
is found by the comparison and copied again. Knows no command line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reid.errors import EmbeddingSpaceError, GalleryError
from reid.gallery.base import Gallery, Movable
from reid.types import Identity, KeptFace, Photo

MARK = "migration"
"""Key of the target's note of what is being copied into it, and how far that is; empty when it is done."""

_PHOTOS_AT_ONCE = 256
_ATTEMPTS = 3
_SAMPLES = 100
_TOLERANCE = 1e-6

NOT_COPIED = {MARK, "shard"}


class MovableGallery(Gallery, Movable, Protocol):
    """What can be moved."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What is in the target now, as in the source.

    Attributes:
        digest: SHA-256 over everything of every person and photograph, crops and vectors included.
        copied: photographs that this run wrote; the others were there from a run that was stopped.
        searches: that were compared.
    """

    people: int
    photos: int
    strangers: int
    copied: int
    digest: str
    searches: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Galleries that have no person in common, as one."""

    galleries: Sequence[MovableGallery]

    def people(self) -> dict[str, tuple[MovableGallery, Identity]]:
        """Everybody and where they are. Raises: GalleryError where two sources know the same person."""
        found: dict[str, tuple[MovableGallery, Identity]] = {}
        names: dict[str, str] = {}
        for gallery in self.galleries:
            for one in gallery.identities():
                if one.id in found or one.name in names:
                    raise GalleryError(
                        f"Somebody is in {found[one.id][0].url if one.id in found else names[one.name]} and in "
                        f"{gallery.url}. Rename or erase one of the two first."
                    )
                found[one.id], names[one.name] = (gallery, one), gallery.url
        return dict(sorted(found.items()))

    def strangers(self) -> list[KeptFace]:
        return [
            face for one in self.galleries for ignored in (False, True) for face in one.unknowns.faces(ignored=ignored)
        ]

    def metas(self) -> dict[str, str]:
        """What all of them say alike."""
        first, *others = [one.metas() for one in self.galleries]
        return {
            key: value for key, value in first.items()
            if key not in NOT_COPIED and all(one.get(key) == value for one in others)
        }  # fmt: skip


def move(sources: Sources, target: MovableGallery, tell: Callable[[str, int, int], None] = lambda *_: None) -> Moved:
    """Copies everything and compares it.

    Args:
        sources: are only read.
        target: an empty gallery of the same space, or one that a stopped run with the same sources has begun.
        tell: what is being done, how much of it, of how much.

    Raises:
        EmbeddingSpaceError: they are of different spaces.
        GalleryError: the target holds something else, or the source is changed all the time.
    """
    for source in sources.galleries:
        if source.space_id != target.space_id:
            raise EmbeddingSpaceError(
                f"{source.url} holds embeddings of the space {source.space_id} and {target.url} of {target.space_id}. "
                "Name another target, or bring one of them to the space of the other with `byteface reembed`."
            )
    work = _Move(sources, target, tell)
    work.begin()
    work.copy_people()
    for _ in range(_ATTEMPTS):
        work.copy_the_rest()
        digest, photos, different = work.compare()
        if not different:
            searches = work.compare_searches()
            target.set_meta(MARK, "")
            return Moved(target.count(), photos, len(sources.strangers()), work.copied, digest, searches)
        work.copy_again(different)
    raise GalleryError("The source is being changed all the time. Run the same command again when it is quiet.")


class _Move:
    def __init__(self, sources: Sources, target: MovableGallery, tell: Callable[[str, int, int], None]) -> None:
        self._sources, self._target, self._tell = sources, target, tell
        self._from = [one.url for one in sources.galleries]
        self._after = ""
        self.copied = 0

    def begin(self) -> None:
        """Finds out how far an earlier run came."""
        note = self._target.get_meta(MARK)
        if note:
            began = json.loads(note)
            if began["from"] != self._from:
                raise GalleryError(
                    f"{self._target.url} is being filled from {', '.join(began['from'])}. Finish that, or name another."
                )
            self._after = began["after"]
        elif self._target.count():
            raise GalleryError(
                f"There are people in {self._target.url} already. Name a gallery that is still to be made."
            )
        else:
            self._note("")

    def _note(self, after: str) -> None:
        self._target.set_meta(MARK, json.dumps({"from": self._from, "after": after}))

    def copy_people(self) -> None:
        people = self._sources.people()
        total = sum(one.photo_count for _, one in people.values())
        done = sum(one.photo_count for who, (_, one) in people.items() if who <= self._after)
        self._tell("copying", done, total)
        batch: list[Photo] = []
        waiting: list[tuple[MovableGallery, Identity]] = []
        for who, (source, one) in people.items():
            if who <= self._after:
                continue
            waiting.append((source, one))
            batch += source.photos(who)
            if len(batch) >= _PHOTOS_AT_ONCE:
                done += self._write(batch, waiting)
                self._tell("copying", done, total)
                batch, waiting = [], []
        done += self._write(batch, waiting)
        self._tell("copying", done, total)

    def _write(self, photos: list[Photo], people: list[tuple[MovableGallery, Identity]]) -> int:
        """A batch and the note that it is there; stopped in between, it is written again, which changes nothing."""
        if not people:
            return 0
        for start in range(0, len(photos), 2 * _PHOTOS_AT_ONCE):
            self._target.add(photos[start : start + 2 * _PHOTOS_AT_ONCE])
        self.copied += len(photos)
        self._target.set_created({one.id: one.created_at for _, one in people})
        for _, one in people:
            known = self._target.identity(one.id)
            if known.name != one.name:
                self._target.rename(one.id, one.name)
            if dict(known.metadata) != dict(one.metadata) or known.cover_photo_id != one.cover_photo_id:
                self._target.edit(one.id, metadata=one.metadata, cover_photo_id=one.cover_photo_id)
        self._after = max(self._after, max(one.id for _, one in people))
        self._note(self._after)
        return len(photos)

    def copy_the_rest(self) -> None:
        """Rejections, pairs, strangers and the application's own strings, as they are in the source now."""
        for source in self._sources.galleries:
            ids = [one.id for one in source.identities()]
            said = {one.id: one for one in source.rejections(ids)}
            known = {one.id: one.identity_id for one in self._target.rejections(ids)}
            for rejection in said.values():
                if known.get(rejection.id) != rejection.identity_id:
                    self._target.reject(rejection)
            for rejection_id in known.keys() - said.keys():
                self._target.withdraw(rejection_id)
        pairs = {pair for source in self._sources.galleries for pair in source.apart()}
        for pair in pairs - self._target.apart():
            self._target.set_apart(*pair)
        for pair in self._target.apart() - pairs:
            self._target.set_apart(*pair, apart=False)
        faces = {face.id: face for face in self._sources.strangers()}
        there = [face.id for ignored in (False, True) for face in self._target.unknowns.faces(ignored=ignored)]
        self._target.unknowns.remove([one for one in there if one not in faces])
        self._target.unknowns.keep([face for face in faces.values() if face.id not in there])
        for key, value in self._sources.metas().items():
            self._target.set_meta(key, value)

    def compare(self) -> tuple[str, int, list[str]]:
        """Digest of everything, photographs, and the people who are not the same on both sides."""
        people = self._sources.people()
        whole, photos, different = hashlib.sha256(), 0, []
        there = {one.id: one for one in self._target.identities()}
        for number, who in enumerate(sorted({*people, *there}), 1):
            source, one = people.get(who, (None, None))
            own = _digest(source, one) if source and one else b""
            if own != (_digest(self._target, there[who]) if who in there else b""):
                different.append(who)
            whole.update(own)
            photos += one.photo_count if one else 0
            self._tell("comparing", number, len(people))
        return whole.hexdigest(), photos, different

    def copy_again(self, people: Sequence[str]) -> None:
        """Those who changed in the source while they were copied, or were erased there."""
        known = self._sources.people()
        there = {one.id for one in self._target.identities()}
        for who in people:
            if who in there:
                self._target.remove(who)
        for who in people:
            if who in known:
                self._write(known[who][0].photos(who), [known[who]])

    def compare_searches(self) -> int:
        """Raises: GalleryError where the target names somebody else first than the source."""
        ids, templates = self._target.templates()
        if len(self._sources.galleries) > 1 or not len(ids):
            return 0  # a part of a whole has other neighbours than the whole
        rows = np.linspace(0, len(ids) - 1, min(_SAMPLES, len(ids))).astype(int)
        probes = templates[[row for row in rows if np.linalg.norm(templates[row]) > 0.5]]
        (source,) = self._sources.galleries
        for one, other in zip(source.search(probes, 5), self._target.search(probes, 5), strict=True):
            few = 1 if "index=hnsw" in self._target.url else 5  # a graph may miss one of the further ones
            ours, theirs = ([hit.similarity for hit in found[:few]] for found in (one, other))
            if one[0].identity.id != other[0].identity.id or not np.allclose(ours, theirs, rtol=0, atol=_TOLERANCE):
                raise GalleryError(
                    f"{self._target.url} answers a search otherwise than {source.url}, although all was copied. "
                    "Do not use it, and report this."
                )
        return len(probes)


def _digest(gallery: Gallery, one: Identity) -> bytes:
    """Of everything that is kept about somebody. The identity is read again: its count may be older."""
    one = gallery.identity(one.id)
    digest = hashlib.sha256()
    about = [one.id, one.name, one.created_at, one.cover_photo_id, sorted(one.metadata.items())]
    digest.update(json.dumps(about).encode())
    for part in _parts(sorted(gallery.photos(one.id), key=lambda photo: photo.id)):
        digest.update(hashlib.sha256(part).digest())
    return digest.digest()


def _parts(photos: Sequence[Photo]) -> Iterator[bytes]:
    for photo in photos:
        about = [photo.id, photo.source, photo.added_at, photo.sha256, photo.quality]
        yield json.dumps(about).encode()
        yield photo.crop_jpeg
        yield photo.landmarks_px.astype("<f4").tobytes()
        yield photo.embedding.astype("<f4").tobytes()
