"""Archives that somebody made to do harm, or that are damaged, are refused in words or row by row."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import save
from intake_files import as_zip, imported, opened_recognizer, people_folder, statuses

from reid.errors import ArchiveError
from reid.intake import archive as archives
from reid.intake import open_source
from reid.intake.report import counts_of
from reid.recognizer import Recognizer


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    yield from opened_recognizer(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return people_folder(tmp_path)


def hostile(file: Path, picture: bytes) -> Path:
    """A good photograph among members that would write elsewhere, link elsewhere, or fill the disk."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Ann/good.jpg", picture)
        archive.writestr("../Ann/slip.jpg", picture)
        archive.writestr("/Ann/absolute.jpg", picture)
        archive.writestr("C:\\Ann\\drive.jpg", picture)
        archive.writestr("Ann/../../slip.jpg", picture)
        link = zipfile.ZipInfo("Ann/link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("Ann/bomb.bmp", b"BM" + b"\0" * (64 << 20))
        archive.writestr("Ann/nested.zip", b"PK\x03\x04")
    return file


def test_an_archive_made_to_do_harm_writes_nothing_outside_and_fills_nothing(
    recognizer: Recognizer, folder: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    file = hostile(work / "people.zip", (folder / "Ann" / "0.jpg").read_bytes())
    done = imported(recognizer, file)
    assert statuses(done) == {
        "Ann/good.jpg": "enrolled", "../Ann/slip.jpg": "refused", "/Ann/absolute.jpg": "refused",
        "C:/Ann/drive.jpg": "refused", "Ann/../../slip.jpg": "refused", "Ann/link.jpg": "refused",
        "Ann/bomb.bmp": "refused", "Ann/nested.zip": "unreadable",
    }  # fmt: skip
    assert sorted(path.name for path in work.iterdir()) == ["people.zip"]
    assert not list(tmp_path.rglob("slip.jpg"))


def test_an_archive_locked_by_a_password_is_refused_in_words(
    recognizer: Recognizer, folder: Path, tmp_path: Path
) -> None:
    data = bytearray(as_zip(folder).read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag in both headers of each member
        start = 0
        while (start := data.find(signature, start)) >= 0:
            data[start + at] |= 1
            start += 4
    (tmp_path / "locked.zip").write_bytes(data)
    done = imported(recognizer, tmp_path / "locked.zip")
    assert counts_of(done) == {"refused": 6}
    assert "locked by a password" in done.lines[0].reason
    assert recognizer.gallery.count() == 0


def test_an_archive_that_is_cut_off_or_damaged_is_named(recognizer: Recognizer, folder: Path, tmp_path: Path) -> None:
    data = as_zip(folder).read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(ArchiveError, match=r"cut\.zip cannot be opened as a zip"), open_source(tmp_path / "cut.zip"):
        pass
    middle = data.find(b"JFIF") + 200
    (tmp_path / "damaged.zip").write_bytes(data[:middle] + bytes(20) + data[middle + 20 :])
    done = imported(recognizer, tmp_path / "damaged.zip")
    assert counts_of(done) == {"refused": 1, "enrolled": 5}
    assert "damaged" in done.lines[0].reason


def test_an_archive_beyond_the_limits_is_refused_as_a_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = as_zip(folder)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 5)
    with pytest.raises(ArchiveError, match="6 files, more than 5"), open_source(file):
        pass
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(ArchiveError, match="would unpack to"), open_source(file):
        pass


def test_names_written_as_utf8_without_saying_so_are_read_as_meant(
    recognizer: Recognizer, folder: Path, tmp_path: Path
) -> None:
    picture = (folder / "Ann" / "0.jpg").read_bytes()
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as archive:
        info = zipfile.ZipInfo("Zoë Müller/0.jpg".encode().decode("cp437"))
        archive.writestr(info, picture)
    data = (tmp_path / "mac.zip").read_bytes()
    name = "Zoë Müller/0.jpg".encode()
    told = info.filename.encode()
    # zipfile writes the DOS letters as UTF-8 and says so: take both back, as Finder does
    assert data.count(told) == 2
    plain_zip = _without_utf8_flag(data, told, name)
    (tmp_path / "mac.zip").write_bytes(plain_zip)
    imported(recognizer, tmp_path / "mac.zip")
    assert [one.name for one in recognizer.gallery.identities()] == ["Zoë Müller"]


def _without_utf8_flag(data: bytes, told: bytes, name: bytes) -> bytes:
    """The same archive of one member with another name's bytes and without the flag 0x800."""
    shorter = len(told) - len(name)
    local, central, end = data.find(b"PK\x03\x04"), data.find(b"PK\x01\x02"), data.find(b"PK\x05\x06")
    out = bytearray(data)
    for start, flags, length in ((local, 6, 26), (central, 8, 28)):
        out[start + flags + 1] &= ~0x08
        out[start + length : start + length + 2] = len(name).to_bytes(2, "little")
    size = int.from_bytes(out[end + 12 : end + 16], "little") - shorter
    out[end + 12 : end + 16] = size.to_bytes(4, "little")
    out[end + 16 : end + 20] = (central - shorter).to_bytes(4, "little")
    return bytes(out).replace(told, name)


def test_links_of_folders_are_not_followed(recognizer: Recognizer, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "Secret").mkdir(parents=True)
    save(outside / "Secret" / "0.jpg", [4])
    (folder / "Linked").symlink_to(outside / "Secret")
    assert counts_of(imported(recognizer, folder)) == {"enrolled": 6}
