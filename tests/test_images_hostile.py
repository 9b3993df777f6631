"""Pictures made to do harm, by code: work without end, memory without end, files that are two things at once."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pictures
import pytest
from PIL import Image

from reid import images, scans
from reid.errors import ImageDecodeError
from reid.images import read_photograph

SCENE = Image.fromarray(pictures.scene())


def progressive() -> bytes:
    return pictures.save(SCENE, "JPEG", quality=95, progressive=True, subsampling=0)


def painted_again(times: int) -> bytes:
    """A JPEG whose last scan, with its table, is there so many times more."""
    whole = progressive()
    scan = whole[whole.rfind(b"\xff\xc4") : -2]
    assert b"\xff\xda" in scan
    return whole[:-2] + scan * times + b"\xff\xd9"


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(*segments: bytes) -> bytes:
    whole = pictures.encoded(SCENE, "JPEG")
    return whole[:2] + b"".join(segments) + whole[2:]


def png_with(name: bytes, content: bytes) -> bytes:
    whole = pictures.encoded(SCENE, "PNG")
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return whole[:33] + chunk + whole[33:]  # after the header


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../evil.py", "print('run')")
    return file.getvalue()


BOMB = zlib.compress(bytes(100 << 20), 9)
"""100 MB of nothing in 100 kB."""

READ = {
    "JPEG that is a zip too": pictures.encoded(SCENE, "JPEG") + zipped(),
    "JPEG with a script in a comment": with_segments(segment(0xFE, b"<script>alert(1)</script><?php system('id') ?>")),
    "JPEG with a megabyte of EXIF": with_segments(*[segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 16),
    "JPEG with XMP that names entities": with_segments(
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>")
    ),
    "JPEG with a damaged profile": with_segments(segment(0xE2, b"ICC_PROFILE\0\x01\xff" + bytes(60_000))),
    "JPEG with scans in its preview": with_segments(segment(0xE1, b"Exif\0\0" + progressive()[:40_000])),
    "JPEG of a phone that films too": pictures.encoded(SCENE, "JPEG") + b"\xff\xda\x00\x02" * 5000,
    "GIF that is a script too": pictures.encoded(SCENE, "GIF") + b"*/=1;alert(1)//",
}
REFUSED_OR_READ = {
    "PNG with a bomb for a profile": png_with(b"iCCP", b"x\0\0" + BOMB),
    "PNG with a bomb for a text": png_with(b"zTXt", b"x\0\0" + BOMB),
    "PNG with a bomb for EXIF": png_with(b"zTXt", b"Raw profile type exif\0\0" + BOMB),
}
REFUSED = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://example.org/x"/></svg>',
    "SVG behind a byte order mark": b"\xef\xbb\xbf<?xml version='1.0'?><svg onload='alert(1)'/>",
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n(id) (r) file",
    "zip": zipped(),
    "JPEG that is painted a thousand times": painted_again(1000),
}


@pytest.mark.parametrize("kind", READ)
def test_a_picture_that_is_something_else_too_is_only_a_picture(kind: str) -> None:
    pixels = read_photograph(READ[kind]).pixels
    assert np.abs(pixels[:20, :30].mean((0, 1)) - pictures.RED).max() < 12


def test_what_unpacks_beside_the_pixels_takes_no_memory() -> None:
    assert grown_kib("for data in hostile.REFUSED_OR_READ.values(): hostile.read_or_refused(data)") < 50_000


def read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ImageDecodeError):
        read_photograph(data)


def grown_kib(work: str) -> int:
    """By how much the most memory that a process of its own ever had grows while it does something."""
    code = (
        "import resource, numpy as np, test_images_hostile as hostile\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"hostile.read_or_refused(hostile.READ['GIF that is a script too'])\nbefore = most()\n{work}\n"
        "print(most() - before)"
    )
    folder = str(Path(__file__).parent)
    told = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return int(told.stdout)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_picture_or_no_honest_one_is_refused_in_words(kind: str) -> None:
    with pytest.raises(ImageDecodeError, match=r"cannot be read\. .+\. .+\."):
        read_photograph(REFUSED[kind])


def test_only_scans_of_the_picture_itself_count(monkeypatch: pytest.MonkeyPatch) -> None:
    own = progressive().count(b"\xff\xda")
    assert 5 < own < 20
    monkeypatch.setattr(scans, "MOST", own)
    assert not scans.too_many(progressive())
    assert scans.too_many(painted_again(1))
    assert not scans.too_many(READ["JPEG with scans in its preview"])
    assert not scans.too_many(READ["JPEG of a phone that films too"])
    monkeypatch.setattr(scans, "MOST", 0)
    assert scans.too_many(pictures.encoded(SCENE, "JPEG"))


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xe1\xff\xff", b"\xff\xd8" + b"\xff" * 99]
)
def test_counting_scans_ends_where_the_file_does(data: bytes) -> None:
    assert not scans.too_many(data)


def test_large_pictures_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LARGE_PIXELS", pictures.WIDTH * pictures.HEIGHT - 1)
    while_held: list[bool] = []
    upright = images._upright
    monkeypatch.setattr(
        images, "_upright", lambda *given: (while_held.append(images._LARGE.locked()), upright(*given))[1]
    )
    read_photograph(pictures.encoded(SCENE, "PNG"))
    assert while_held == [True]
    assert not images._LARGE.locked()
    with pytest.raises(ImageDecodeError):
        read_photograph(pictures.encoded(SCENE, "PNG")[:-3000])
    assert not images._LARGE.locked(), "one that is damaged lets the next one in too"


def test_deep_grey_of_the_largest_size_takes_no_more_than_its_pixels_a_few_times() -> None:
    work = "deep = np.full((4000, 4000), 4095, np.uint16); before = most(); hostile.images._to_eight_bits(deep)"
    assert grown_kib(work) < 48_000, "16 MB of result, and one block in floats"
