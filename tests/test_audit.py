"""The audit log itself: what was written stays, in order, and whoever changes it is found out."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reid.actor import Actor, Role, act_as
from reid.audit.log import APPLICATION_ID, TRIGGERS, AuditLog
from reid.audit.reading import Filters, choices_of, count_of, csv_of, rows_of
from reid.audit.rows import COLUMNS, FIRST, Entry, digest
from reid.audit.verifying import Head, head_of, verify
from reid.errors import AuditError, SettingsError

ANN = "a" * 32


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    with closing(AuditLog(tmp_path / "audit.db")) as made:
        for number in range(6):
            made.append(Entry("search", gallery="people", revision=number, subjects=[ANN], details={"faces": number}))
        yield made


def tampered(log: AuditLog, *statements: str) -> None:
    """What somebody does who has the file and means harm."""
    log.close()
    with closing(sqlite3.connect(log.path)) as db:
        for name in TRIGGERS:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
        for name, body in TRIGGERS.items():
            db.execute(f"CREATE TRIGGER {name} {body}")
        db.commit()


def test_rows_are_numbered_from_one_and_say_who_when_and_in_which_role(log):
    act_as(Actor("marta", Role.OPERATOR, "case 7"))
    try:
        seq = log.append(Entry("erase", subjects=[ANN]))
    finally:
        act_as(Actor("local", Role.ADMIN))
    row = rows_of(log)[0]
    assert seq == row.seq == 8  # one row says that the log begins
    assert (row.actor, row.role, row.purpose, row.subject_ids) == ("marta", "operator", "case 7", [ANN])
    assert row.at.endswith("+00:00")
    assert verify(log).bad is None


@pytest.mark.parametrize("statement", ["UPDATE rows SET actor = 'x'", "DELETE FROM rows WHERE seq = 3",
                                       "INSERT OR REPLACE INTO rows SELECT * FROM rows WHERE seq = 3"])  # fmt: skip
def test_sqlite_refuses_to_change_what_is_written(log, statement):
    with closing(sqlite3.connect(log.path)) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_to_any_column_of_a_row_in_the_middle_is_found(log, column):
    value = "99" if column == "seq" else "77" if column == "revision" else "'[\"x\"]'"
    tampered(log, f"UPDATE rows SET {column} = {value} WHERE seq = 4")
    found = verify(log)
    assert found.bad in {4, 5}
    assert found.bad == 4 or column == "hash"  # a digest of its own is missed by the row after at the latest
    assert found.rows == found.bad - 1


HARM: dict[str, tuple[int, tuple[str, ...]]] = {
    "deleted": (4, ("DELETE FROM rows WHERE seq = 4",)),
    "deleted and closed up": (4, ("DELETE FROM rows WHERE seq = 4", "UPDATE rows SET seq = seq - 1 WHERE seq > 4")),
    "swapped": (4, tuple(f"UPDATE rows SET seq = {to} WHERE seq = {of}" for of, to in ((4, 40), (5, 4), (40, 5)))),
    "inserted": (8, (f"INSERT INTO rows SELECT 8, {', '.join(COLUMNS[1:])} FROM rows WHERE seq = 7",)),
    "cut off": (6, ("DELETE FROM rows WHERE seq >= 6",)),
    "emptied": (1, ("DELETE FROM rows",)),
    "emptied with care": (1, ("DELETE FROM rows", "DELETE FROM sqlite_sequence")),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_missing_moved_and_added_rows_are_found(log, harm):
    bad, statements = HARM[harm]
    tampered(log, *statements)
    assert verify(log).bad == bad


def test_a_cut_end_that_covers_its_tracks_is_found_by_an_end_that_was_written_down(log):
    kept = head_of(log)
    tampered(log, "DELETE FROM rows WHERE seq >= 6", "UPDATE sqlite_sequence SET seq = 5")
    assert verify(log).bad is None, "a chain alone cannot see this"
    assert verify(log, [Head.parse(str(kept))]).bad == 6


def test_a_chain_that_was_computed_anew_is_found_by_an_end_that_was_written_down(log):
    kept = head_of(log)
    with closing(sqlite3.connect(log.path)) as db:
        rows = [list(row) for row in db.execute(f"SELECT {', '.join(COLUMNS)} FROM rows ORDER BY seq")]
    previous, statements = FIRST, []
    for row in rows:
        row[3], row[-2] = "somebody else", previous
        previous = digest(row)
        statements.append(f"UPDATE rows SET actor = '{row[3]}', previous = '{row[-2]}', hash = '{previous}' "
                          f"WHERE seq = {row[0]}")  # fmt: skip
    tampered(log, *statements)
    assert verify(log).bad is None
    assert verify(log, [kept]).bad == kept.seq


def test_a_log_without_its_protection_is_found(log):
    log.close()
    with closing(sqlite3.connect(log.path)) as db:
        db.execute("DROP TRIGGER rows_last")
    found = verify(log)
    assert found.bad == 8
    assert "forbids changes" in found.problem


@pytest.mark.parametrize("text", ["", "7", "x:" + "0" * 64, "7:abc"])
def test_what_is_no_end_of_a_log_is_refused(text):
    with pytest.raises(AuditError, match="audit head"):
        Head.parse(text)


def test_two_processes_append_to_one_chain(tmp_path):
    code = (
        "import sys; from pathlib import Path; from reid.audit import AuditLog, Entry\n"
        "log = AuditLog(Path(sys.argv[1]))\n"
        "for n in range(150): log.append(Entry('search', details={'n': n}), durable=n % 50 == 0)"
    )
    path = tmp_path / "audit.db"
    for process in [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]:
        assert process.wait(60) == 0
    log = AuditLog(path)
    assert count_of(log) == 301
    assert verify(log).bad is None


def test_a_change_that_never_ended_is_counted(log):
    seq = log.append(Entry("merge", "begun"), durable=True)
    log.append(Entry("merge", "begun"), durable=True)
    log.append(Entry("merge", "done", details={"of": seq}))
    assert verify(log).open_changes == 1


def test_several_rows_are_written_together_or_not_at_all(log):
    with pytest.raises(ValueError, match="JSON"):
        log.append(Entry("search"), Entry("search", details={"similarity": float("nan")}))
    assert count_of(log) == 7
    assert log.append(Entry("search"), Entry("search")) == 9
    assert verify(log).bad is None


FILTERS: dict[str, tuple[Filters, int]] = {
    "all": (Filters(), 7),
    "who": (Filters(actor="byteface"), 1),
    "what": (Filters(action="search"), 6),
    "nobody": (Filters(actor="nobody"), 0),
    "about": (Filters(person=ANN), 6),
    "about another": (Filters(person="b" * 32), 0),
    "since": (Filters(since="2020-01-01"), 7),
    "until": (Filters(until="2020-01-01"), 0),
    "until a moment": (Filters(until="2020-01-01T10:00:00+02:00"), 0),
}


@pytest.mark.parametrize("which", FILTERS)
def test_rows_are_filtered(log, which):
    filters, expected = FILTERS[which]
    assert count_of(log, filters) == len(rows_of(log, filters)) == expected


def test_a_page_of_rows_is_the_newest_first(log):
    assert [row.seq for row in rows_of(log, limit=2, offset=1)] == [6, 5]
    assert choices_of(log) == (["byteface", "local"], ["log", "search"])


def test_a_date_that_is_none_is_refused(log):
    with pytest.raises(AuditError, match="no time"):
        rows_of(log, Filters(since="yesterday"))


def test_a_table_of_it_computes_nothing_in_a_spreadsheet(log):
    log.append(Entry("search", purpose="=HYPERLINK(1)"))
    assert b"'=HYPERLINK(1)" in csv_of(rows_of(log))


def test_an_id_that_is_a_name_does_not_stand_in_the_log(log, tmp_path):
    name = "Marta Okafor"
    assert log.opaque(ANN) == ANN
    assert log.opaque(name) == log.opaque(name) != log.opaque("Somebody Else")
    assert len(log.opaque(name)) == 32
    with closing(AuditLog(tmp_path / "other.db")) as other:
        assert other.opaque(name) != log.opaque(name), "or a list of names would be enough to know them"


def test_a_log_that_cannot_be_written_says_so_and_another_database_is_left_alone(tmp_path):
    with pytest.raises(AuditError, match="BYTEFACE_AUDIT"):
        AuditLog(tmp_path).append(Entry("search"))
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE t (x)")
        db.commit()
    before = other.read_bytes()
    with pytest.raises(AuditError, match="not touched"):
        AuditLog(other).append(Entry("search"))
    assert other.read_bytes() == before


def test_the_file_is_private_and_marked(log):
    assert log.path.stat().st_mode & 0o777 == 0o600
    log.close()
    assert log.path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")


def test_a_word_for_purposes_that_means_nothing_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="BYTEFACE_PURPOSE"):
        AuditLog(tmp_path / "audit.db", asking="sometimes")


def test_there_is_no_log_before_something_was_done(tmp_path):
    with pytest.raises(AuditError, match="no audit log"):
        verify(AuditLog(tmp_path / "audit.db"))


def test_a_log_that_is_deleted_while_it_is_in_use_is_begun_anew_and_its_kept_end_tells(log, caplog):
    kept = head_of(log)
    for file in log.path.parent.glob("audit.db*"):
        file.unlink()
    log.append(Entry("search"))
    assert [row.action for row in rows_of(log)] == ["search", "log"]
    assert "taken away" in caplog.text
    assert verify(log).bad is None
    assert verify(log, [kept]).bad == 3
