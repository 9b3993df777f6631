"""Whoever was erased stays erased, also when a backup of before is restored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import enrolled, photograph

from reid.audit.log import AuditLog
from reid.audit.reading import Filters, rows_of
from reid.audit.recording import recorded
from reid.audit.rows import Entry
from reid.cli import main
from reid.recognizer import Recognizer
from reid.rights.erasures import Erasures, erasures_of
from reid.rights.transfers import export_recorded, restore_recorded, take_back_recorded
from reid.unknowns import Keeping, choose_keeping, keep_strangers


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    yield from enrolled(tmp_path, "Ann", "Bo", "Cy")


@pytest.fixture
def backup(recognizer: Recognizer, tmp_path: Path) -> Path:
    """Of everybody."""
    file = tmp_path / "kept" / "people.byteface"
    export_recorded(recognizer.audit, recognizer.gallery.url, file, purpose="weekly", recipient="the safe")
    return file


def people(recognizer: Recognizer) -> list[str]:
    return [one.name for one in recognizer.gallery.identities()]


def restore(recognizer: Recognizer, backup: Path):
    return restore_recorded(recognizer.audit, backup, recognizer.gallery.url, replace=True)


def test_somebody_who_was_erased_does_not_come_back_with_a_backup(recognizer, backup):
    recognizer.gallery.remove(recognizer.gallery.find("Ann").id)
    done = restore(recognizer, backup)
    assert people(recognizer) == ["Bo", "Cy"]
    assert done.forgotten == 2
    assert done.contents.people == 2
    (begun, ended) = rows_of(recognizer.audit, Filters(action="restore"))[::-1]
    assert begun.facts["inputs"] == [ended.facts["inputs"][0]]
    assert ended.facts["forgotten"] == 2


def test_nor_into_a_gallery_of_its_own(recognizer, backup, tmp_path):
    recognizer.gallery.remove(recognizer.gallery.find("Ann").id)
    restore_recorded(recognizer.audit, backup, str(tmp_path / "new.db"))
    content = (tmp_path / "new.db").read_bytes()
    assert b"Ann" not in content
    assert b"Bo" in content


def test_nor_by_the_undo_of_a_restore(recognizer, backup):
    done = restore(recognizer, backup)
    recognizer.gallery.remove(recognizer.gallery.find("Bo").id)
    take_back_recorded(recognizer.audit, recognizer.gallery.url, done.kept)
    assert people(recognizer) == ["Ann", "Cy"]


def test_photographs_that_were_taken_out_by_mistake_come_back(recognizer, backup):
    ann = recognizer.gallery.find("Ann")
    first, second = recognizer.gallery.photos(ann.id)
    recognizer.gallery.remove_photos([first.id])
    restore(recognizer, backup)
    assert {photo.id for photo in recognizer.gallery.photos(ann.id)} == {first.id, second.id}


def test_whoever_goes_with_their_last_photograph_does_not_come_back_but_by_undo(recognizer, backup):
    gallery = recognizer.gallery
    ann = gallery.find("Ann")
    photos = gallery.photos(ann.id)
    gallery.remove_photos([photos[0].id, gallery.photos(gallery.find("Bo").id)[0].id])
    gallery.remove_photos([photos[1].id])
    restore(recognizer, backup)
    assert people(recognizer) == ["Bo", "Cy"]
    assert gallery.find("Bo").photo_count == 2
    gallery.add(photos)  # as Undo does
    restore(recognizer, backup)
    assert people(recognizer) == ["Ann", "Bo", "Cy"]


def test_what_training_keeps_goes_with_a_single_photograph_too(recognizer):
    asked = []
    gallery = recorded(
        recognizer.gallery.inner, recognizer.audit, lambda digests: asked.extend(digests) or len(digests)
    )
    first, second = gallery.photos(gallery.find("Ann").id)
    gallery.remove_photos([first.id, "nobody's"])
    assert asked == [first.sha256]
    gallery.remove(gallery.find("Ann").id)
    assert asked == [first.sha256, second.sha256]


def test_what_was_merged_into_somebody_who_is_erased_does_not_come_back_either(recognizer, backup):
    gallery = recognizer.gallery
    gallery.merge(gallery.find("Ann").id, gallery.find("Bo").id)
    gallery.remove(gallery.find("Bo").id)
    restore(recognizer, backup)
    assert people(recognizer) == ["Cy"]


def test_whoever_is_enrolled_again_is_restored_again(recognizer, backup):
    gallery = recognizer.gallery
    ann = gallery.find("Ann")
    photos = gallery.photos(ann.id)
    gallery.remove(ann.id)
    gallery.add(photos)  # as Undo does
    restore(recognizer, backup)
    assert people(recognizer) == ["Ann", "Bo", "Cy"]


def test_a_kept_stranger_who_was_erased_does_not_come_back(recognizer, tmp_path):
    choose_keeping(recognizer.gallery, Keeping(on=True))
    probe = photograph([4])
    kept = keep_strangers(recognizer, probe.name, probe.sha256, recognizer.describe(probe, recognizer.detect(probe)))
    export_recorded(recognizer.audit, recognizer.gallery.url, tmp_path / "p.byteface")
    recognizer.gallery.unknowns.remove(kept.ids)
    restore(recognizer, tmp_path / "p.byteface")
    assert recognizer.gallery.unknowns.count() == 0
    assert len(people(recognizer)) == 3


def test_an_erasure_that_never_ended_counts_and_one_that_failed_does_not(tmp_path):
    log = AuditLog(tmp_path / "audit.db")
    assert not erasures_of(log)
    log.append(Entry("erase", "begun", subjects=["a"]))
    failed = log.append(Entry("erase", "begun", subjects=["b"]))
    log.append(Entry("erase", "failed", subjects=["b"], details={"of": failed}))
    assert erasures_of(log) == Erasures({"a"}, set(), set())


def test_an_export_is_on_record_with_its_recipient(recognizer, backup):
    (row,) = rows_of(recognizer.audit, Filters(action="export"))
    assert (row.purpose, row.facts["recipient"], row.facts["people"]) == ("weekly", "the safe", 3)
    assert backup.exists()


def test_the_commands_keep_it_too(recognizer, backup, monkeypatch, capsys):
    monkeypatch.setenv("BYTEFACE_GALLERY", recognizer.gallery.url)
    recognizer.gallery.remove(recognizer.gallery.find("Ann").id)
    assert main(["restore", str(backup), "--replace"]) == 0
    assert "2 of its photographs were erased here since" in capsys.readouterr().out
    assert people(recognizer) == ["Bo", "Cy"]
    assert main(["export", str(backup.with_name("people.csv")), "--csv", "--recipient", "the auditor"]) == 0
    row = rows_of(recognizer.audit, Filters(action="export"))[0]
    assert (row.facts["table"], row.facts["recipient"]) == (True, "the auditor")
