"""What the Gallery tab changes in the gallery, each with what takes it back. Draws only the message about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from reid.audit.writing import within
from reid.duplicates import odd_ones
from reid.errors import GalleryError, IdentityNotFoundError
from reid.gallery.base import Gallery
from reid.gallery.names import valid_name
from reid.gallery.vouching import vouched
from reid.recognizer import Recognizer
from reid.types import Identity, Photo, Rejection
from reid.ui.components.person import RECORD_FIELDS, PersonView, fields_of, version_of
from reid.ui.components.shell import toast, toasts
from reid.ui.context import Page
from reid.ui.text import count, t

_NEAREST = 6


def view_of(recognizer: Recognizer, identity_id: str) -> PersonView:
    """Everything that a person's view shows. Raises: IdentityNotFoundError."""
    gallery = recognizer.gallery
    identity, photos = gallery.identity(identity_id), gallery.photos(identity_id)
    threshold = recognizer.threshold.value
    nearest = []
    if photos:
        with within():  # whoever shows the person says so
            found = gallery.search(_template(photos)[None], _NEAREST + 1)[0]
        nearest = [candidate for candidate in found if candidate.identity.id != identity_id][:_NEAREST]
    ids, vectors = [photo.id for photo in photos], np.array([photo.embedding for photo in photos])
    said = vouched(gallery)
    odd = {key: value for key, value in odd_ones(ids, vectors, threshold).items() if (key, identity_id) not in said}
    return PersonView(identity, photos, odd, nearest, threshold)


def _template(photos: Sequence[Photo]) -> Any:
    mean = np.mean([photo.embedding for photo in photos], axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)


def overtaken(page: Page, data: Mapping[str, Any]) -> dict[str, str] | None:
    """What a record's form should hold where somebody else has saved another one since it was drawn.

    Returns:
        what was typed, and theirs where nothing was; None where nobody has saved.

    Raises:
        IdentityNotFoundError: the person is gone.
    """
    identity = page.recognizer.gallery.identity(str(data.get("id", "")))
    if data.get("version") == version_of(identity):
        return None
    try:
        before = dict(json.loads(str(data.get("before", ""))))
    except ValueError:
        before = {}
    typed = {key: "\n".join(str(data.get(key, "")).splitlines()) for key in fields_of(identity)}
    return {key: theirs if typed[key] == before.get(key) else typed[key] for key, theirs in fields_of(identity).items()}


def change(page: Page, data: Mapping[str, Any]) -> tuple[str, Markup]:
    """Does what a button or form of a person's view says.

    Args:
        data: `act` is record, cover, move, delete or merge; `id` says whose view it is, `ids` which photographs.

    Returns:
        id of the person to show now, empty for the list; the message.

    Raises:
        ReidError: the person is gone, a name cannot be used, or the gallery cannot be written.
    """
    gallery = page.recognizer.gallery
    identity = gallery.identity(str(data.get("id", "")))
    ids = [one for one in str(data.get("ids", "")).split(",") if one]
    match data.get("act"):
        case "record":
            return identity.id, _record(page, identity, data)
        case "cover":
            return identity.id, _cover(page, identity, ids)
        case "merge":
            return _merge(page, identity, _named(gallery, str(data.get("value", ""))))
        case "move":
            return _move(page, identity, ids, str(data.get("value", "")))
        case _:
            return _delete(page, identity, ids)


def _done(page: Page, title: str, text: str, back: Callable[[], str]) -> Markup:
    return toasts(toast(title, text, undo=page.undos.offer(back)))


def _named(gallery: Gallery, name: str) -> Identity:
    found = gallery.find(valid_name(name))
    if found is None:
        raise IdentityNotFoundError(t("Nobody is called {name}. Write the name exactly as it is enrolled.", name=name))
    return found


def _record(page: Page, identity: Identity, data: Mapping[str, Any]) -> Markup:
    gallery = page.recognizer.gallery
    fields = {key: str(data.get(key, "")).strip() for key in RECORD_FIELDS}
    for line in str(data.get("details", "")).splitlines():
        key, _, value = line.partition(":")
        if key.strip():
            fields[key.strip()] = value.strip()
    if str(data.get("name", "")).strip() != identity.name:
        gallery.rename(identity.id, str(data.get("name", "")))
    gallery.edit(identity.id, metadata={key: value for key, value in fields.items() if value})

    def back() -> str:
        gallery.rename(identity.id, identity.name)
        gallery.edit(identity.id, metadata=identity.metadata)
        return t("The record of {name} is as it was", name=identity.name)

    return _done(page, t("Saved"), "", back)


def _cover(page: Page, identity: Identity, ids: Sequence[str]) -> Markup:
    gallery = page.recognizer.gallery
    if len(ids) != 1:
        raise GalleryError(t("One photograph can be the cover. Select just one."))
    gallery.edit(identity.id, cover_photo_id=ids[0])

    def back() -> str:
        gallery.edit(identity.id, cover_photo_id=identity.cover_photo_id)
        return t("{name} has the cover of before", name=identity.name)

    return _done(page, t("This photograph is the cover now"), "", back)


def _photos(gallery: Gallery, identity: Identity, ids: Sequence[str]) -> list[Photo]:
    chosen = [photo for photo in gallery.photos(identity.id) if photo.id in set(ids)]
    if not chosen:
        raise GalleryError(t("No photograph is selected. Select one or more first."))
    return chosen


@dataclass(frozen=True, slots=True, eq=False)
class _Before:
    """A person before photographs were taken away, which may take the person away too.

    Attributes:
        photos: those that go.
        apart: ids of the people of whom somebody said that they are somebody else.
    """

    identity: Identity
    photos: Sequence[Photo]
    rejections: Sequence[Rejection]
    apart: frozenset[str]

    @classmethod
    def of(cls, gallery: Gallery, identity: Identity, photos: Sequence[Photo]) -> _Before:
        return cls(identity, photos, gallery.rejections([identity.id]), _apart_from(gallery, identity.id))

    def restore(self, gallery: Gallery) -> None:
        """Gives everything back to the person, who may have gone meanwhile."""
        identity = self.identity
        gallery.add(self.photos)
        gallery.edit(identity.id, metadata=identity.metadata)
        if identity.cover_photo_id in {photo.id for photo in gallery.photos(identity.id)}:
            gallery.edit(identity.id, cover_photo_id=identity.cover_photo_id)
        for rejection in self.rejections:
            gallery.reject(rejection)
        known = {one.id for one in gallery.identities()}
        for other_id in self.apart & known:
            gallery.set_apart(identity.id, other_id)


def _apart_from(gallery: Gallery, identity_id: str) -> frozenset[str]:
    return frozenset(other for pair in gallery.apart() if identity_id in pair for other in pair) - {identity_id}


def _move(page: Page, identity: Identity, ids: Sequence[str], raw: str) -> tuple[str, Markup]:
    """To somebody who is enrolled, or split off as a new person."""
    gallery = page.recognizer.gallery
    name = valid_name(raw)
    photos = _photos(gallery, identity, ids)
    target = gallery.find(name)
    before = _Before.of(gallery, identity, photos)
    if target:
        gallery.move([photo.id for photo in photos], target.id)
    else:
        new_id = f"{photos[0].id[:16]}{identity.id[:16]}"
        gallery.add([replace(photo, identity_id=new_id, identity_name=name) for photo in photos])

    def back() -> str:
        before.restore(gallery)
        return t("{name} has the photographs again", name=identity.name)

    title = t("{photographs} moved to {name}", photographs=count(len(photos), "photograph", "photographs"), name=name)
    left = len(gallery.photos(identity.id)) if any(one.id == identity.id for one in gallery.identities()) else 0
    text = "" if left else t("{name} had no other photograph and is not enrolled any more.", name=identity.name)
    return identity.id if left else "", _done(page, title, text, back)


def _delete(page: Page, identity: Identity, ids: Sequence[str]) -> tuple[str, Markup]:
    gallery = page.recognizer.gallery
    photos = _photos(gallery, identity, ids)
    before = _Before.of(gallery, identity, photos)
    gone = gallery.remove_photos([photo.id for photo in photos])

    def back() -> str:
        before.restore(gallery)
        return t("{name} has the photographs again", name=identity.name)

    title = t("{photographs} deleted", photographs=count(len(photos), "photograph", "photographs"))
    text = t("{name} had no other and is not enrolled any more.", name=identity.name) if gone.identities else ""
    return "" if gone.identities else identity.id, _done(page, title, text, back)


def _merge(page: Page, source: Identity, target: Identity) -> tuple[str, Markup]:
    gallery = page.recognizer.gallery
    photos = gallery.photos(source.id)
    before, others = _Before.of(gallery, source, photos), _apart_from(gallery, target.id)
    gallery.merge(source.id, target.id)
    gallery.edit(target.id, metadata={**source.metadata, **target.metadata})

    def back() -> str:
        before.restore(gallery)
        gallery.edit(target.id, metadata=target.metadata)
        for other_id in _apart_from(gallery, target.id) - others - {source.id}:
            gallery.set_apart(target.id, other_id, apart=False)
        return t("{source} and {target} are two people again", source=source.name, target=target.name)

    title = t("{source} is merged into {target}", source=source.name, target=target.name)
    return target.id, _done(page, title, count(len(photos), "photograph moved", "photographs moved"), back)
