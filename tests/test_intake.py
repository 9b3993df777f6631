"""Bulk import: what a folder, a zip or a CSV holds, what becomes of each photograph, and what an archive may not do."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from fakes import fake_recognizer, photograph, save
from intake_files import PEOPLE, as_zip, imported, opened_recognizer, packed, people_folder, statuses

from reid.cli import main
from reid.errors import ArchiveError, TableError
from reid.intake import Import, open_source
from reid.intake.report import COLUMNS, counts_of, groups_of, people_of, table_of
from reid.recognizer import Recognizer
from reid.tables import plain, read_rows, write_csv
from reid.ui.probing import look
from reid.ui.reporting import result_csv
from reid.ui.session import Sessions
from reid.verdicts import MIN_ENROL_PX


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    yield from opened_recognizer(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return people_folder(tmp_path)


# --- sources ---------------------------------------------------------------------------------------------------------


def as_folder(folder: Path) -> Path:
    return folder


def as_wrapped_zip(folder: Path) -> Path:
    return packed(folder, folder.with_suffix(".zip"), below="volunteers/")


def as_csv(folder: Path) -> Path:
    rows = [f"{name}/{number}.jpg,{name},x" for name in PEOPLE for number in range(2)]
    table = folder.parent / "people.csv"
    table.write_text("Image_Path,NAME,other\n" + "\n".join(rows), encoding="utf-8")
    shutil.copytree(folder, folder.parent, dirs_exist_ok=True)
    return table


def as_zip_with_a_table(folder: Path) -> Path:
    flat = folder.parent / "flat"
    flat.mkdir()
    rows = []
    for name in PEOPLE:
        for number in range(2):
            shutil.copy(folder / name / f"{number}.jpg", flat / f"{name}{number}.jpg")
            rows.append(f"{name}{number}.jpg,{name}")
    (flat / "table.csv").write_text("image_path,gt\n" + "\n".join(rows), encoding="utf-8")
    return packed(flat, folder.with_suffix(".zip"), below="all/")


@pytest.mark.parametrize("shape", [as_folder, as_zip, as_wrapped_zip, as_csv, as_zip_with_a_table])
def test_everybody_of_a_source_is_enrolled_once(
    recognizer: Recognizer, folder: Path, shape: Callable[[Path], Path]
) -> None:
    source = shape(folder)
    done = imported(recognizer, source)
    assert counts_of(done) == {"enrolled": 6}
    assert [(one.name, one.photo_count) for one in recognizer.gallery.identities()] == [(n, 2) for n in PEOPLE]
    assert done.created == set(PEOPLE)
    assert len(set(done.photo_ids)) == 6
    again = imported(recognizer, source)
    assert counts_of(again) == {"known": 6}
    assert again.photo_ids == []
    assert [one.photo_count for one in recognizer.gallery.identities()] == [2, 2, 2]


def test_the_same_file_is_known_whichever_of_its_faces_was_taken(recognizer: Recognizer, tmp_path: Path) -> None:
    (tmp_path / "people" / "Ann").mkdir(parents=True)
    save(tmp_path / "people" / "Ann" / "group.jpg", [0, 3, 4])
    done = imported(recognizer, tmp_path / "people", face="largest")
    assert groups_of(done) == 1
    assert done.lines[0].reason == "3 faces found; the largest was taken."
    assert counts_of(imported(recognizer, tmp_path / "people", face="central")) == {"known": 1}
    other = fake_recognizer(tmp_path / "people")
    imported(other, tmp_path / "people", face="central")
    (central,), (largest,) = (
        one.gallery.photos(one.gallery.identities()[0].id) for one in (other, recognizer)
    )  # fmt: skip
    assert central.embedding @ largest.embedding < 0.5
    other.close()


def test_photographs_enrolled_before_digests_were_kept_are_known_by_their_id(
    recognizer: Recognizer, folder: Path
) -> None:
    imported(recognizer, folder)
    recognizer.gallery.inner._writer.db.execute("UPDATE photos SET sha256 = ''")  # type: ignore[attr-defined]
    assert counts_of(imported(recognizer, folder)) == {"known": 6}
    assert [one.photo_count for one in recognizer.gallery.identities()] == [2, 2, 2]


def test_a_record_comes_from_the_table_or_from_what_was_said_for_everybody(
    recognizer: Recognizer, folder: Path
) -> None:
    table = folder / "people.csv"
    table.write_text("name,image_path,Consent,notes\nAnn,Ann/0.jpg,Agreement 7,curator\nBob,Bob/0.jpg,,\n")
    assert read_rows(table, labelled=True)[0].fields == {"consent": "Agreement 7", "notes": "curator"}
    imported(recognizer, table, fields={"consent": "Volunteers", "expires": "2027-11-24"})
    ann, bob = recognizer.gallery.identities()
    assert ann.metadata == {"consent": "Agreement 7", "expires": "2027-11-24", "notes": "curator"}
    assert bob.metadata == {"consent": "Volunteers", "expires": "2027-11-24"}
    recognizer.gallery.edit(bob.id, metadata={})
    imported(recognizer, folder / "people.csv", fields={"notes": "again"})
    assert recognizer.gallery.identity(bob.id).metadata == {}


def test_a_source_that_is_none_is_refused_in_words(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "text.doc").write_text("no zip")
    (tmp_path / "empty").mkdir()
    (tmp_path / "no_name.csv").write_text("image_path\na.jpg\n")
    (folder / "a.csv").write_text("image_path,gt\n")
    (folder / "b.csv").write_text("image_path,gt\n")
    for path, error, words in (
        (tmp_path / "missing", ArchiveError, "There is nothing at"),
        (tmp_path / "text.zip", ArchiveError, "damaged or something else"),
        (tmp_path / "text.doc", ArchiveError, "neither a folder, a zip nor a CSV"),
        (tmp_path / "empty", ArchiveError, "holds no photographs"),
        (tmp_path / "no_name.csv", TableError, "no column 'gt'"),
        (folder, TableError, "There are 2 CSV files"),
    ):
        with pytest.raises(error, match=words), open_source(path):
            pass


# --- what becomes of photographs -------------------------------------------------------------------------------------


def test_what_cannot_be_used_is_reported_with_its_reason_and_the_rest_is_enrolled(
    recognizer: Recognizer, folder: Path
) -> None:
    (folder / "Ann" / "broken.jpg").write_bytes((folder / "Ann" / "0.jpg").read_bytes()[:400])
    (folder / "Ann" / "copy of 0.jpg").write_bytes((folder / "Ann" / "0.jpg").read_bytes())
    (folder / "Ann" / "notes.txt").write_text("not a photograph")
    save(folder / "Ann" / "nobody.jpg", [])
    save(folder / "Bob" / "small.jpg", [1], patch_px=20)
    save(folder / "loose.jpg", [3])
    (folder / "doesn't_exist").mkdir()
    save(folder / "doesn't_exist" / "0.jpg", [3])
    (folder / "Ann" / ".DS_Store").write_bytes(b"x")
    done = imported(recognizer, as_wrapped_zip(folder))
    assert {path.removeprefix("volunteers/"): status for path, status in statuses(done).items()} == {
        "Ann/0.jpg": "enrolled", "Ann/1.jpg": "enrolled", "Ann/broken.jpg": "unreadable", "Ann/notes.txt": "unreadable",
        "Ann/copy of 0.jpg": "repeated", "Ann/nobody.jpg": "no_face", "Bob/0.jpg": "enrolled", "Bob/1.jpg": "enrolled",
        "Bob/small.jpg": "poor", "Cem/0.jpg": "enrolled", "Cem/1.jpg": "enrolled", "doesn't_exist/0.jpg": "refused",
        "loose.jpg": "refused",
    }  # fmt: skip
    assert all(line.reason for line in done.lines if line.status != "enrolled")
    bob = next(one for one in people_of(done) if one.label == "Bob")
    assert (bob.enrolled, bob.left_out, bob.total) == (2, 1, 3)
    assert bob.reason.startswith(f"Too small: 20 px, needs {MIN_ENROL_PX:g}")
    with_poor = imported(recognizer, folder, keep_poor=True)
    assert statuses(with_poor)["Bob/small.jpg"] == "enrolled"


def test_many_photographs_of_which_some_are_broken_take_several_batches(recognizer: Recognizer, tmp_path: Path) -> None:
    root = tmp_path / "many"
    for person in range(6):
        (root / f"Person {person}").mkdir(parents=True)
        for number in range(20):
            file = save(root / f"Person {person}" / f"{number:02}.jpg", [person], patch_px=90 + number)
            if number % 10 == 3:
                file.write_bytes(file.read_bytes()[: 300 + number])
    done = imported(recognizer, packed(root, tmp_path / "many.zip"))
    assert counts_of(done) == {"enrolled": 108, "unreadable": 12}
    assert [one.photo_count for one in recognizer.gallery.identities()] == [18] * 6


def test_an_import_that_is_stopped_keeps_whole_batches_and_goes_on_later(
    recognizer: Recognizer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reid.intake.importing._BATCH", 2)
    file = as_zip(folder)
    with open_source(file) as source:
        first = Import(recognizer, source)
        run = first.run()
        while len(first.lines) < 4:
            next(run)
        run.close()
    assert [one.name for one in recognizer.gallery.identities()] == ["Ann", "Bob"]
    assert len(first.photo_ids) == 4
    assert counts_of(imported(recognizer, file)) == {"known": 4, "enrolled": 2}


def test_a_dry_run_enrols_nobody_and_says_who_would_be(recognizer: Recognizer, folder: Path) -> None:
    done = imported(recognizer, folder, dry_run=True)
    assert counts_of(done) == {"ready": 6}
    assert [one.enrolled for one in people_of(done)] == [2, 2, 2]
    assert recognizer.gallery.count() == 0


def test_removing_what_was_added_takes_the_import_back(recognizer: Recognizer, folder: Path) -> None:
    recognizer.enrol("Ann", [recognizer.sample(photograph([0], "before.png", patch_px=120))])
    done = imported(recognizer, folder)
    recognizer.gallery.remove_photos(done.photo_ids)
    assert [(one.name, one.photo_count) for one in recognizer.gallery.identities()] == [("Ann", 1)]


def test_somebody_enrolled_under_another_name_is_reported_and_not_merged(recognizer: Recognizer, folder: Path) -> None:
    recognizer.enrol("Ann Sørensen", [recognizer.sample(photograph([0], patch_px=120))])
    save(folder / "Bob" / "2.jpg", [1], patch_px=109)
    (folder / "Robert").mkdir()
    save(folder / "Robert" / "0.jpg", [1], patch_px=115)
    done = imported(recognizer, folder)
    assert {label: one.name for label, one in done.resemblances.items()} == {"Ann": "Ann Sørensen", "Bob": "Robert"}
    assert done.resemblances["Ann"].similarity > 0.9
    assert {one.name for one in recognizer.gallery.identities()} == {"Ann Sørensen", "Ann", "Bob", "Cem", "Robert"}
    table = table_of(done)
    assert set(table[table["label"] == "Ann"]["resembles"]) == {"Ann Sørensen"}
    assert set(table[table["label"] == "Cem"]["resembles"]) == {""}


# --- the report ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_nothing_in_a_report_is_a_formula(recognizer: Recognizer, tmp_path: Path, begin: str) -> None:
    assert plain(f"{begin}cmd|' /C calc'!A0") == f"'{begin}cmd|' /C calc'!A0"
    assert plain("O'Neill, Ann-Marie") == "O'Neill, Ann-Marie"
    if begin in "=+-@＝":
        root = tmp_path / "people"
        (root / f"{begin}2+5").mkdir(parents=True)
        save(root / f"{begin}2+5" / "a.jpg", [0])
        write_csv(tmp_path / "report.csv", table_of(imported(recognizer, root)))
        read = pd.read_csv(tmp_path / "report.csv", keep_default_na=False)
        assert tuple(read.columns) == COLUMNS
        assert read["label"][0] == f"'{begin}2+5"
        assert read["path"][0] == f"'{begin}2+5/a.jpg"


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_reports_every_photograph_and_its_reason(
    recognizer: Recognizer,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Recognizer, "open", classmethod(lambda _cls, _settings, **_how: recognizer))
    recognizer.enrol("Anna", [recognizer.sample(photograph([0], patch_px=120))])
    (folder / "Bob" / "broken.jpg").write_bytes(b"no photograph")
    words = ["import", str(as_zip(folder)), "--gallery", str(tmp_path / "people.db")]
    assert main([*words, "--report", str(tmp_path / "missing" / "file" / "report.csv"), "--dry-run"]) == 0
    (tmp_path / "file").touch()
    assert main([*words, "--report", str(tmp_path / "file" / "report.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_says_what_it_did(
    recognizer: Recognizer,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Recognizer, "open", classmethod(lambda _cls, _settings, **_how: recognizer))
    recognizer.enrol("Anna", [recognizer.sample(photograph([0], patch_px=120))])
    (folder / "Bob" / "broken.jpg").write_bytes(b"no photograph")
    report = tmp_path / "report.csv"
    assert main(["import", str(folder), "--gallery", str(tmp_path / "people.db"), "--report", str(report)]) == 0
    said = capsys.readouterr()
    assert "7 photographs: 6 enrolled, 1 unreadable" in said.out
    assert "3 people got photographs; 3 are new." in said.out
    assert "Ann resembles Anna, similarity 1.00" in said.out
    assert "Bob/broken.jpg: It cannot be read." in said.err
    assert list(pd.read_csv(report)["status"]).count("enrolled") == 6


def test_nothing_in_a_search_result_is_a_formula(recognizer: Recognizer) -> None:
    recognizer.enrol("=1+1", [recognizer.sample(photograph([0]))])
    session = Sessions().open(None)
    session.add(look(recognizer, photograph([0], "@x.png")))
    (row,) = csv.DictReader(io.StringIO(result_csv(recognizer, session, 0.5, 5).decode("utf-8-sig")))
    assert (row["image"], row["predicted"]) == ("'@x.png", "'=1+1")
