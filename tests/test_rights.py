"""The time of people ends, what is held about them can be taken away whole, and nothing of the erased is left."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, enrolled, fake_recognizer, photograph, save

from reid.audit.reading import Filters, rows_of
from reid.audit.recording import recorded, retention_days
from reid.cli import main
from reid.errors import GalleryError, IdentityNotFoundError
from reid.gallery.backup import export_gallery
from reid.gallery.copies import keep_beside
from reid.recognizer import Recognizer
from reid.rights.backups import copies_in, purge_copies
from reid.rights.dossier import write_dossier
from reid.rights.expiry import choose_default, due, expires_on, purge, renew
from reid.rights.housekeeping import Housekeeping
from reid.rights.traces import Traces
from reid.types import Rejection
from reid.unknowns import Keeping, choose_keeping, keep_strangers

TODAY = date(2027, 11, 24)


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    yield from enrolled(tmp_path, "Ann", "Bo", "Cy")


def identity_id(recognizer: Recognizer, name: str) -> str:
    return recognizer.gallery.find(name).id


def give(recognizer: Recognizer, name: str, day: str) -> None:
    recognizer.gallery.edit(identity_id(recognizer, name), metadata={"expires": day, "consent": "signed"})


def names(recognizer: Recognizer) -> list[str]:
    return [one.name for one in recognizer.gallery.identities()]


# --- until when ------------------------------------------------------------------------------------------------------


def test_people_are_warned_of_two_weeks_before_and_erased_the_day_after(recognizer):
    for name, day in (("Ann", "2027-12-08"), ("Bo", "2027-11-24"), ("Cy", "2027-12-09")):
        give(recognizer, name, day)
    assert [one.identity.name for one in due(recognizer.gallery, TODAY)] == ["Bo", "Ann"]
    assert purge(recognizer.gallery, TODAY) == 0, "the last day is not over"
    assert purge(recognizer.gallery, TODAY + timedelta(days=1)) == 1
    assert names(recognizer) == ["Ann", "Cy"]
    row = rows_of(recognizer.audit, Filters(action="expire"))[0]
    assert (row.actor, row.facts["expired"]) == ("byteface", "2027-11-24")


def test_a_day_that_cannot_be_read_is_shown_and_erases_nobody(recognizer):
    give(recognizer, "Ann", "next summer")
    ((found),) = due(recognizer.gallery, TODAY)
    assert (found.identity.name, found.expires) == ("Ann", None)
    assert purge(recognizer.gallery, TODAY + timedelta(days=9999)) == 0


def test_opening_the_gallery_erases_whoever_is_over(recognizer, tmp_path):
    give(recognizer, "Ann", "2020-01-01")
    give(recognizer, "Bo", "2120-01-01")
    recognizer.close()
    with closing(fake_recognizer(tmp_path)) as opened:
        assert names(opened) == ["Bo", "Cy"]


def test_a_renewal_adds_the_default_to_the_old_day_and_keeps_the_record(recognizer):
    gallery, ann = recognizer.gallery, identity_id(recognizer, "Ann")
    give(recognizer, "Ann", "2027-11-30")
    assert renew(gallery, ann, today=TODAY) == date(2028, 11, 29)
    choose_default(gallery, 10)
    assert renew(gallery, ann, today=TODAY) == date(2028, 12, 9)
    assert gallery.identity(ann).metadata == {"expires": "2028-12-09", "consent": "signed"}
    assert rows_of(recognizer.audit, Filters(action="renew"))[0].facts["expires"] == "2028-12-09"
    with pytest.raises(GalleryError, match="over already"):
        renew(gallery, ann, date(2020, 1, 1), TODAY)


def test_whoever_is_enrolled_after_a_default_was_chosen_has_a_last_day(recognizer):
    gallery = recognizer.gallery
    choose_default(gallery, 30)
    assert retention_days(gallery) == 30
    recognizer.enrol("Dee", [recognizer.sample(photograph([3]))])
    recognizer.enrol("Ann", [recognizer.sample(photograph([0], patch_px=110))])
    expected = datetime.now(UTC).date() + timedelta(days=30)
    assert expires_on(gallery.find("Dee")) == expected
    assert expires_on(gallery.find("Ann")) is None, "she was there before"
    assert choose_default(gallery, 60, existing=True) == 3
    assert expires_on(gallery.find("Ann")) == expected + timedelta(days=30)
    assert expires_on(gallery.find("Dee")) == expected
    with pytest.raises(GalleryError, match="0 for no end"):
        choose_default(gallery, -1)


def test_every_gallery_of_the_folder_is_looked_through_by_the_day(recognizer, tmp_path):
    recognizer.shelf.create("door 2")
    other = fake_recognizer(tmp_path / "elsewhere")
    other.enrol("Old", [other.sample(photograph([4]))])
    give(other, "Old", "2020-01-01")
    other.close()
    for file in (tmp_path / "elsewhere").glob("people.db*"):
        file.rename(tmp_path / file.name.replace("people", "third"))
    (tmp_path / "broken.db").write_bytes((tmp_path / "people.db").read_bytes()[:200])
    give(recognizer, "Ann", "2020-01-01")
    copy = keep_beside(tmp_path / "people.db")
    os.utime(copy, (0, 0))
    assert Housekeeping(recognizer).look() == 2
    assert names(recognizer) == ["Bo", "Cy"]
    assert not copy.exists()
    assert {row.gallery for row in rows_of(recognizer.audit, Filters(action="expire"))} == {"people", "third"}
    keeper = Housekeeping(recognizer)
    keeper.start()
    keeper.stop()


# --- older copies ----------------------------------------------------------------------------------------------------


def test_old_copies_are_listed_with_their_day_and_go_when_it_is_over(recognizer, tmp_path):
    kept = keep_beside(tmp_path / "people.db")
    export_gallery(recognizer.gallery.url, tmp_path / "mine.byteface")
    (tmp_path / "not ours.before-1.db").write_bytes(b"something else")
    with zipfile.ZipFile(tmp_path / "other.byteface", "w") as archive:
        archive.writestr("x", "y")
    os.utime(kept, (0, 0))
    old, new = copies_in(tmp_path, 90)
    assert (old.path, new.path.name) == (kept, "mine.byteface")
    assert old.goes_at == datetime(1970, 4, 1, tzinfo=UTC)
    assert purge_copies(tmp_path, 0) == 0
    assert purge_copies(tmp_path, 90) == 1
    assert {file.name for file in tmp_path.glob("*.b*")} >= {"mine.byteface", "other.byteface", "not ours.before-1.db"}
    assert not kept.exists()


# --- what is held ----------------------------------------------------------------------------------------------------


def test_everything_held_about_a_person_is_in_one_file_and_nobody_else_is(recognizer, tmp_path):
    gallery, ann = recognizer.gallery, identity_id(recognizer, "Ann")
    choose_keeping(gallery, Keeping(on=True))
    probe = photograph([0], "yard.png", doubts=[0.45])
    keep_strangers(recognizer, probe.name, probe.sha256, recognizer.describe(probe, recognizer.detect(probe)))
    recognizer.search(photograph([0, 1]), purpose="case 7")
    gallery.pen.log.append(gallery.pen.entry("verdict", subjects=[ann], details={"verdict": "inconclusive"}))
    photo = gallery.photos(identity_id(recognizer, "Bo"))[0]
    gallery.reject(Rejection("e" * 32, ann, "gate.png", "2026-01-01", photo.embedding))
    gallery.edit(ann, metadata={"consent": "signed", "Staff no.": "17"})
    done = write_dossier(gallery, ann, tmp_path / "ann.zip", recipient="Ann herself")
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        person = json.loads(archive.read("person.json"))
        log = list(csv.DictReader(io.StringIO(archive.read("log.csv").decode())))
        embeddings = list(csv.reader(io.StringIO(archive.read("embeddings.csv").decode())))[1:]
        crops = {name: archive.read(name) for name in archive.namelist() if name.startswith("crops/")}
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert b"passport" in archive.read("README.txt")
    photos = gallery.photos(ann)
    assert (person["name"], person["record"]["Staff no."]) == ("Ann", "17")
    assert crops == {f"crops/{one.id}.jpg": one.crop_jpeg for one in photos}
    assert np.allclose(np.array([row[1:] for row in embeddings], np.float32), [one.embedding for one in photos])
    assert person["said_not_to_be_this_person"][0]["source"] == "gate.png"
    assert {"enrol", "search", "edit", "reject"} <= {row["what"] for row in log}
    found = next(row for row in log if row["what"] == "search")
    assert found["what_for"] == "case 7"
    assert float(found["similarity"]) > float(found["threshold"]) > 0
    assert [row["outcome"] for row in log if row["outcome"]] == ["named", "inconclusive"]
    assert identity_id(recognizer, "Bo").encode() not in everything
    assert (done.photographs, len(log)) == (2, done.log_rows)
    row = rows_of(recognizer.audit, Filters(action="disclose"))[0]
    assert (row.facts["recipient"], row.facts["kind"], row.subject_ids) == ("Ann herself", "dossier", [ann])
    assert (tmp_path / "ann.zip").stat().st_mode & 0o777 == 0o600


def test_kept_faces_that_look_like_the_person_are_in_it(recognizer, tmp_path):
    gallery = recognizer.gallery
    choose_keeping(gallery, Keeping(on=True))
    probe = photograph([4], "yard.png")
    keep_strangers(recognizer, probe.name, probe.sha256, recognizer.describe(probe, recognizer.detect(probe)))
    recognizer.enrol("Eve", [recognizer.sample(photograph([4], patch_px=108))])
    assert write_dossier(gallery, identity_id(recognizer, "Eve"), tmp_path / "eve.zip").strangers == 1
    with zipfile.ZipFile(tmp_path / "eve.zip") as archive:
        assert [name for name in archive.namelist() if name.startswith("strangers/")]


def test_a_dossier_of_nobody_leaves_no_file(recognizer, tmp_path):
    with pytest.raises(IdentityNotFoundError):
        write_dossier(recognizer.gallery, "f" * 32, tmp_path / "nobody.zip")
    assert not list(tmp_path.glob("*.zip*"))


# --- nothing is left -------------------------------------------------------------------------------------------------


def test_an_erasure_reaches_what_training_kept_of_the_photographs(recognizer, tmp_path):
    """With the trainer's own cache: what it writes is what goes."""
    from trainer.data import FaceStore, Photo
    from trainer.embeddings import EmbeddingCache

    files = [save(tmp_path / f"{person}.jpg", [person]) for person in range(3)]
    models = tmp_path / "models"
    store = FaceStore(models / "cache" / "faces", FakeDetector(), "largest", [112], min_face_px=10)
    faces = store.find([Photo(file.name, file, "x") for file in files], "faces")
    cache = EmbeddingCache(models / "cache" / "embeddings")
    cache.embed(recognizer.space, faces)
    (rows,) = (models / "cache" / "embeddings").glob("*.npz")
    assert {folder.stat().st_mode & 0o077 for folder in (store.folder, cache.folder)} == {0}, "nobody else's to see"
    digest = faces[0].sha256
    assert list(models.rglob(f"{digest}*"))
    assert Traces(models).forget([digest, ""]) == 3, "a crop, its record, and the table of embeddings"
    assert not list(models.rglob(f"{digest}*"))
    with np.load(rows) as left:
        assert not [key for key in left["keys"].tolist() if digest in key]
        assert len(left["keys"]) == 2
    assert Traces(models).forget([one.sha256 for one in faces]) == 5
    assert not rows.exists()
    assert Traces(tmp_path / "none").forget([digest]) == 0


def test_of_the_erased_not_a_byte_is_left_in_any_file_of_the_folder(tmp_path):
    """Among enough others that pages of the file were split, moved and freed."""
    generator = np.random.default_rng(3)
    with closing(fake_recognizer(tmp_path)) as made:
        inner = made.gallery
        ann = made.enrol("Annabelle Verylongname", [made.sample(photograph([0], f"annabelle{n}.png", patch_px=90 + n))
                                                    for n in range(3)]).identity  # fmt: skip
        for number in range(120):
            sample = made.sample(photograph([number % 3 + 1], f"x{number}.png", patch_px=100 + number % 7))
            made.enrol(f"Person {generator.integers(1 << 60):x}", [sample])
        inner.edit(ann.id, metadata={"consent": "signed by annabelle", "notes": "tall " * 60})
        inner.rename(ann.id, "Annabelle Otherlongname")
        photos = inner.photos(ann.id)
        secrets = [b"nnabelle", b"tall tall", *(one.crop_jpeg[600:700] for one in photos),
                   *(one.embedding.tobytes() for one in photos)]  # fmt: skip
        assert all(_found(tmp_path, secret) for secret in secrets)
        inner.remove(ann.id)
        left = [secret for secret in secrets if _found(tmp_path, secret)]
        assert left == []
    assert not [secret for secret in secrets if _found(tmp_path, secret)]
    with closing(sqlite3.connect(tmp_path / "people.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_nor_where_the_same_face_lies_as_an_answer_or_a_stranger(recognizer, tmp_path):
    gallery = recognizer.gallery
    choose_keeping(gallery, Keeping(on=True))
    probe = photograph([4], "yard-of-eve.png")
    (template,) = recognizer.describe(probe, recognizer.detect(probe))
    keep_strangers(recognizer, probe.name, probe.sha256, [template])
    gallery.reject(Rejection("e" * 32, identity_id(recognizer, "Bo"), probe.name, "2026-01-01", template.embedding))
    other = recognizer.sample(photograph([5])).template.embedding
    gallery.reject(Rejection("f" * 32, identity_id(recognizer, "Bo"), "other.png", "2026-01-01", other))
    eve = recognizer.enrol("Eve", [recognizer.sample(probe)]).identity
    secrets = [b"yard-of-eve", template.embedding.tobytes()]
    assert all(_found(tmp_path, secret) for secret in secrets)
    gallery.remove(eve.id)
    assert not [secret for secret in secrets if _found(tmp_path, secret)]
    assert gallery.unknowns.count() == 0
    assert [one.id for one in gallery.rejections([identity_id(recognizer, "Bo")])] == ["f" * 32]


def _found(folder: Path, content: bytes) -> bool:
    return any(content in file.read_bytes() for file in folder.rglob("*") if file.is_file())


# --- in the shell ----------------------------------------------------------------------------------------------------


def test_the_commands_export_renew_and_erase_a_person(recognizer, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BYTEFACE_GALLERY", recognizer.gallery.url)
    monkeypatch.setenv("BYTEFACE_MODELS", str(tmp_path / "models"))
    keep_beside(tmp_path / "people.db")
    assert main(["person", "export", "Ann", "--out", str(tmp_path / "out" / "ann.zip"), "--purpose", "asked"]) == 0
    assert "2 crops" in capsys.readouterr().out
    assert main(["person", "renew", identity_id(recognizer, "Ann"), "--until", "2120-01-01"]) == 0
    assert "2120-01-01" in capsys.readouterr().out
    assert main(["person", "erase", "Ann"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert main(["person", "erase", "Ann", "--yes"]) == 0
    assert "goes on" in capsys.readouterr().out
    assert names(recognizer) == ["Bo", "Cy"]
    assert main(["person", "erase", "Ann", "--yes"]) == 1
    purposes = {row.purpose for row in rows_of(recognizer.audit, Filters(action="disclose"))}
    assert purposes == {"asked"}


def test_the_command_says_how_long_people_are_held(recognizer, monkeypatch, capsys):
    monkeypatch.setenv("BYTEFACE_GALLERY", recognizer.gallery.url)
    give(recognizer, "Ann", "2020-01-01")
    assert main(["retention"]) == 0
    assert "Ann  2020-01-01" in capsys.readouterr().out
    assert main(["retention", "--existing"]) == 1
    assert main(["retention", "--default-days", "30", "--existing", "--purge"]) == 0
    said = capsys.readouterr().out
    assert "2 people without a last day" in said
    assert "over: 1." in said
    assert "held for 30 days" in said


def test_a_gallery_that_cannot_be_written_keeps_everybody(recognizer):
    from reid.gallery import open_gallery

    give(recognizer, "Ann", "2020-01-01")
    with closing(open_gallery(recognizer.gallery.url, space_id=None, dim=None, read_only=True)) as opened:
        assert purge(recorded(opened, recognizer.audit)) == 0
