"""The contract of every gallery that can be written, on each backend of `gallery_backends`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_backends import check_search, opened, people_of
from gallery_records import DIM, SPACE, photo, unit

from reid.errors import EmbeddingSpaceError, GalleryError, IdentityExistsError, IdentityNotFoundError
from reid.gallery import Erased, Gallery, open_gallery, space_id_of

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
    assert gallery.spellings("ANN") == ["Ann", "ann"]
    assert gallery.spellings("zo\u00c9") == ["Zo\u00e9"]
    assert gallery.spellings("An") == []


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


def test_of_several_who_cannot_be_made_the_first_is_told_about(gallery: Gallery) -> None:
    twice = [photo("p1", "a", "Ann"), photo("p2", "c", "Ann")]
    with pytest.raises(IdentityExistsError, match="Ann is enrolled already"):
        gallery.add([*twice, photo("p3", "b", "Bo"), photo("p4", "b", "Cy")])
    with pytest.raises(GalleryError, match="two names"):
        gallery.add([photo("p3", "b", "Bo"), photo("p4", "b", "Cy"), *twice])
    assert gallery.count() == 0


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
