"""What only the Milvus backend must hold: writers killed between two requests, several processes, secrets, an index."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_backends import opened, people_of
from gallery_records import DIM, SPACE, kept, photo, unit

from reid.errors import GalleryError, IdentityExistsError
from reid.fitting import fitted
from reid.gallery import Gallery, is_there, open_gallery

pytest.importorskip("pymilvus", reason="the extra [milvus] is not installed")

from reid.gallery.milvus import turns
from reid.gallery.milvus.address import Access, Address
from reid.gallery.milvus.link import Link
from reid.gallery.milvus.schema import RECORDS
from reid.settings import Settings
from reid.types import Rejection


class KilledError(BaseException):
    """Not an error that code could catch and tidy up after: as a process that is gone."""


@pytest.fixture
def milvus(tmp_path: Path) -> str:
    return f"milvus:{tmp_path / 'people.db'}"


class Killer:
    """Ends a "process" after some of its writes: nothing that it would tidy up is tidied up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._left: int | None = None
        self._lives = 0
        for name in ("put", "drop"):
            monkeypatch.setattr(Link, name, self._mortal(getattr(Link, name)))

    def _mortal(self, method: Callable[..., None]) -> Callable[..., None]:
        def write(link: Link, collection: str, rows: list[object], before: Callable[[], None] = lambda: None) -> None:
            if not rows:
                return
            if self._left == 0:
                raise KilledError
            method(link, collection, rows, before)
            self._left = None if self._left is None else self._left - 1

        return write

    def after(self, writes: int) -> None:
        self._left = writes

    def next_life(self) -> None:
        """Another process begins."""
        self._left = None
        self._lives += 1
        self._patch.setattr(turns, "_PROCESS", f"process {self._lives}")


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    return Killer(monkeypatch)


def _contents(gallery: Gallery) -> object:
    """Everything that a change touches, comparable."""
    people = {who: [(one.id, one.crop_jpeg, one.identity_name) for one in gallery.photos(who)]
              for who in people_of(gallery)}  # fmt: skip
    said = [(one.id, one.identity_id) for one in gallery.rejections(["ann", "bob", "cem"])]
    ids, templates = gallery.templates()
    return people, said, gallery.apart(), dict(zip(ids, templates.round(5).tolist(), strict=True))


def _fill(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann"), photo("p2", "ann"), photo("q1", "bob"), photo("r1", "cem")])
    gallery.reject(Rejection("no", "ann", "gate.png", "2026-01-02", unit(7)))
    gallery.set_apart("ann", "cem")


CHANGES: dict[str, Callable[[Gallery], object]] = {
    "add": lambda gallery: gallery.add([photo("p1", "ann", crop=b"newer"), photo("s1", "dan"), photo("s2", "dan")]),
    "merge": lambda gallery: gallery.merge("ann", "bob"),
    "remove": lambda gallery: gallery.remove("ann"),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_writer_killed_between_any_two_requests_leaves_all_of_its_change_or_none(
    name: str, milvus: str, killer: Killer
) -> None:
    with closing(opened(milvus)) as gallery:
        _fill(gallery)
        before, after, seen = _contents(gallery), None, []
        for writes in range(2, 30):  # the first two are claims: nothing of the change
            revision = gallery.revision()
            killer.after(writes)
            try:
                CHANGES[name](gallery)
            except KilledError:
                killer.next_life()
            else:
                break
            with closing(opened(milvus)) as other:  # finishes, or sweeps
                other.set_meta("next", "change")
                found = _contents(other)
                assert not other._link.where(RECORDS, 'kind == "journal"')  # type: ignore[attr-defined]
                assert (found != before) == (other.revision() > revision)
                seen.append(found != before)
                if found != before:
                    after = after or found
                    assert found == after
                    for who in list(people_of(other)):
                        other.remove(who)
                    _fill(other)
        killer.next_life()
        assert _contents(gallery) == after, "undisturbed, it comes to the same"
    assert seen == sorted(seen), "up to some request nothing, from there on everything"
    assert set(seen) == {False, True}


def test_a_reader_that_cannot_write_does_not_show_half_a_change(
    milvus: str, killer: Killer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(opened(milvus)) as gallery:
        _fill(gallery)
        killer.after(6)  # two claims, the journal, the decision, crops, photographs; not the people
        with pytest.raises(KilledError):
            CHANGES["add"](gallery)
        killer.next_life()
        monkeypatch.setattr("reid.gallery.milvus.journal.LEASE_S", 0.05)
        with pytest.raises(GalleryError, match="half-way"):
            open_gallery(milvus, space_id=SPACE, dim=DIM, read_only=True)
        assert gallery.count() == 4, "who can write finishes it"


def test_a_claim_of_a_writer_that_is_gone_ends_by_itself(milvus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(opened(milvus)) as gallery:
        monkeypatch.setattr(turns, "LEASE_S", 0.3)
        monkeypatch.setattr(turns, "REQUEST_S", 0.05)
        link: Link = gallery._link  # type: ignore[attr-defined]
        turns.Turn(link).claim(1)
        gallery.add([photo("p1", "ann")])
        assert gallery.count() == 1


def test_whoever_is_too_slow_begins_no_request(milvus: str) -> None:
    with closing(opened(milvus)) as gallery:
        turn = turns.Turn(gallery._link)  # type: ignore[attr-defined]
        turn.claim(1)
        turn._until -= turns.LEASE_S - turns.REQUEST_S
        with pytest.raises(GalleryError, match="another process may be writing"):
            turn.still()
        turn.end()


CHILD = """
import sys
sys.path.insert(0, {tests!r})
from gallery_backends import opened
from gallery_records import photo
from reid.errors import IdentityExistsError
gallery = opened({url!r})
print("ready", flush=True)
sys.stdin.readline()
for n in range(6):
    gallery.add([photo(f"child-{{n}}", f"c{{n}}")])
try:
    gallery.add([photo("child-same", "child", "Contested")])
except IdentityExistsError:
    pass
print(gallery.count())
gallery.close()
"""


def test_two_processes_write_one_gallery_of_a_server_at_the_same_time(tmp_path: Path) -> None:
    from milvus_lite.server_manager import server_manager_instance

    server = server_manager_instance.start_and_get_uri(str(tmp_path / "server.db"))
    url = server.replace("http:", "milvus:")
    tests = str(Path(__file__).parent)
    try:
        with closing(opened(url)) as gallery:
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD.format(tests=tests, url=url)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            child.stdin.write("go\n")
            child.stdin.flush()
            for n in range(6):
                gallery.add([photo(f"own-{n}", f"o{n}")])
            with contextlib.suppress(IdentityExistsError):
                gallery.add([photo("own-same", "own", "Contested")])
            child.communicate(timeout=60)
            assert child.returncode == 0
            assert gallery.count() == 13, "one of the two who wanted the name has it"
            assert all(who.photo_count == 1 for who in gallery.identities())
            best = gallery.search(unit(int.from_bytes(b"child-3", "big") % 2**32)[None], 1)[0][0]
            assert best.identity.id == "c3"
    finally:
        server_manager_instance.release_server(str(tmp_path / "server.db"))


def test_a_graph_finds_nearly_all_of_the_nearest(tmp_path: Path) -> None:
    with closing(opened(f"milvus:{tmp_path / 'graph.db'}?index=hnsw")) as gallery:
        gallery.add([photo(f"p{n}", f"i{n}") for n in range(300)])
        ids, rows = gallery.templates()
        probes = np.stack([unit(seed) for seed in range(1000, 1020)])
        exact = np.argsort(-(probes @ rows.T), axis=1)[:, :10]
        found = gallery.search(probes, 10)
        hits = sum(
            len({one.identity.id for one in answers} & {ids[row] for row in best})
            for answers, best in zip(found, exact, strict=True)
        )
    assert hits / 200 > 0.95


def test_a_name_is_a_name_whatever_stands_in_it(milvus: str) -> None:
    names = ['Ann" or id != "', "O'Neil\\", '"', "{x} %s $y", "安 é 🔎"]
    with closing(opened(milvus)) as gallery:
        gallery.add([photo(f"p{n}", f'i"{n}', name) for n, name in enumerate(names)])
        for n, name in enumerate(names):
            found = gallery.find(name)
            assert found is not None
            assert (found.id, found.name) == (f'i"{n}', name)
            assert [one.id for one in gallery.photos(found.id)] == [f"p{n}"]
        assert gallery.find('" or id != "') is None
        assert gallery.photo('" or id != "') is None


def test_crops_and_records_of_any_length_come_back(milvus: str) -> None:
    with closing(opened(milvus)) as gallery:
        crop = np.random.default_rng(1).bytes(200_000)
        gallery.add([photo("p1", "ann", crop=crop)])
        gallery.set_meta("long", "安é" * 60_000)
        gallery.edit("ann", metadata={"notes": 'a "quoted" \\ text\n' * 9000})
        gallery.unknowns.keep([kept("f1", crop=crop)])
    with closing(opened(milvus)) as gallery:
        found, face = gallery.photo("p1"), gallery.unknowns.face("f1")
        assert found is not None
        assert face is not None
        assert found.crop_jpeg == face.crop_jpeg == crop
        assert gallery.get_meta("long") == "安é" * 60_000
        assert gallery.identity("ann").metadata == {"notes": 'a "quoted" \\ text\n' * 9000}


@pytest.mark.parametrize(
    "url",
    [
        "milvus:people",
        "milvus://",
        "milvus://user:secret@host/people",
        "milvus:people.db?index=magic",
        "milvus:p.db?x=1",
    ],
)
def test_an_address_that_names_no_gallery_is_refused(url: str) -> None:
    with pytest.raises(GalleryError, match=r"\. Write "):
        open_gallery(url, space_id=SPACE, dim=DIM)


def test_addresses_and_what_opens_them_are_read_apart() -> None:
    assert Address.parse("milvus://faces.example:1234/people") == Address(None, "faces.example:1234", "people", "flat")
    assert Address.parse("milvus://[::1]?index=hnsw") == Address(None, "[::1]:19530", "", "hnsw")
    access = Access.from_env({"BYTEFACE_MILVUS_TOKEN": "s3cret", "BYTEFACE_MILVUS_CA": "/ca.pem"})
    assert access.arguments("faces:1") == {"uri": "https://faces:1", "token": "s3cret", "server_pem_path": "/ca.pem"}
    assert "s3cret" not in f"{access!r} {access}"


def test_an_error_of_the_engine_is_told_without_the_request(
    milvus: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(opened(milvus)) as gallery:
        link: Link = gallery._link  # type: ignore[attr-defined]
        with pytest.raises(GalleryError, match="Milvus could not do that") as caught:
            link.where(RECORDS, 'nosuch == "Ann Lee"')
    out = capfd.readouterr()
    assert "Ann Lee" not in f"{caught.value} {caplog.text} {out.err} {out.out}"


def test_a_gallery_that_is_there_says_its_space_to_the_commands(milvus: str, settings: Settings) -> None:
    assert not is_there(milvus)
    asked = replace(settings, gallery=milvus, space="auto")
    assert fitted(asked).settings == asked
    opened(milvus).close()
    assert is_there(milvus)
    assert fitted(asked).settings.space == "toy"


def test_a_file_that_another_process_has_is_refused_in_words_and_nothing_else(
    milvus: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import fcntl

    opened(milvus).close()
    with (tmp_path / "people.db" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with caplog.at_level("DEBUG"), pytest.raises(GalleryError, match="another process has it"):
            opened(milvus)
        assert not caplog.records, "no traceback of the engine's own"
    assert (tmp_path / "people.db").stat().st_mode & 0o777 == 0o700
