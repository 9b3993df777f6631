"""A gallery goes to another space whole: nothing but embeddings changes, whenever somebody pulls the plug."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import COLOURS, FakeNetwork
from numpy.typing import NDArray

from reid.align import CHIP_PX
from reid.cli import main
from reid.errors import EmbeddingSpaceError, GalleryError
from reid.gallery import open_gallery
from reid.gallery.base import Gallery
from reid.gallery.reembedding import BATCH
from reid.images import encode_jpeg, read_photograph
from reid.recognizer import Recognizer
from reid.reembed import reembed, translated
from reid.score_odds import _KEY as ODDS
from reid.settings import CHECKOUT, Settings
from reid.space import EmbeddingSpace
from reid.types import Embeddings, KeptFace, Photo, Quality, Rejection

LANDMARKS = np.array([[90, 100], [166, 100], [128, 140], [98, 180], [158, 180]], np.float32)
TURN = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 6)))[0].astype(np.float32)


class Wider(FakeNetwork):
    """The same world seen by another network: eight numbers a face."""

    name = "wider"
    dim = 8
    weights_sha256 = "1" * 64

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        return np.asarray(super().embed(crops) @ TURN.T, np.float32)


OLD = EmbeddingSpace([FakeNetwork()], [1.0])
NEW = EmbeddingSpace([Wider()], [1.0])


def _chip(person: int, shade: int = 0) -> NDArray[np.uint8]:
    return np.full((CHIP_PX, CHIP_PX, 3), np.clip(COLOURS[person] - shade, 0, 255), np.uint8)


def _photo(person: int, number: int) -> Photo:
    chip = _chip(person, number % 60)
    embedding = OLD.embed([OLD.crops(chip, LANDMARKS)])[0]
    return Photo(f"{person}-{number:03d}", f"id{person}", f"Person {person}", encode_jpeg(chip), LANDMARKS, embedding,
                 0.5, f"{number}.jpg", f"2026-01-01T00:00:{number % 60:02d}+00:00")  # fmt: skip


def _kept(person: int) -> KeptFace:
    photo = _photo(person, 7)
    quality = Quality(50, 0.5, 0, 1, 0.5)
    return KeptFace(id=f"kept{person}", crop_jpeg=photo.crop_jpeg, landmarks_px=LANDMARKS, embedding=photo.embedding,
                    quality=quality, box_px=(0, 0, 9, 9), source="x", sha256="0" * 64,
                    seen_at="2026-01-01T00:00:00+00:00", expires_at="2999-01-01T00:00:00+00:00",
                    ignored=False)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three people, more photographs than two batches, and everything else that a gallery remembers."""
    path = tmp_path / "people.db"
    with closing(_open(path, OLD)) as gallery:
        gallery.add([_photo(person, number) for person in range(3) for number in range(BATCH - 10)])
        gallery.edit("id1", metadata={"case": "17"}, cover_photo_id="1-005")
        gallery.reject(Rejection("r", "id0", "other.jpg", "2026-01-02T00:00:00+00:00", _photo(2, 3).embedding))
        gallery.set_apart("id0", "id2")
        gallery.unknowns.keep([_kept(4)])
        gallery.set_meta("calibration", "{}")
        gallery.set_meta(ODDS, "{}")
        gallery.set_meta("demo", "enrolled")
    return path


def _open(path: Path, space: EmbeddingSpace) -> Gallery:
    return open_gallery(str(path), space_id=space.id, dim=space.dim)


def _everything_but_embeddings(gallery: Gallery) -> list[object]:
    people = gallery.identities()
    photos = [photo for person in people for photo in gallery.photos(person.id)]
    return [
        people,
        [(photo.id, photo.identity_id, photo.crop_jpeg, photo.source, photo.added_at) for photo in photos],
        [(one.id, one.identity_id, one.source, one.added_at) for one in gallery.rejections(["id0", "id1", "id2"])],
        [(one.id, one.crop_jpeg) for one in gallery.unknowns.faces()],
        gallery.apart(),
        gallery.get_meta("demo"),
    ]


def _probe(person: int, space: EmbeddingSpace) -> Embeddings:
    return space.embed([space.crops(_chip(person, 20), LANDMARKS)])


def test_everything_but_the_embeddings_stays(path: Path) -> None:
    with closing(_open(path, OLD)) as gallery:
        before = _everything_but_embeddings(gallery)
    done = reembed(path, NEW, progress=False)
    assert (done.switched.photos, done.switched.unknowns, done.switched.rejections) == (3 * (BATCH - 10), 1, 1)
    assert done.switched.calibrated
    with closing(_open(path, NEW)) as gallery:
        assert _everything_but_embeddings(gallery) == before
        assert gallery.get_meta("calibration") is gallery.get_meta(ODDS) is None, "they were of the old similarities"
        for person in range(3):
            best = gallery.search(_probe(person, NEW), 1)[0][0]
            assert (best.identity.id, best.similarity > 0.99) == (f"id{person}", True)
        enrolled_too = gallery.photo("2-003")
        assert enrolled_too is not None
        assert np.allclose(gallery.rejections(["id0"])[0].embedding, enrolled_too.embedding, atol=1e-6)
        assert gallery.unknowns.faces()[0].embedding.shape == (NEW.dim,)


def test_the_gallery_as_it_was_lies_beside_it_and_nothing_else_does(path: Path) -> None:
    done = reembed(path, NEW, progress=False)
    with closing(_open(done.switched.backup, OLD)) as gallery:
        assert gallery.search(_probe(1, OLD), 1)[0][0].identity.id == "id1"
        assert gallery.get_meta("calibration") == "{}"
    assert done.switched.backup.stat().st_mode & 0o077 == 0
    assert {one.name for one in path.parent.iterdir()} <= {
        path.name, f"{path.name}-wal", f"{path.name}-shm", done.switched.backup.name,
        f"{done.switched.backup.name}-wal", f"{done.switched.backup.name}-shm",
    }  # fmt: skip


KILLED = """
import os, signal, sys
from pathlib import Path
import test_reembed as t

class Killed(t.Wider):
    calls = 0
    def embed(self, crops):
        Killed.calls += 1
        if Killed.calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed(crops)

t.reembed(Path(sys.argv[1]), t.EmbeddingSpace([Killed()], [1.0]), progress=False)
"""


def test_killed_in_the_middle_it_is_the_old_gallery_and_goes_on_where_it_was(path: Path) -> None:
    places = os.pathsep.join(str(place) for place in (CHECKOUT, CHECKOUT / "tests"))
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], env={**os.environ, "PYTHONPATH": places}, check=False
    )
    assert died.returncode == -signal.SIGKILL
    with closing(_open(path, OLD)) as gallery:
        assert gallery.search(_probe(2, OLD), 1)[0][0].identity.id == "id2"
    done = reembed(path, NEW, progress=False)
    assert 0 < done.embedded <= done.switched.photos + 1 - BATCH, "the first batch was not embedded again"
    with closing(_open(path, NEW)) as gallery:
        assert gallery.search(_probe(2, NEW), 1)[0][0].similarity > 0.99


def test_stopped_in_the_switch_nothing_has_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Embeddings) -> Embeddings:
        raise KeyboardInterrupt

    monkeypatch.setattr("reid.reembed.translated", stop)
    with pytest.raises(KeyboardInterrupt):
        reembed(path, NEW, progress=False)
    with closing(_open(path, OLD)) as gallery:
        assert gallery.search(_probe(0, OLD), 1)[0][0].similarity > 0.99
    monkeypatch.undo()
    assert reembed(path, NEW, progress=False).embedded == 0


def test_who_is_enrolled_meanwhile_comes_along(path: Path) -> None:
    class Busy(Wider):
        def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
            with closing(_open(path, OLD)) as gallery:
                if gallery.find("Person 5") is None:
                    gallery.add([_photo(5, 1)])
                    gallery.unknowns.keep([_kept(3)])
            return super().embed(crops)

    reembed(path, EmbeddingSpace([Busy()], [1.0]), progress=False)
    with closing(_open(path, NEW)) as gallery:
        assert gallery.search(_probe(5, NEW), 1)[0][0].identity.name == "Person 5"
        assert gallery.unknowns.count() == 2


def test_a_program_that_has_it_open_is_told_instead_of_comparing_spaces(path: Path) -> None:
    with closing(_open(path, OLD)) as gallery:
        reembed(path, NEW, progress=False)
        for act in (
            lambda: gallery.search(_probe(0, OLD), 1), lambda: gallery.add([_photo(0, 1)]), lambda: gallery.photo("x"),
        ):  # fmt: skip
            with pytest.raises(EmbeddingSpaceError, match="Start ByteFace again"):
                act()


def test_the_same_space_and_galleries_without_crops_are_refused(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EmbeddingSpaceError, match="already"):
        reembed(path, OLD, progress=False)
    with pytest.raises(GalleryError, match="no gallery"):
        reembed(tmp_path / "none.db", NEW, progress=False)
    assert main(["reembed", "--gallery", "g.npy"]) == 1
    assert "keeps no crops" in capsys.readouterr().err


def test_a_gallery_in_milvus_gets_there_by_way_of_a_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pymilvus", reason="the extra [milvus] is not installed")
    monkeypatch.setattr(EmbeddingSpace, "load", lambda *_, **__: NEW)
    monkeypatch.setenv("BYTEFACE_DATA", str(tmp_path / "data"))
    there, new = f"milvus:{tmp_path / 'old.db'}", f"milvus:{tmp_path / 'new.db'}"
    assert main(["migrate", "--from", str(path), "--to", there]) == 0
    capsys.readouterr()
    assert main(["reembed", "--gallery", there]) == 1
    said = capsys.readouterr().err
    monkeypatch.chdir(tmp_path / "data")
    for command in re.findall(r"byteface (\w+ --[^,]+)[,.]", said.replace(" the new address.", f" {new}.").strip()):
        assert main(command.removesuffix(".").split()) == 0, capsys.readouterr().err
    with closing(_open(path, OLD)) as before, closing(open_gallery(new, space_id=NEW.id, dim=NEW.dim)) as after:
        assert _everything_but_embeddings(after) == _everything_but_embeddings(before)
        assert [one[0].identity.id for one in after.search(_probe(2, NEW), 1)] == ["id2"]
    assert main(["reembed", "--gallery", "milvus://faces.example:19530/people"]) == 1
    assert "milvus://faces.example:19530/people is not re-embedded" in capsys.readouterr().err, "and nobody was asked"


def test_a_rejected_face_without_a_crop_follows_the_map_of_those_that_have_one() -> None:
    rng = np.random.default_rng(0)

    def units(count: int) -> Embeddings:
        rows = rng.standard_normal((count, 6)).astype(np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    before, others = units(200), units(20)
    found = translated(before, before @ TURN.T, np.concatenate([others, before[3:4]]))
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert ((found[:-1] * (others @ TURN.T)).sum(1) > 0.999).all()
    assert np.array_equal(found[-1], (before @ TURN.T)[3])
    lonely = translated(before[:1], before[:1] @ TURN.T, np.eye(6, dtype=np.float32))
    assert np.isfinite(lonely).all()
    assert np.linalg.norm(lonely, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_command_takes_real_people_to_another_space(
    tmp_path: Path, demo_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = tmp_path / "g.db"
    people = ("madonna", "elton_john")
    for name in people:
        photos = [str(one) for one in sorted((demo_dir / "train" / name).iterdir())[:4]]
        assert main(["enrol", name, *photos, "--gallery", str(gallery), "--space", "sface", "--face", "largest"]) == 0
    assert main(["reembed", "--gallery", str(gallery), "--space", "facenet+sface", "--weights", "ms1m"]) == 0
    assert "sface:" in capsys.readouterr().out
    recognizer = Recognizer.open(replace(Settings.from_env(), gallery=str(gallery), demo=False))
    with closing(recognizer):
        assert recognizer.space.name.startswith("facenet+sface")
        photo = recognizer.gallery.photos(recognizer.gallery.identities()[0].id)[0]
        original = next((demo_dir / "train").rglob(photo.source))
        photograph = read_photograph(original)
        direct = recognizer.describe(photograph, recognizer.detect(photograph))[0]
        assert float(direct.embedding @ photo.embedding) > 0.99, "a stored crop is as good as the photograph"
        for name in people:
            probe = read_photograph(sorted((demo_dir / "val" / name).iterdir())[0])
            assert recognizer.search(probe)[0].candidates[0].identity.name == name
