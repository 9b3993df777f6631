"""The contract of every gallery that can be written. A backend joins with one line in BACKENDS."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from gallery_records import DIM, SPACE, brute_force, photo, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from reid.errors import EmbeddingSpaceError, GalleryError, IdentityExistsError, IdentityNotFoundError, ReidError
from reid.gallery import Erased, Gallery, open_gallery, space_id_of
from reid.types import Candidate, Embeddings, Photo, Rejection

BACKENDS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: str(folder / "gallery.db"),
}


def opened(url: str) -> Gallery:
    return open_gallery(url, space_id=SPACE, dim=DIM)


@pytest.fixture(params=sorted(BACKENDS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def gallery(url: str) -> Iterator[Gallery]:
    with closing(opened(url)) as opened_gallery:
        yield opened_gallery


def people_of(gallery: Gallery) -> dict[str, list[str]]:
    return {who.id: [one.id for one in gallery.photos(who.id)] for who in gallery.identities()}


# --- what is stored --------------------------------------------------------------------------------------------------


def test_a_photograph_comes_back_as_it_was_added(gallery: Gallery) -> None:
    given_photo = photo("p1", "ann", "Ann", quality=0.75, crop=bytes(range(256)) * 40, source="Ann, 2019 (1).jpg")
    gallery.add([given_photo])
    found = gallery.photo("p1")
    assert found is not None
    assert (found.id, found.identity_id, found.identity_name) == ("p1", "ann", "Ann")
    assert (found.crop_jpeg, found.source) == (given_photo.crop_jpeg, given_photo.source)
    assert (found.quality, found.added_at) == (0.75, given_photo.added_at)
    assert found.embedding.dtype == np.float32
    np.testing.assert_array_equal(found.embedding, given_photo.embedding)
    np.testing.assert_array_equal(found.landmarks_px, given_photo.landmarks_px)
    assert gallery.photo("nobody's") is None


def test_everything_is_there_after_closing_and_opening_again(url: str) -> None:
    with closing(opened(url)) as gallery:
        gallery.add([photo("p1", "ann", "Ann"), photo("p2", "ann", "Ann"), photo("p3", "bo", "Bo")])
        gallery.set_meta("calibration", '{"value": 0.5}')
        before = gallery.identities(), gallery.search(unit(1)[None], 5)
    with closing(opened(url)) as gallery:
        assert (gallery.identities(), gallery.search(unit(1)[None], 5)) == before
        assert gallery.get_meta("calibration") == '{"value": 0.5}'
        assert gallery.url == url
        assert gallery.space_id == SPACE


def test_identities_come_by_name_without_regard_to_case_then_id(gallery: Gallery) -> None:
    gallery.add([photo(f"p{i}", f"id{i}", name) for i, name in enumerate(["bo", "Ann", "Ärger", "ann", "Bo", "安"])])
    assert [who.name for who in gallery.identities()] == ["Ann", "ann", "bo", "Bo", "Ärger", "安"]
    assert gallery.count() == 6


def test_photographs_come_oldest_first(gallery: Gallery) -> None:
    years = {"p1": "2024", "p2": "2022", "p3": "2023"}
    gallery.add([photo(photo_id, "ann", added_at=f"{year}-01-01T00:00:00+00:00") for photo_id, year in years.items()])
    assert [found.id for found in gallery.photos("ann")] == ["p2", "p3", "p1"]


def test_names_are_found_exactly_as_they_are_written(gallery: Gallery) -> None:
    gallery.add([photo("p1", "upper", "Ann"), photo("p2", "lower", "ann"), photo("p3", "e", "  Zoe\u0301 ")])
    upper, lower, accented = gallery.find("Ann"), gallery.find("ann"), gallery.find("Zo\u00e9")
    assert upper is not None
    assert lower is not None
    assert accented is not None, "names are stored composed, without white space around them"
    assert (upper.id, lower.id, accented.id) == ("upper", "lower", "e")
    assert gallery.find("ANN") is None


def test_adding_a_photograph_again_replaces_it(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", "Ann"), photo("p2", "ann", "Ann")])
    gallery.add([photo("p1", "ann", "Ann", crop=b"newer", embedding=unit(5))])
    assert people_of(gallery) == {"ann": ["p1", "p2"]}
    found = gallery.photo("p1")
    assert found is not None
    assert found.crop_jpeg == b"newer"
    assert gallery.search(unit(5)[None], 1)[0][0].photo_id == "p1"


def test_adding_to_somebody_keeps_their_name(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", "Ann")])
    gallery.rename("ann", "Ann Lee")
    gallery.add([photo("p2", "ann", "Ann")])
    assert gallery.identity("ann").name == "Ann Lee"
    assert gallery.identity("ann").photo_count == 2


def test_the_cover_is_the_best_photograph_and_stays_while_it_is_there(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", quality=0.2), photo("p2", "ann", quality=0.9), photo("p3", "ann", quality=0.4)])
    assert gallery.identity("ann").cover_photo_id == "p2"
    gallery.add([photo("p4", "ann", quality=1.0)])
    assert gallery.identity("ann").cover_photo_id == "p2"
    gallery.remove_photos(["p2"])
    assert gallery.identity("ann").cover_photo_id == "p4"


# --- searching -------------------------------------------------------------------------------------------------------


def check_search(gallery: Gallery, people: dict[str, list[Photo]], probes: Embeddings, k: int) -> None:
    """A search answers what the plain formula says."""
    embeddings = {who: [one.embedding for one in photos] for who, photos in people.items()}
    answers = gallery.search(probes, k)
    assert len(answers) == len(probes)
    for probe, candidates in zip(probes, answers, strict=True):
        expected = brute_force(embeddings, probe)
        similarities = dict(expected)
        assert [candidate.similarity for candidate in candidates] == pytest.approx(
            [similarity for _, similarity in expected[:k]], abs=1e-6
        )
        assert len({candidate.identity.id for candidate in candidates}) == len(candidates), "each identity once"
        for candidate in candidates:
            check_candidate(candidate, people[candidate.identity.id], probe, similarities[candidate.identity.id])


def check_candidate(candidate: Candidate, photos: list[Photo], probe: Embeddings, similarity: float) -> None:
    assert candidate.similarity == pytest.approx(similarity, abs=1e-6)
    cosines = {one.id: float(one.embedding.astype(np.float64) @ probe) for one in photos}
    assert candidate.photo_similarity == pytest.approx(max(cosines.values()), abs=1e-6)
    assert candidate.photo_id is not None
    assert cosines[candidate.photo_id] == pytest.approx(max(cosines.values()), abs=1e-6)
    assert candidate.identity.photo_count == len(photos)


@pytest.mark.parametrize("k", [1, 3, 40, 1000])
def test_search_agrees_with_the_plain_formula(gallery: Gallery, k: int) -> None:
    people = {f"i{n}": [photo(f"{n}-{m}", f"i{n}") for m in range(1 + n % 4)] for n in range(40)}
    gallery.add([one for photos in people.values() for one in photos])
    check_search(gallery, people, np.stack([unit(seed) for seed in range(1000, 1020)]), k)


def test_a_probe_gets_the_same_answer_alone_and_in_a_batch(gallery: Gallery) -> None:
    gallery.add([photo(f"p{n}", f"i{n}") for n in range(200)])
    probes = np.stack([unit(seed) for seed in range(1000, 1064)])
    assert gallery.search(probes, 5) == [gallery.search(probe[None], 5)[0] for probe in probes]


def test_equal_similarities_are_ordered_by_identity(gallery: Gallery) -> None:
    ids = [f"i{n:02}" for n in np.random.default_rng(3).permutation(50)]
    for some in (ids[:20], ids[20:]):  # those that come later are not last
        gallery.add([photo(f"p-{identity_id}", identity_id, embedding=unit(7)) for identity_id in some])
        gallery.search(unit(7)[None], 1)
    for probes in (unit(7)[None], np.stack([unit(8)] * 9)):
        for candidates in gallery.search(probes, 20):
            assert [candidate.identity.id for candidate in candidates] == sorted(ids)[:20]


def test_an_empty_gallery_has_no_candidates(gallery: Gallery) -> None:
    assert gallery.search(np.stack([unit(1), unit(2)]), 5) == [[], []]
    assert gallery.identities() == []
    assert gallery.count() == 0


def test_no_probes_and_no_candidates_asked_for_are_no_error(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann")])
    assert gallery.search(np.empty((0, DIM), np.float32), 5) == []
    assert gallery.search(unit(1)[None], 0) == [[]]


def test_photographs_that_cancel_out_are_similar_to_nothing(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", embedding=unit(1)), photo("p2", "ann", embedding=-unit(1))])
    (candidate,) = gallery.search(unit(1)[None], 1)[0]
    assert (candidate.similarity, candidate.photo_id) == (0, "p1")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3.0])
def test_probes_that_are_no_unit_vectors_are_refused(gallery: Gallery, bad: float) -> None:
    gallery.add([photo("p1", "ann")])
    probes = np.stack([unit(1), unit(2)])
    probes[1, 3] = bad
    with pytest.raises(GalleryError, match="probe"):
        gallery.search(probes, 5)


def test_embeddings_of_another_length_are_refused_and_nothing_is_added(gallery: Gallery) -> None:
    with pytest.raises(EmbeddingSpaceError, match="shape"):
        gallery.add([photo("p1", "ann"), photo("p2", "bo", embedding=unit(1, DIM + 1))])
    assert gallery.count() == 0
    with pytest.raises(EmbeddingSpaceError, match="shape"):
        gallery.search(unit(1, DIM - 1)[None], 5)


def test_an_embedding_that_is_not_a_number_is_refused_and_nothing_is_added(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="not numbers"):
        gallery.add([photo("p1", "ann"), photo("p2", "bo", embedding=np.full(DIM, np.nan, np.float32))])
    assert gallery.count() == 0


# --- changes ---------------------------------------------------------------------------------------------------------


def test_a_name_is_borne_by_one_identity(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", "Ann"), photo("p2", "bo", "Bo")])
    with pytest.raises(IdentityExistsError, match="Ann"):
        gallery.add([photo("p3", "cy", "Cy"), photo("p4", "other", "Ann")])
    with pytest.raises(IdentityExistsError, match="Ann"):
        gallery.rename("bo", "Ann")
    gallery.rename("bo", "Bo")  # one's own name is no conflict
    assert people_of(gallery) == {"ann": ["p1"], "bo": ["p2"]}


def test_an_unusable_name_adds_nothing(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="cannot be empty"):
        gallery.add([photo("p1", "ann", "Ann"), photo("p2", "bo", "   ")])
    with pytest.raises(GalleryError, match="two names"):
        gallery.add([photo("p1", "ann", "Ann"), photo("p2", "ann", "Bo")])
    assert gallery.count() == 0


def test_unknown_identities_are_named_as_such(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", "Ann")])
    changes: list[Callable[[], object]] = [
        lambda: gallery.identity("nobody"),
        lambda: gallery.photos("nobody"),
        lambda: gallery.rename("nobody", "Bo"),
        lambda: gallery.merge("nobody", "ann"),
        lambda: gallery.merge("ann", "nobody"),
        lambda: gallery.move(["p1"], "nobody"),
        lambda: gallery.remove("nobody"),
    ]
    for change in changes:
        with pytest.raises(IdentityNotFoundError):
            change()
    assert people_of(gallery) == {"ann": ["p1"]}


def test_nobody_is_merged_with_themselves(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", "Ann")])
    with pytest.raises(GalleryError, match="themselves"):
        gallery.merge("ann", "ann")
    assert gallery.count() == 1


def test_a_move_with_an_unknown_photograph_moves_none(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann"), photo("p2", "bo")])
    with pytest.raises(GalleryError, match="photograph"):
        gallery.move(["p1", "gone"], "bo")
    assert people_of(gallery) == {"ann": ["p1"], "bo": ["p2"]}


def test_what_was_erased_is_counted_and_gone(gallery: Gallery) -> None:
    gallery.add([photo(f"p{n}", "ann") for n in range(3)] + [photo("q", "bo")])
    assert gallery.remove("ann") == Erased(identities=1, photos=3)
    assert gallery.remove_photos(["q", "unknown"]) == Erased(identities=1, photos=1)
    assert gallery.remove_photos([]) == Erased(identities=0, photos=0)
    assert gallery.photo("p1") is None
    assert gallery.search(unit(1)[None], 5) == [[]]


def test_half_a_character_is_found_nowhere_and_stored_nowhere(gallery: Gallery) -> None:
    for ask in (gallery.find, gallery.photo, gallery.identity):
        with pytest.raises(GalleryError, match="half a character"):
            ask("\ud800")
    with pytest.raises(GalleryError, match="half a character"):
        gallery.add([photo("p1", "ann"), photo("p2\ud800", "bo", embedding=unit(1))])
    assert gallery.count() == 0


def test_meta_is_kept_and_the_gallery_s_own_is_not_overwritten(gallery: Gallery) -> None:
    assert gallery.get_meta("calibration") is None
    gallery.set_meta("calibration", "one")
    gallery.set_meta("calibration", "two")
    assert gallery.get_meta("calibration") == "two"
    with pytest.raises(GalleryError, match="space_id"):
        gallery.set_meta("space_id", "another")


def test_another_embedding_space_is_refused_with_both_names_and_the_way_out(url: str) -> None:
    opened(url).close()
    with pytest.raises(EmbeddingSpaceError, match=r"toy:1.*other:2.*--space.*build-gallery"):
        open_gallery(url, space_id="other:2", dim=DIM)
    assert space_id_of(url) == SPACE


def test_a_gallery_opens_without_naming_a_space(url: str) -> None:
    with closing(opened(url)) as gallery:
        gallery.add([photo("p1", "ann")])
    with closing(open_gallery(url, space_id=None, dim=None)) as gallery:
        assert gallery.remove("ann") == Erased(1, 1)


def test_a_gallery_that_must_exist_is_not_made(url: str, tmp_path: Path) -> None:
    for flags in ({"create": False}, {"read_only": True}):
        with pytest.raises(GalleryError, match="no gallery"):
            open_gallery(url, space_id=SPACE, dim=DIM, **flags)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_gallery_says_so(url: str) -> None:
    gallery = opened(url)
    gallery.close()
    gallery.close()
    with pytest.raises(GalleryError, match="closed"):
        gallery.count()


def test_eight_threads_add_and_search_one_gallery(gallery: Gallery) -> None:
    def work(thread: int) -> None:
        for n in range(8):
            probe = unit(1000 * thread + n)
            gallery.add([photo(f"p{thread}-{n}", f"i{thread}-{n}", embedding=probe)])
            best = gallery.search(probe[None], 3)[0][0]
            assert (best.identity.id, best.photo_id) == (f"i{thread}-{n}", f"p{thread}-{n}"), (
                "a thread reads its writes"
            )
            assert gallery.photo(f"p{thread}-{n}") is not None

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, thread) for thread in range(8)]:
            done.result()
    assert gallery.count() == 64
    assert all(who.photo_count == 1 for who in gallery.identities())


# --- any sequence of changes, against a dictionary -------------------------------------------------------------------


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


@pytest.mark.parametrize("backend", sorted(BACKENDS))
@settings(max_examples=60, deadline=None)
@given(changes=st.lists(CHANGES, max_size=15))
def test_any_sequence_of_changes_leaves_what_a_dictionary_would_hold(
    backend: str, changes: list[tuple[object, ...]]
) -> None:
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


# --- what people said about the people -------------------------------------------------------------------------------


def _rejection(name: str, identity_id: str, added_at: str = "2026-01-02") -> Rejection:
    return Rejection(name, identity_id, "gate.png", added_at, unit(7))


def test_free_fields_are_replaced_and_survive_new_photographs(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann")])
    gallery.edit("ann", metadata={"notes": "curator, “twin”", "staff no.": "HM-0417"})
    gallery.add([photo("p2", "ann")])
    assert dict(gallery.identity("ann").metadata) == {"notes": "curator, “twin”", "staff no.": "HM-0417"}
    gallery.edit("ann", metadata={})
    assert dict(gallery.identity("ann").metadata) == {}
    with pytest.raises(IdentityNotFoundError):
        gallery.edit("nobody", metadata={})


def test_a_chosen_cover_stays_until_its_photograph_goes(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", quality=0.9), photo("p2", "ann", quality=0.1), photo("q", "bob")])
    gallery.edit("ann", cover_photo_id="p2")
    gallery.add([photo("p3", "ann", quality=1.0)])
    assert gallery.identity("ann").cover_photo_id == "p2"
    gallery.remove_photos(["p2"])
    assert gallery.identity("ann").cover_photo_id == "p3"
    with pytest.raises(GalleryError, match="not one of this person"):
        gallery.edit("ann", cover_photo_id="q")


def test_a_rejection_is_remembered_and_taken_back(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann"), photo("q", "bob")])
    gallery.reject(_rejection("r2", "ann", "2026-02-01"))
    gallery.reject(_rejection("r1", "ann"))
    found = gallery.rejections(["ann", "bob", "nobody"])
    assert [(one.id, one.identity_id) for one in found] == [("r1", "ann"), ("r2", "ann")]
    assert found[0].source == "gate.png"
    np.testing.assert_array_equal(found[0].embedding, unit(7))
    gallery.withdraw("r1")
    gallery.withdraw("r1")
    assert [one.id for one in gallery.rejections(["ann"])] == ["r2"]
    with pytest.raises(IdentityNotFoundError):
        gallery.reject(_rejection("r3", "nobody"))
    with pytest.raises(EmbeddingSpaceError):
        gallery.reject(Rejection("r3", "ann", "", "", unit(7, DIM + 1)))


def test_rejections_go_with_the_person(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann"), photo("q", "bob"), photo("s", "cem")])
    for name, who in (("r1", "ann"), ("r2", "bob"), ("r3", "cem")):
        gallery.reject(_rejection(name, who))
    gallery.merge("ann", "bob")
    assert [one.id for one in gallery.rejections(["bob"])] == ["r1", "r2"]
    gallery.remove("cem")
    assert gallery.rejections(["ann", "cem"]) == []
