"""Any sequence of changes leaves in a gallery what a dictionary would hold."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from gallery_backends import BACKENDS, SLOW, check_search, opened, people_of
from gallery_records import photo, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from reid.errors import GalleryError, IdentityExistsError, IdentityNotFoundError, ReidError
from reid.gallery import Erased, Gallery
from reid.types import Photo


@dataclass
class Model:
    """What the protocol says, in plain Python."""

    names: dict[str, str] = field(default_factory=dict)
    photos: dict[str, Photo] = field(default_factory=dict)
    covers: dict[str, str] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)

    def of(self, identity_id: str) -> list[Photo]:
        mine = [one for one in self.photos.values() if self.home[one.id] == identity_id]
        return sorted(mine, key=lambda one: (one.added_at, one.id))

    def need(self, identity_id: str) -> None:
        if identity_id not in self.names:
            raise IdentityNotFoundError

    def take_name(self, identity_id: str, name: str) -> None:
        if name in self.names.values() and self.names.get(identity_id) != name:
            raise IdentityExistsError
        self.names[identity_id] = name

    def settle(self) -> int:
        """Identities without photographs go; covers that went are chosen anew."""
        empty = [who for who in self.names if not self.of(who)]
        for who in empty:
            del self.names[who]
        self.covers = {
            who: cover
            if (cover := self.covers.get(who, "")) in {one.id for one in self.of(who)}
            else min(self.of(who), key=lambda one: (-one.quality, one.added_at, one.id)).id
            for who in self.names
        }
        return len(empty)

    def add(self, photos: Sequence[Photo]) -> None:
        wanted: dict[str, set[str]] = {}
        for one in photos:
            wanted.setdefault(one.identity_id, set()).add(one.identity_name)
        for who, names in wanted.items():
            if who not in self.names:
                if len(names) > 1:
                    raise GalleryError
                self.take_name(who, names.pop())
        for one in photos:
            self.photos[one.id], self.home[one.id] = one, one.identity_id
        self.settle()

    def rename(self, identity_id: str, name: str) -> None:
        self.need(identity_id)
        self.take_name(identity_id, name)

    def merge(self, source_id: str, target_id: str) -> None:
        if source_id == target_id:
            raise GalleryError
        self.need(source_id)
        self.need(target_id)
        self.move([one.id for one in self.of(source_id)], target_id)

    def move(self, photo_ids: Sequence[str], identity_id: str) -> None:
        self.need(identity_id)
        if any(photo_id not in self.photos for photo_id in photo_ids):
            raise GalleryError
        self.home.update(dict.fromkeys(photo_ids, identity_id))
        self.settle()

    def remove(self, identity_id: str) -> Erased:
        self.need(identity_id)
        return self.remove_photos([one.id for one in self.of(identity_id)])

    def remove_photos(self, photo_ids: Sequence[str]) -> Erased:
        gone = [photo_id for photo_id in set(photo_ids) if self.photos.pop(photo_id, None)]
        return Erased(self.settle(), len(gone))


IDENTITIES = st.sampled_from(["a", "b", "c", "d"])
NAMES = st.sampled_from(["Ann", "ann", "Bo", "Cy"])
PHOTO_IDS = st.sampled_from([f"p{n}" for n in range(8)])
PHOTOS = st.builds(
    lambda photo_id, who, name, seed, quality, year: photo(
        photo_id, who, name, embedding=unit(seed), quality=quality, added_at=f"{year}-01-01T00:00:00+00:00"
    ),
    PHOTO_IDS,
    IDENTITIES,
    NAMES,
    st.integers(0, 20),
    st.sampled_from([0.25, 0.5, 1.0]),
    st.integers(2020, 2022),
)
CHANGES = st.one_of(
    st.tuples(st.just("add"), st.lists(PHOTOS, max_size=4)),
    st.tuples(st.just("rename"), IDENTITIES, NAMES),
    st.tuples(st.just("merge"), IDENTITIES, IDENTITIES),
    st.tuples(st.just("move"), st.lists(PHOTO_IDS, max_size=3), IDENTITIES),
    st.tuples(st.just("remove"), IDENTITIES),
    st.tuples(st.just("remove_photos"), st.lists(PHOTO_IDS, max_size=3)),
)


def outcome(target: Gallery | Model, change: tuple[object, ...]) -> object:
    name, *arguments = change
    try:
        return getattr(target, str(name))(*arguments)
    except ReidError as error:
        return type(error)


@pytest.mark.parametrize("backend", sorted(set(BACKENDS) - SLOW))
@settings(max_examples=60, deadline=None)
@given(changes=st.lists(CHANGES, max_size=15))
def test_any_sequence_of_changes_leaves_what_a_dictionary_would_hold(
    backend: str, changes: list[tuple[object, ...]]
) -> None:
    check_changes(backend, changes)


@pytest.mark.parametrize("backend", sorted(SLOW))
@settings(max_examples=6, deadline=None)
@given(changes=st.lists(CHANGES, min_size=5, max_size=12))
def test_some_sequences_of_changes_do_where_each_takes_longer(backend: str, changes: list[tuple[object, ...]]) -> None:
    check_changes(backend, changes)


def check_changes(backend: str, changes: list[tuple[object, ...]]) -> None:
    """Plays them on a gallery and on the model."""
    model = Model()
    probes = np.stack([unit(seed) for seed in (1, 50, 51)])
    with tempfile.TemporaryDirectory() as folder, closing(opened(BACKENDS[backend](Path(folder)))) as gallery:
        for change in changes:
            before = Model(dict(model.names), dict(model.photos), dict(model.covers), dict(model.home))
            expected = outcome(model, change)
            if isinstance(expected, type):
                model = before
            assert outcome(gallery, change) == expected
            assert {who.id: who.name for who in gallery.identities()} == model.names
            assert {who.id: who.cover_photo_id for who in gallery.identities()} == model.covers
            assert people_of(gallery) == {who: [one.id for one in model.of(who)] for who in model.names}
            check_search(gallery, {who: model.of(who) for who in model.names}, probes, 2)
