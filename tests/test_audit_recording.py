"""What is done to a gallery is in the log, whoever does it; what cannot be recorded is not done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import enrolled, photograph

from reid.actor import Actor, Role, act_as, acting
from reid.audit.log import AuditLog
from reid.audit.reading import Filters, rows_of
from reid.audit.recording import RecordingGallery, pen_of
from reid.audit.rows import Row
from reid.audit.verifying import verify
from reid.audit.writing import within
from reid.errors import AuditError, GalleryError, IdentityExistsError, NotAllowedError, PurposeError
from reid.gallery.base import Gallery, Unknowns
from reid.recognizer import Recognizer
from reid.types import Rejection, Threshold
from reid.unknowns import Keeping, choose_keeping, keep_strangers


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    yield from enrolled(tmp_path, "Ann", "Bo")


@contextmanager
def acting_as(role: Role, name: str = "marta", purpose: str = "") -> Iterator[None]:
    before = acting()
    act_as(Actor(name, role, purpose))
    try:
        yield
    finally:
        act_as(before)


def written(recognizer: Recognizer, action: str = "") -> list[Row]:
    return rows_of(recognizer.audit, Filters(action=action))


def test_a_search_is_one_row_with_what_the_law_lists(recognizer):
    probe = photograph([0, 3], "secret-name.png")
    with acting_as(Role.VIEWER, purpose="case 7"):
        recognizer.search(probe, threshold=0.6)
    (row,) = written(recognizer, "search")
    ann = recognizer.gallery.find("Ann")
    assert (row.actor, row.role, row.purpose, row.phase) == ("marta", "viewer", "case 7", "done")
    assert row.started_at <= row.at
    assert (row.gallery, row.revision, row.space) == ("people", recognizer.gallery.revision(), recognizer.space.id)
    assert row.subject_ids == [ann.id]
    facts = row.facts
    assert facts["inputs"] == [probe.sha256]
    assert (facts["faces"], facts["threshold"]) == (2, 0.6)
    assert facts["found"][0]["given"][0] == ann.id
    assert facts["found"][1]["given"] is None
    assert {one[0] for one in facts["found"][1]["candidates"]} == {one.id for one in recognizer.gallery.identities()}
    assert verify(recognizer.audit).bad is None


def test_a_search_around_the_facade_is_recorded_too(recognizer):
    embedding = recognizer.sample(photograph([0])).template.embedding
    recognizer.gallery.search(embedding[None], 1)
    assert len(written(recognizer, "search")) == 1
    with within():
        recognizer.gallery.search(embedding[None], 1)
    assert len(written(recognizer, "search")) == 1


def test_nobody_in_particular_searches_nothing(recognizer):
    embedding = recognizer.sample(photograph([0])).template.embedding
    with acting_as(Role.NOBODY), pytest.raises(NotAllowedError):
        recognizer.gallery.search(embedding[None], 1)


def test_whoever_probes_may_take_back_what_the_probe_kept(recognizer):
    choose_keeping(recognizer.gallery, Keeping(on=True))
    probe = photograph([4])
    with acting_as(Role.VIEWER):
        faces = recognizer.describe(probe, recognizer.detect(probe))
        kept = keep_strangers(recognizer, probe.name, probe.sha256, faces)
        with pytest.raises(NotAllowedError):
            recognizer.gallery.unknowns.remove(kept.ids)
        assert recognizer.gallery.unknowns.unkeep(kept.ids) == 1
    assert written(recognizer, "erase_strangers")[0].facts["taken_back"]


def test_what_is_no_id_of_ours_and_long_words_are_not_kept_for_ever(recognizer):
    gallery = recognizer.gallery
    gallery.unknowns.remove(["Ann Smith, 4 High Street"] * 1000)
    gallery.unknowns.ignore(list("nobody"))
    gallery.remove_photos(["Ann Smith"] * 1000)
    with gallery.pen.use("disclose", recipient="x\ny" * 10_000):
        pass
    rows = rows_of(recognizer.audit)
    assert {row.action for row in rows} >= {"erase_strangers", "ignore", "erase_photos", "disclose"}
    assert max(len(row.details) for row in rows) < 2000
    assert not [row for row in rows if "Smith" in row.details]


def test_a_search_that_fails_is_recorded_as_failed(recognizer, monkeypatch):
    monkeypatch.setattr(recognizer, "detect", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        recognizer.search(photograph([0]))
    (row,) = written(recognizer, "search")
    assert (row.phase, row.facts["error"]) == ("failed", "ZeroDivisionError")


def test_where_a_purpose_is_required_nobody_searches_without_one(recognizer):
    recognizer.audit.asking = "required"
    with pytest.raises(PurposeError, match="purpose"):
        recognizer.search(photograph([0]))
    with pytest.raises(PurposeError):
        recognizer.gallery.search(recognizer.sample(photograph([0])).template.embedding[None], 1)
    recognizer.search(photograph([0]), purpose="case 7")
    assert [row.purpose for row in written(recognizer, "search")] == ["case 7"]


def _changes(gallery: Gallery) -> dict[str, tuple[Role, object]]:
    """What changes a gallery: its action, the role that it needs, and how it is done."""
    ann, bo = gallery.find("Ann"), gallery.find("Bo")
    photo = gallery.photos(ann.id)[0]
    rejection = Rejection("e" * 32, bo.id, "x", "2026-01-01", photo.embedding)
    threshold = json.dumps({"value": 0.5, "origin": "x", "calibrated": False})
    return {
        "enrol": (Role.OPERATOR, lambda: gallery.add([replace(photo, id="f" * 32)])),
        "rename": (Role.OPERATOR, lambda: gallery.rename(ann.id, "Anna")),
        "edit": (Role.OPERATOR, lambda: gallery.edit(ann.id, metadata={"consent": "signed", "pet name": "Mouse"})),
        "move": (Role.OPERATOR, lambda: gallery.move([photo.id], bo.id)),
        "reject": (Role.OPERATOR, lambda: gallery.reject(rejection)),
        "withdraw": (Role.OPERATOR, lambda: gallery.withdraw(rejection.id)),
        "apart": (Role.OPERATOR, lambda: gallery.set_apart(ann.id, bo.id)),
        "erase_photos": (Role.OPERATOR, lambda: gallery.remove_photos([photo.id])),
        "ignore": (Role.OPERATOR, lambda: gallery.unknowns.ignore(["a" * 32])),
        "erase_strangers": (Role.OPERATOR, lambda: gallery.unknowns.remove(["a" * 32])),
        "setting": (Role.OPERATOR, lambda: gallery.set_meta("demo", "enrolled")),
        "threshold": (Role.ADMIN, lambda: gallery.set_meta("calibration", threshold)),
        "merge": (Role.OPERATOR, lambda: gallery.merge(ann.id, bo.id)),
        "erase": (Role.OPERATOR, lambda: gallery.remove(bo.id)),
    }


@pytest.mark.parametrize("action", ["enrol", "rename", "edit", "move", "reject", "withdraw", "apart", "erase_photos",
                                    "ignore", "erase_strangers", "setting", "threshold", "merge", "erase"])  # fmt: skip
def test_a_change_is_recorded_before_and_after_it_and_asks_for_a_role(recognizer, action):
    role, change = _changes(recognizer.gallery)[action]
    known = len(written(recognizer, action))
    revision = recognizer.gallery.revision()
    with acting_as(Role(role - 1)), pytest.raises(NotAllowedError):
        change()
    assert recognizer.gallery.revision() == revision
    with acting_as(role):
        change()
    done, begun, refused = written(recognizer, action)[: -known or None]
    assert (refused.phase, begun.phase, done.phase) == ("refused", "begun", "done")
    assert done.facts["of"] == begun.seq
    assert begun.subjects == done.subjects


def test_every_method_that_the_protocols_name_is_there(recognizer):
    """One that a new version adds must be thought about: it either changes something or only reads."""
    for protocol, made in ((Gallery, recognizer.gallery), (Unknowns, recognizer.gallery.unknowns)):
        missing = {name for name in dir(protocol) if not name.startswith("_")} - set(dir(made))
        assert not missing


def test_no_name_source_or_embedding_is_in_the_log(recognizer):
    gallery = recognizer.gallery
    ann = gallery.find("Ann")
    gallery.rename(ann.id, "Annabelle Longname")
    gallery.edit(ann.id, metadata={"consent": "signed on paper", "Nickname": "Mouse", "expires": "2030-01-01"})
    recognizer.search(photograph([0], "annabelle.png"))
    recognizer.audit.close()
    everything = b"".join(file.read_bytes() for file in recognizer.audit.path.parent.glob("audit.db*"))
    template = gallery.photos(ann.id)[0].embedding.tobytes()
    for secret in (b"Ann", b"Longname", b"signed", b"Nickname", b"Mouse", b"annabelle", b".png", template):
        assert secret not in everything
    assert b"2030-01-01" in everything


def test_a_change_that_fails_is_recorded_as_failed(recognizer):
    with pytest.raises(IdentityExistsError):
        recognizer.gallery.rename(recognizer.gallery.find("Ann").id, "Bo")
    row = written(recognizer, "rename")[0]
    assert (row.phase, row.facts["error"]) == ("failed", "IdentityExistsError")


def test_what_cannot_be_recorded_is_not_done(recognizer, tmp_path):
    gallery = RecordingGallery(recognizer.gallery.inner, AuditLog(tmp_path))  # a folder is no log
    with pytest.raises(AuditError):
        gallery.rename(gallery.find("Ann").id, "Anna")
    assert gallery.find("Ann")


def test_a_change_whose_end_cannot_be_recorded_stays_begun_in_the_log(recognizer, monkeypatch, caplog):
    log, append = recognizer.audit, recognizer.audit.append

    def full(*entries, durable=False):
        if entries[0].phase != "begun":
            raise AuditError("no room")
        return append(*entries, durable=durable)

    monkeypatch.setattr(log, "append", full)
    recognizer.gallery.rename(recognizer.gallery.find("Ann").id, "Anna")
    monkeypatch.undo()
    assert recognizer.gallery.find("Anna")
    assert verify(log).open_changes == 1
    assert "without its end" in caplog.text


def test_a_threshold_that_is_changed_leaves_both_values(recognizer):
    recognizer.threshold = Threshold(0.7, "by hand", False)
    recognizer.threshold = Threshold(0.6, "by hand", False)
    facts = written(recognizer, "threshold")[0].facts
    assert (facts["before"], facts["value"]) == (0.7, 0.6)


def test_an_erasure_names_the_photographs_by_their_ids(recognizer):
    ann = recognizer.gallery.find("Ann")
    ids = {photo.id for photo in recognizer.gallery.photos(ann.id)}
    recognizer.gallery.remove(ann.id)
    row = written(recognizer, "erase")[0]
    assert row.subject_ids == [ann.id]
    assert set(row.facts["photos"]) == ids


def test_a_gallery_beside_the_first_is_recorded_under_its_own_name(recognizer):
    from reid.gallery.shelf import choose

    recognizer.shelf.create("door 2")
    try:
        choose("door 2")
        recognizer.enrol("Cy", [recognizer.sample(photograph([2]))])
    finally:
        choose(None)
    assert {row.gallery for row in written(recognizer)[:3]} == {"door 2"}
    assert "audit" not in recognizer.shelf.names()


def test_keeping_a_stranger_belongs_to_its_search_and_is_recorded(recognizer):
    choose_keeping(recognizer.gallery, Keeping(on=True, days=3))
    probe = photograph([4])
    with acting_as(Role.VIEWER):
        templates = [one.template for one in recognizer.search(probe)]
        keep_strangers(recognizer, probe.name, probe.sha256, templates)
    assert len(written(recognizer, "search")) == 1
    assert [row.phase for row in written(recognizer, "keep")] == ["done", "begun"]


def test_a_gallery_that_nobody_records_is_noticed(recognizer):
    with pytest.raises(GalleryError, match="not recorded"):
        pen_of(recognizer.gallery.inner)


def test_a_log_elsewhere_is_used_where_somebody_says_so(recognizer, tmp_path):
    with closing(AuditLog(tmp_path / "kept" / "elsewhere.db")) as log:
        other = Recognizer(recognizer.describer.detector, recognizer.space, recognizer.gallery.inner, audit=log)
        other.search(photograph([0]))
        assert log.path.exists()
