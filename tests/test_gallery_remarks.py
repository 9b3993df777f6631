"""The contract of what people said about the enrolled: free fields, chosen covers, rejections."""

from __future__ import annotations

import numpy as np
import pytest
from gallery_records import DIM, photo, unit

from reid.errors import EmbeddingSpaceError, GalleryError, IdentityNotFoundError
from reid.gallery import Gallery
from reid.types import Rejection


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
