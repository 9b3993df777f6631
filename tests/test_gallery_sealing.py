"""An encrypted gallery: unreadable in its files, the same to everybody who has the key, and closed to all others."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_records import DIM, SPACE, kept, photo, unit
from test_gallery_sqlite import traces

from reid import cli
from reid.errors import GalleryError, SettingsError
from reid.gallery import open_gallery
from reid.gallery.backup import export_gallery, restore_gallery
from reid.gallery.base import Gallery
from reid.gallery.rows import to_blob
from reid.gallery.sealing import key_of, new_key, read_key, use_key
from reid.types import Rejection

KEY, OTHER = (read_key(new_key(), "the test") for _ in range(2))
CROP = np.random.default_rng(5).bytes(20_000)


@pytest.fixture(autouse=True)
def _no_key_afterwards() -> Iterator[None]:
    yield
    use_key(None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.db"


def opened(path: Path) -> Gallery:
    return open_gallery(str(path), space_id=SPACE, dim=DIM)


def filled(path: Path) -> None:
    """Two people, a rejection and a kept stranger, each with the same crop and embedding."""
    with closing(opened(path)) as gallery:
        gallery.add([photo("p1", "ann", embedding=unit(1), crop=CROP), photo("p2", "bo", embedding=unit(2), crop=CROP)])
        gallery.reject(Rejection("r1", "bo", "crowd.jpg", "2026-01-01", unit(3)))
        gallery.unknowns.keep([kept("u1", crop=CROP)])


def content(path: Path) -> list[object]:
    """All that the gallery tells, comparable."""
    with closing(opened(path)) as gallery:
        photos = [one for who in gallery.identities() for one in gallery.photos(who.id)]
        said: list[object] = [
            (one.id, one.crop_jpeg, one.embedding.tobytes(), one.landmarks_px.tobytes()) for one in photos
        ]
        said += [one.embedding.tobytes() for one in gallery.rejections(["bo"])]
        said += [(one.crop_jpeg, one.embedding.tobytes()) for one in gallery.unknowns.faces()]
        # without the moment of their making: a gallery that is made twice may be made in two seconds
        found = [(one.identity.id, one.similarity, one.photo_id) for one in gallery.search(unit(1)[None], 2)[0]]
        return [*said, gallery.templates()[1].tobytes(), found]


def readable(folder: Path) -> int:
    """Pieces of the crop, the embeddings and the templates that lie in the folder's files."""
    vectors = b"".join(to_blob(unit(n)) for n in (1, 2, 3))
    return traces(folder, CROP) + traces(folder, vectors)


def keyed(tmp_path: Path, key: bytes, name: str = "key") -> Path:
    """A key file."""
    import base64

    file = tmp_path.parent / f"{tmp_path.name}-{name}"  # not in the folder that is scanned
    file.write_text(base64.b64encode(key).decode())
    return file


def test_a_gallery_made_with_a_key_has_nothing_readable_and_answers_the_same(path: Path) -> None:
    filled(path)
    plain = content(path)
    assert readable(path.parent) > 0, "the scan finds what is not encrypted"
    path.unlink()
    use_key(KEY)
    filled(path)
    assert content(path) == plain
    assert readable(path.parent) == 0


@pytest.mark.parametrize(
    ("key", "said"), [(None, "is encrypted. Give its key"), (OTHER, "with another key")], ids=["no key", "another"]
)
def test_without_its_key_it_is_not_opened_and_not_changed(path: Path, key: bytes | None, said: str) -> None:
    use_key(KEY)
    filled(path)
    before = path.read_bytes()
    use_key(key)
    with pytest.raises(GalleryError, match=said):
        opened(path)
    assert path.read_bytes() == before


def test_a_value_that_was_altered_or_exchanged_is_not_believed(path: Path) -> None:
    use_key(KEY)
    filled(path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE photos SET embedding = (SELECT embedding FROM photos WHERE id = 'p2') WHERE id = 'p1'")
    with closing(opened(path)) as gallery, pytest.raises(GalleryError, match="was altered"):
        gallery.photos("ann")


def test_encrypting_changing_the_key_and_decrypting_keep_everything(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(path)
    plain = content(path)
    first, second = keyed(tmp_path, KEY), keyed(tmp_path, OTHER, "other")
    monkeypatch.setenv("BYTEFACE_KEY_FILE", str(first))
    assert cli.main(["encrypt", "--gallery", str(path)]) == 0
    assert "12 values" in capsys.readouterr().out
    assert readable(path.parent) == 0
    assert content(path) == plain
    assert cli.main(["encrypt", "--gallery", str(path)]) == 0
    assert "already" in capsys.readouterr().out
    monkeypatch.setenv("BYTEFACE_KEY_FILE", str(second))
    assert cli.main(["encrypt", "--gallery", str(path)]) == 1
    assert "with another key" in capsys.readouterr().err
    assert cli.main(["encrypt", "--gallery", str(path), "--old-key-file", str(first)]) == 0
    assert content(path) == plain
    assert cli.main(["encrypt", "--gallery", str(path), "--decrypt"]) == 0
    use_key(None)
    assert content(path) == plain


def test_a_process_that_has_it_open_notices_another_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    with closing(opened(path)) as gallery:
        monkeypatch.setenv("BYTEFACE_KEY", new_key())
        assert cli.main(["encrypt", "--gallery", str(path)]) == 0
        with pytest.raises(GalleryError, match="another key while it was in use"):
            gallery.search(unit(1)[None], 1)


@pytest.mark.parametrize(("exported_with", "restored_with"), [(None, KEY), (KEY, KEY)], ids=["plain", "sealed"])
def test_a_backup_takes_the_key_of_the_gallery_that_it_becomes(
    path: Path, tmp_path: Path, exported_with: bytes | None, restored_with: bytes
) -> None:
    use_key(exported_with)
    filled(path)
    plain = content(path)
    (outside := tmp_path.parent / f"{tmp_path.name}-out").mkdir()
    export_gallery(str(path), outside / "people.byteface")
    assert (readable(outside) == 0) == (exported_with is not None)
    path.unlink()
    use_key(restored_with)
    with closing(opened(path)) as there:
        there.add([photo("p9", "cy")])
        restore_gallery(outside / "people.byteface", str(path), replace=True)
        assert there.find("Name of ann"), "whoever has it open goes on"
    assert content(path) == plain
    assert readable(path.parent) == 0


def test_a_backup_with_a_key_is_refused_without_it(path: Path, tmp_path: Path) -> None:
    use_key(KEY)
    filled(path)
    export_gallery(str(path), tmp_path / "people.byteface")
    use_key(None)
    with pytest.raises(GalleryError, match="is encrypted"):
        restore_gallery(tmp_path / "people.byteface", str(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key"
    assert cli.main(["encrypt", "--make-key", str(file)]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert key_of({"BYTEFACE_KEY_FILE": str(file)}) == read_key(file.read_text(), "it")
    before = file.read_text()
    assert cli.main(["encrypt", "--make-key", str(file)]) == 1
    assert file.read_text() == before
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "short", "not base64 at all!", "AAAA"])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SettingsError, match="holds no key"):
        read_key(text, "BYTEFACE_KEY")


def test_two_keys_are_one_too_many() -> None:
    with pytest.raises(SettingsError, match="both set"):
        key_of({"BYTEFACE_KEY": new_key(), "BYTEFACE_KEY_FILE": os.devnull})
