"""`byteface audit`, as somebody types it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from fakes import fake_recognizer, photograph
from test_audit import tampered

from reid.audit.log import AuditLog
from reid.audit.reading import Filters, rows_of
from reid.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery of one person, two searches old."""
    monkeypatch.setenv("BYTEFACE_GALLERY", str(tmp_path / "people.db"))
    with closing(fake_recognizer(tmp_path)) as made:
        made.enrol("Ann", [made.sample(photograph([0]))])
        made.search(photograph([0]), purpose="=1+1")
        made.search(photograph([3]))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_log_that_is_whole_is_verified_and_its_end_kept(capsys):
    assert main(["audit", "head"]) == 0
    head = capsys.readouterr().out.strip()
    assert main(["audit", "verify", "--head", head]) == 0
    said = capsys.readouterr().out
    assert "5 rows, all as they were written" in said
    assert head in said


def test_a_row_that_was_altered_is_named_and_the_exit_code_is_1(folder, capsys):
    tampered(AuditLog(folder / "audit.db"), "UPDATE rows SET purpose = 'nothing' WHERE seq = 4")
    assert main(["audit", "verify"]) == 1
    assert "row 4 is not as it was written" in capsys.readouterr().out


def test_a_log_that_was_cut_off_with_care_shows_beside_its_end(folder, capsys):
    main(["audit", "head"])
    head = capsys.readouterr().out.strip()
    tampered(AuditLog(folder / "audit.db"), "DELETE FROM rows WHERE seq > 3", "UPDATE sqlite_sequence SET seq = 3")
    assert main(["audit", "verify"]) == 0
    assert "--head" in capsys.readouterr().out
    assert main(["audit", "verify", "--head", head]) == 1


@pytest.mark.usefixtures("folder")
def test_rows_are_listed_by_what_somebody_did_and_about_whom(capsys):
    assert main(["audit", "list", "--action", "search", "--person", "Ann"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2, "both searches compared her"
    assert "Ann" not in "".join(lines)
    assert main(["audit", "list", "--who", "nobody"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["audit", "list", "--limit", "1"]) == 0
    assert "4 older rows" in capsys.readouterr().out


def test_the_table_computes_nothing_in_a_spreadsheet(folder):
    assert main(["audit", "list", "--csv", str(folder / "log.csv")]) == 0
    table = pd.read_csv(folder / "log.csv")
    assert len(table) == 5
    assert "'=1+1" in set(table["purpose"])


def test_where_nothing_was_done_there_is_nothing_to_verify(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BYTEFACE_GALLERY", str(tmp_path / "people.db"))
    assert main(["audit", "verify"]) == 1
    assert "no audit log" in capsys.readouterr().err


def test_a_log_elsewhere_is_found_by_its_setting(folder, monkeypatch):
    (folder / "audit.db").rename(folder / "kept.db")
    monkeypatch.setenv("BYTEFACE_AUDIT", str(folder / "kept.db"))
    assert main(["audit", "verify"]) == 0
    with closing(sqlite3.connect(folder / "kept.db")) as db:
        assert db.execute("SELECT count(*) FROM rows").fetchone() == (5,)


def test_who_may_do_what_is_on_record_too(tmp_path, monkeypatch):
    monkeypatch.setenv("BYTEFACE_DATA", str(tmp_path))
    monkeypatch.delenv("BYTEFACE_GALLERY", raising=False)
    assert main(["accounts", "key", "kiosk", "--role", "viewer"]) == 0
    assert main(["accounts", "list"]) == 0
    rows = rows_of(AuditLog(tmp_path / "audit.db"), Filters(action="account"))
    assert main(["accounts", "remove", "nobody"]) == 1
    assert [row.phase for row in rows] == ["done", "begun"]
    assert rows[1].facts == {"did": "key", "account": "kiosk", "as": "viewer"}
