"""A gallery on a disk that is not kept: saved to a stand-in of the Hub, brought back, and nobody erased with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stub import Answer, HubStub, hub_stub
from hub_uploads import Uploads

from reid.settings import CHECKOUT, Settings

KEPT = "datasets/me/kept"

CHILD = """
import json, shutil, sqlite3, sys
from contextlib import closing
from pathlib import Path
sys.path.insert(0, {tests!r})
from fakes import fake_recognizer, photograph
from reid.audit import AuditLog, log_path
from reid.errors import ReidError
from reid.gallery.copies import snapshot
from reid.gallery.shelf import choose
from reid.offsite import Offsite
from reid.settings import Settings

disk = Path({disk!r})
def start():
    disk.mkdir(exist_ok=True)
    settings = Settings.from_env({{"BYTEFACE_DATA": str(disk), "BYTEFACE_GALLERY": str(disk / "people.db"),
                                  "BYTEFACE_BACKUP_REPO": "me/kept"}})
    return Offsite(settings)
def people():
    with closing(fake_recognizer(disk)) as made:
        return sorted(one.name for one in made.gallery.identities())
def lose():
    shutil.rmtree(disk)
said = {{}}
{work}
print(json.dumps(said))
"""


@pytest.fixture
def hub() -> Iterator[HubStub]:
    with hub_stub() as made:
        yield made


def play(hub: HubStub, tmp_path: Path, work: str) -> dict[str, object]:
    """Runs some lines where the stand-in is the Hub. What is here between two of them is the Space's disk."""
    code = CHILD.format(tests=str(Path(__file__).parent), disk=str(tmp_path / "disk"), work=work)
    done = subprocess.run([sys.executable, "-c", code], env=hub.environment(tmp_path / "home"), cwd=CHECKOUT,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_lost_disk_comes_back_without_those_who_were_erased(hub: HubStub, tmp_path: Path) -> None:
    uploads = Uploads(hub)
    said = play(hub, tmp_path, """
first = start()
said["nothing yet"] = first.restore() is None and not first.save()
with closing(fake_recognizer(disk)) as made:
    for number, name in enumerate(("Ann", "Bob", "Cem")):
        made.enrol(name, [made.sample(photograph([number]))])
said["saved"] = first.save(), first.save()
with closing(fake_recognizer(disk)) as made:
    made.gallery.remove(made.gallery.find("Bob").id)
said["again"] = first.save()
lose()
second = start()
back = second.restore()
said["back"] = back.gallery.contents.people, people(), second.save()
# an erasure that only the log was saved of, as if the gallery's file were of before it
with closing(fake_recognizer(disk)) as made:
    made.enrol("Dan", [made.sample(photograph([3]))])
    second.save()
    made.gallery.remove(made.gallery.find("Cem").id)
shutil.copyfile(log_path(str(disk / "people.db")), disk.parent / "audit.db")
lose()
disk.mkdir()
shutil.copyfile(disk.parent / "audit.db", disk / "audit.db")
said["erased again"] = start().restore().forgotten, people()
""")  # fmt: skip
    assert said["nothing yet"] is True
    assert said["saved"] == [True, False]
    assert said["again"] is True
    assert said["back"] == [2, ["Ann", "Cem"], False]
    assert said["erased again"] == [1, ["Ann", "Dan"]]
    assert uploads.created[0]["type"] == "dataset"
    assert uploads.created[0].get("visibility", "private") == "private"
    assert uploads.created[0].get("private", True) is True
    assert len(hub.commits[KEPT]) == 1, "no history"
    assert set(hub.commits[KEPT][0][1]) == {".gitattributes", "gallery.byteface", "audit.db"}
    assert len(uploads.blobs) == 2, "and no files of earlier saves"


def test_accounts_further_galleries_and_the_log_come_back_too(hub: HubStub, tmp_path: Path) -> None:
    Uploads(hub)
    said = play(hub, tmp_path, """
from reid.accounts import Accounts
from reid.actor import Role
from reid.audit.verifying import verify
first = start()
accounts = Accounts(disk / "accounts.db")
accounts.people.add("Ada", Role.ADMIN, "a password of hers")
accounts.people.add("Olu", Role.OPERATOR, "a password of his")
key, other = accounts.keys.make("kiosk", Role.VIEWER), accounts.keys.make("door", Role.VIEWER)
cookie = accounts.logins.begin(accounts.people.all()[0].name)
with closing(fake_recognizer(disk)) as made:
    made.enrol("Ann", [made.sample(photograph([0]))])
    for name in ("Gone", "Second"):
        made.shelf.create(name)
    choose("Second")
    made.enrol("Bob", [made.sample(photograph([1]))])
    choose("")
    said["first"] = first.save(), first.is_urgent()
    accounts.keys.actor(key)
    said["a use is nothing new"] = first.is_urgent(), first.save()
    accounts.keys.revoke("door")
    said["but a key that is revoked is"] = first.is_urgent()
(disk / "Gone.db").unlink()
said["again"] = first.save()
accounts.close()
rows = verify(AuditLog(disk / "audit.db")).rows
lose()
back = start().restore()
said["back"] = back.beside, back.accounts
accounts = Accounts(disk / "accounts.db")
said["ada"] = accounts.people.check("Ada", "a password of hers").role.name
said["people"] = [one.name for one in accounts.people.all()]
said["keys"] = [bool(accounts.keys.actor(one)) for one in (key, other)]
said["logins"] = accounts.logins.find(cookie) is not None
said["mode"] = (disk / "accounts.db").stat().st_mode & 0o777
with closing(fake_recognizer(disk)) as made:
    said["names"] = made.shelf.names()
    choose("Second")
    said["second"] = [one.name for one in made.gallery.identities()]
    choose("")
found = verify(AuditLog(disk / "audit.db"))
said["log"] = found.bad, found.rows > rows
""")  # fmt: skip
    assert said["first"] == [True, False]
    assert said["a use is nothing new"] == [False, False]
    assert said["but a key that is revoked is"] is True
    assert said["again"] is True
    assert set(hub.commits[KEPT][0][1]) == {
        ".gitattributes", "gallery.byteface", "audit.db", "accounts.db", "galleries/Second.byteface",
    }  # fmt: skip
    assert said["back"] == [1, 2]
    assert (said["ada"], said["people"]) == ("ADMIN", ["Ada", "Olu"])
    assert said["keys"] == [True, False]
    assert said["logins"] is False, "after a restart everybody logs in again"
    assert said["mode"] == 0o600
    assert said["names"] == ["people", "Second"]
    assert said["second"] == ["Bob"]
    assert said["log"] == [None, True], "the chain goes on"


def test_another_audit_log_is_neither_lost_nor_taken_for_the_one_that_was_saved(hub: HubStub, tmp_path: Path) -> None:
    Uploads(hub)
    said = play(hub, tmp_path, """
first = start()
with closing(fake_recognizer(disk)) as made:
    made.enrol("Ann", [made.sample(photograph([0]))])
snapshot(disk / "audit.db", disk.parent / "older.db")
with closing(fake_recognizer(disk)) as made:
    made.gallery.rename(made.gallery.find("Ann").id, "Anna")
    first.save()
def rows():
    return [row[0] for row in sqlite3.connect(disk / "audit.db").execute("SELECT hash FROM rows ORDER BY seq")]
saved = rows()
lose()
again = start()
shutil.copyfile(disk.parent / "older.db", disk / "audit.db")
again.restore()
said["taken"] = rows()[: len(saved)] == saved, people()
lose()
again = start()
AuditLog(disk / "audit.db").opaque("anybody")
before = (disk / "audit.db").read_bytes()
try:
    again.restore()
except ReidError as error:
    said["refused"] = str(error)
said["left"] = (disk / "audit.db").read_bytes() == before, (disk / "people.db").exists()
""")  # fmt: skip
    assert said["taken"] == [True, ["Anna"]], "of two ends of one log the later one"
    assert "is another audit log than the one that was saved with the gallery. Move it away" in str(said["refused"])
    assert said["left"] == [True, False]


def test_rather_not_started_than_started_empty_and_saved(hub: HubStub, tmp_path: Path) -> None:
    hub.routes.append(("GET", r"/api/datasets/.*", lambda *_: Answer.json({}, 500)))
    said = play(hub, tmp_path, """
try:
    start().restore()
except ReidError as error:
    said["refused"] = type(error).__name__, str(error)
""")  # fmt: skip
    assert said["refused"] == [
        "HubError", "The Hub answered with an error (500). Run the same command again later: nothing is lost.",
    ]  # fmt: skip


def test_what_somebody_else_has_saved_meanwhile_is_not_written_over(hub: HubStub, tmp_path: Path) -> None:
    Uploads(hub)
    said = play(hub, tmp_path, """
one = start()
one.restore()
with closing(fake_recognizer(disk)) as made:
    made.enrol("Ann", [made.sample(photograph([0]))])
    one.save()
    other = start()
    other.restore()
    made.enrol("Bob", [made.sample(photograph([1]))])
    other.save()
    made.enrol("Cem", [made.sample(photograph([2]))])
try:
    one.save()
except ReidError as error:
    said["refused"] = error.status, str(error)
""")  # fmt: skip
    status, words = said["refused"]  # type: ignore[misc]
    assert status == 412
    assert words.startswith("Another ByteFace has saved to me/kept meanwhile. Let one of the two run")


def test_a_first_save_that_failed_is_made_up_for_and_another_s_is_left_alone(hub: HubStub, tmp_path: Path) -> None:
    uploads = Uploads(hub)
    uploads.refuse["/commit/main"] = Answer.json({}, 503)
    lines = """
one = start()
if not {there!r}:
    one.restore()
with closing(fake_recognizer(disk)) as made:
    made.enrol({name!r}, [made.sample(photograph([0]))])
try:
    said["saved"] = one.save()
except ReidError as error:
    said["refused"] = str(error)
"""
    assert "error (503)" in str(play(hub, tmp_path, lines.format(there=False, name="Ann"))["refused"])
    uploads.refuse.clear()
    assert play(hub, tmp_path, lines.format(there=True, name="Bob"))["saved"] is True
    assert "Another gallery was saved" in str(play(hub, tmp_path, lines.format(there=True, name="Cem"))["refused"])
    assert len(hub.commits[KEPT]) == 1


def test_only_a_disk_that_is_not_kept_is_spoken_of() -> None:
    def every(**env: str) -> int | None:
        return Settings.from_env(env).saved_every_min

    assert every() is None
    assert every(SPACE_ID="me/faces") == 0
    assert every(SPACE_ID="me/faces", BYTEFACE_BACKUP_REPO="me/kept") == 15
    assert every(SPACE_ID="me/faces", BYTEFACE_BACKUP_REPO="me/kept", BYTEFACE_BACKUP_MINUTES="5") == 5
    assert every(SPACE_ID="me/faces", BYTEFACE_DATA="/bucket") is None
