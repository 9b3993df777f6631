"""Named endpoints about strangers that are kept, possible duplicates and outlier photographs. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reid.duplicates import outliers_of, pairs_of, unanswered, unvouched
from reid.recognizer import Recognizer
from reid.types import KeptFace
from reid.unknowns import Keeping, adopt, choose_keeping, dismiss, keeping_of, strangers_of


def stranger_endpoints(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    """All of them, to be named after the functions."""
    return (*_listing(recognizer), *_answers(recognizer), *_second_looks(recognizer))


def _face(one: KeptFace) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "sha256": one.sha256,
        "quality": one.quality.score,
        "seen_at": one.seen_at,
        "expires_at": one.expires_at,
        "ignored": one.ignored,
    }


def _listing(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    def unknowns() -> dict[str, Any]:
        """Strangers that are kept: who may be enrolled by now, groups, faces seen once, and those who are ignored.

        Their crops are at /unknowns/<id>.jpg.
        """
        gallery = recognizer.gallery
        keeping, found = keeping_of(gallery), strangers_of(gallery, recognizer.threshold.value)
        return {
            "keeping": keeping.on,
            "days": keeping.days,
            "sightings": [
                {
                    "id": one.identity.id,
                    "name": one.identity.name,
                    "faces": [{**_face(face), "similarity": similarity} for face, similarity in one.faces],
                }
                for one in found.sightings
            ],
            "groups": [[_face(face) for face in group] for group in found.groups],
            "once": [_face(face) for face in found.once],
            "ignored": [_face(face) for face in gallery.unknowns.faces(ignored=True)],
        }

    def keep_unknowns(on: bool, days: int = 30) -> dict[str, Any]:
        """Whether faces that find no candidate are kept from now on, and for how many days."""
        choose_keeping(recognizer.gallery, Keeping(on, days))
        now = keeping_of(recognizer.gallery)
        return {"keeping": now.on, "days": now.days}

    return unknowns, keep_unknowns


def _answers(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    def enrol_unknowns(face_ids: list[str], name: str, poor_too: bool = False) -> dict[str, Any]:
        """Makes kept faces photographs of a person, new or enrolled.

        Faces too small, blurred or turned away stay kept where there are better ones, unless `poor_too`.
        """
        done = adopt(recognizer, face_ids, name, insist=poor_too)
        identity = done.enrolment.identity
        return {
            "id": identity.id,
            "name": identity.name,
            "created": done.enrolment.created,
            "added": len(done.faces),
            "left": done.left,
            "photographs": identity.photo_count,
        }

    def reject_unknowns(face_ids: list[str], identity_id: str) -> dict[str, int]:
        """Remembers that kept faces are not this person; they stay kept."""
        recognizer.gallery.identity(identity_id)
        return {"faces": len(dismiss(recognizer.gallery, face_ids, identity_id))}

    def ignore_unknowns(face_ids: list[str], ignored: bool = True) -> dict[str, int]:
        """Ignores faces for good, so that whoever looks like them is not kept again, or takes that back."""
        return {"faces": recognizer.gallery.unknowns.ignore(face_ids, ignored=ignored)}

    def erase_unknowns(face_ids: list[str]) -> dict[str, int]:
        """Erases kept or ignored faces for good."""
        return {"faces": recognizer.gallery.unknowns.remove(face_ids)}

    return enrol_unknowns, reject_unknowns, ignore_unknowns, erase_unknowns


def _second_looks(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    def duplicates(limit: int = 100) -> dict[str, Any]:
        """Pairs of people who reach the threshold with each other, the most alike first."""
        gallery = recognizer.gallery
        found = unanswered(pairs_of(gallery, recognizer.threshold.value), gallery)
        names = {one.id: one.name for one in gallery.identities()}
        return {
            "total": found.total,
            "pairs": [
                {
                    "first": {"id": pair.first_id, "name": names.get(pair.first_id, "")},
                    "second": {"id": pair.second_id, "name": names.get(pair.second_id, "")},
                    "similarity": pair.similarity,
                }
                for pair in found.nearest[: max(limit, 0)]
            ],
        }

    def two_people(first_id: str, second_id: str, apart: bool = True) -> dict[str, int]:
        """Remembers that two entries are two people and no possible duplicates any more, or forgets it."""
        recognizer.gallery.set_apart(first_id, second_id, apart=apart)
        return {"pairs": len(recognizer.gallery.apart())}

    def outliers(limit: int = 100) -> dict[str, Any]:
        """Photographs that resemble none of the others of their person, the least alike first."""
        found = unvouched(outliers_of(recognizer.gallery, recognizer.threshold.value), recognizer.gallery)
        names = {one.id: one.name for one in recognizer.gallery.identities()}
        return {
            "total": len(found),
            "photographs": [
                {
                    "id": one.identity_id,
                    "name": names.get(one.identity_id, ""),
                    "photo_id": one.photo_id,
                    "similarity": one.similarity,
                }
                for one in found[: max(limit, 0)]
            ],
        }

    def same_person(photo_id: str, same: bool = True) -> dict[str, Any]:
        """Remembers that an outlier shows its person after all, and lists it no more; or forgets that."""
        recognizer.gallery.vouch(photo_id, same=same)
        return {"photo_id": photo_id, "same": same}

    return duplicates, two_people, outliers, same_person
