"""Every file that people bring becomes upright RGB, or one sentence that says what to do."""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pictures
import pytest
from PIL import Image

from reid import images
from reid.errors import ImageDecodeError
from reid.images import decode_jpeg, encode_jpeg, read_photograph
from reid.types import RGB

FILES = pictures.of_every_kind()
FRAMES = pictures.many_frames()
HUGE = pictures.huge_headers(60_000)


def difference(a: RGB, b: RGB) -> float:
    """Mean absolute difference; infinite for different sizes."""
    return float(np.abs(a.astype(int) - b).mean()) if a.shape == b.shape else float("inf")


def refusal(source: Path | bytes, name: str | None = None) -> str:
    with pytest.raises(ImageDecodeError) as caught:
        read_photograph(source, name)
    return str(caught.value)


# what is read


@pytest.mark.parametrize("kind", FILES)
def test_a_picture_of_any_format_and_colour_mode_keeps_its_colours(kind: str) -> None:
    photograph = read_photograph(FILES[kind])
    assert photograph.pixels.dtype == np.uint8
    assert difference(photograph.pixels, pictures.scene()) < 6


@pytest.mark.parametrize("kind", pictures.WITH_EXIF)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_comes_out_upright_however_the_camera_was_held(kind: str, orientation: int) -> None:
    data = pictures.turned(Image.fromarray(pictures.scene()), kind, orientation)
    assert difference(read_photograph(data).pixels, pictures.scene()) < 6


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "tiff_adobe_deflate"])
def test_a_compressed_tiff_is_turned_once_and_not_twice(compression: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(pictures.scene()).transpose(Image.Transpose.ROTATE_90)
    data = pictures.save(stored, "TIFF", exif=exif, compression=compression)
    assert difference(read_photograph(data).pixels, pictures.scene()) < 6


def test_damaged_exif_does_not_cost_the_picture() -> None:
    image = Image.fromarray(pictures.scene())
    data = pictures.save(image, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\x12\x34")
    assert difference(read_photograph(data).pixels, pictures.scene()) < 6


@pytest.mark.parametrize("orientation", [0, 9, 4711])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pictures.encoded(Image.fromarray(pictures.scene()), "PNG", exif)
    assert difference(read_photograph(data).pixels, pictures.scene()) == 0


@pytest.mark.parametrize("kind", FRAMES)
def test_of_many_frames_the_first_is_taken(kind: str) -> None:
    assert difference(read_photograph(FRAMES[kind]).pixels, pictures.scene()) < 6


def test_a_grey_picture_has_three_equal_channels() -> None:
    pixels = read_photograph(pictures.save(Image.fromarray(pictures.grey()), "PNG")).pixels
    assert np.array_equal(pixels, np.repeat(pictures.grey()[:, :, None], 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [9, 12, 16])
def test_deep_grey_is_scaled_and_not_clipped(kind: str, bits: int) -> None:
    full = 2**bits - 1
    deep = np.rint(pictures.grey() / 255.0 * full).astype(np.uint16)
    pixels = read_photograph(pictures.save(Image.fromarray(deep), kind)).pixels
    assert np.abs(pixels[:, :, 0].astype(int) - pictures.grey()).max() <= 1


def test_deep_grey_in_the_other_byte_order_is_the_same() -> None:
    deep = (pictures.grey().astype(np.uint16) * 257).byteswap()
    image = Image.frombytes("I;16B", (pictures.WIDTH, pictures.HEIGHT), deep.tobytes())
    pixels = read_photograph(pictures.save(image, "TIFF")).pixels
    assert np.array_equal(pixels[:, :, 0], pictures.grey())


@pytest.mark.parametrize(("full_scale", "dtype"), [(1.0, np.float32), (255.0, np.float32), (65535, np.int32)])
def test_grey_in_floats_and_in_32_bits_is_scaled_too(full_scale: float, dtype: type) -> None:
    deep = (pictures.grey() / 255.0 * full_scale).astype(dtype)
    pixels = read_photograph(pictures.save(Image.fromarray(deep), "TIFF")).pixels
    assert np.abs(pixels[:, :, 0].astype(int) - pictures.grey()).max() <= 1


def test_floats_that_are_no_numbers_are_black() -> None:
    deep = np.full((4, 4), 0.5, np.float32)
    deep[0, 0], deep[0, 1] = np.nan, np.inf
    pixels = read_photograph(pictures.save(Image.fromarray(deep), "TIFF")).pixels
    assert pixels[0, 0, 0] == pixels[0, 1, 0] == 0
    assert pixels[1, 1, 0] in {127, 128}


def test_one_bit_pictures_are_black_and_white() -> None:
    image = Image.fromarray(pictures.grey() > 127)
    pixels = read_photograph(pictures.save(image, "TIFF")).pixels
    assert set(np.unique(pixels)) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_is_white(kind: str) -> None:
    rgba = np.dstack([pictures.scene(), np.full((pictures.HEIGHT, pictures.WIDTH), 255, np.uint8)])
    rgba[:8, :8] = (10, 20, 30, 0)
    data = pictures.save(Image.fromarray(rgba), kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    pixels = read_photograph(data).pixels
    assert (pixels[:8, :8] == 255).all()
    assert np.array_equal(pixels[8:, 8:], pictures.scene()[8:, 8:])


def test_half_transparent_grey_is_half_white() -> None:
    grey_alpha = np.dstack([np.zeros((8, 8), np.uint8), np.full((8, 8), 128, np.uint8)])
    pixels = read_photograph(pictures.save(Image.fromarray(grey_alpha, "LA"), "PNG")).pixels
    assert np.abs(pixels.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_is_white(kind: str) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 30, 30])
    image.paste(0, (0, 0, 4, 8))
    pixels = read_photograph(pictures.save(image, kind, transparency=0)).pixels
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, 4:] == (200, 30, 30)).all()


def test_an_alpha_channel_of_zeros_hides_nothing() -> None:
    rgba = np.dstack([pictures.scene(), np.zeros((pictures.HEIGHT, pictures.WIDTH), np.uint8)])
    assert np.array_equal(read_photograph(pictures.save(Image.fromarray(rgba), "PNG")).pixels, pictures.scene())


def test_a_scan_of_fifty_megapixels_is_read() -> None:
    data = pictures.save(Image.new("RGB", (8660, 5774), (10, 200, 30)), "PNG", compress_level=1)
    photograph = read_photograph(data)
    assert (photograph.width_px, photograph.height_px) == (8660, 5774)
    assert (photograph.pixels[::1000, ::1000] == (10, 200, 30)).all()


def test_a_hundred_megapixels_raise_no_warning_of_pillow(recwarn: pytest.WarningsRecorder) -> None:
    image = Image.new("1", (10_000, 10_000))
    assert read_photograph(pictures.save(image, "PNG")).width_px == 10_000
    assert not recwarn.list


def test_pixels_may_be_written_to() -> None:
    assert read_photograph(FILES["PNG"]).pixels.flags.writeable


# what it is called


def test_the_same_bytes_have_the_same_digest_wherever_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES["PNG"])
    digest = hashlib.sha256(FILES["PNG"]).hexdigest()
    assert (
        read_photograph(path).sha256
        == read_photograph(str(path)).sha256
        == read_photograph(FILES["PNG"]).sha256
        == digest
    )


def test_a_photograph_is_called_by_its_file_or_as_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "Марта 写真.png"
    path.write_bytes(FILES["PNG"])
    assert read_photograph(path).name == "Марта 写真.png"
    assert read_photograph(path, "passport").name == "passport"


def test_a_file_name_that_is_no_text_can_still_be_shown_and_stored(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"a\xff\n.png")  # noqa: PTH118 - bytes, which pathlib does not take
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(FILES["PNG"])
    name = read_photograph(Path(os.fsdecode(path))).name
    assert name.encode("utf-8").decode().isprintable()


def test_the_suffix_of_a_file_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "photograph.jpg"
    path.write_bytes(FILES["PNG"])
    assert difference(read_photograph(path).pixels, pictures.scene()) == 0


# what is refused


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF"])
def test_a_file_that_was_cut_off_says_so_or_that_it_is_damaged(kind: str) -> None:
    data = FILES[kind]
    message = refusal(data[: len(data) * 2 // 3], "scan-0031.tif")
    assert re.fullmatch(
        r"scan-0031\.tif cannot be read\. (The file ends early|The file is damaged)\. Export it again and add it\.",
        message,
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_large_photograph_that_was_cut_off_ends_early(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    data = pictures.encoded(Image.fromarray(noise), kind)
    assert refusal(data[: len(data) // 2], "a.jpg") == (
        "a.jpg cannot be read. The file ends early. Export it again and add it."
    )


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert refusal(path) == "empty.jpg cannot be read. The file is empty. Copy it again and add it."


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is no picture at all",
        b"\0",
        b"%PDF-1.7\n%\xe2\xe3",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"8BPS\0\1",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    ],
    ids=["text", "one byte", "PDF", "EPS", "SVG", "Photoshop", "video"],
)
def test_what_is_no_photograph_is_told_which_formats_are(data: bytes) -> None:
    message = refusal(data, "x")
    assert message.startswith("x cannot be read. It is not a photograph. Add a JPEG, PNG")


@pytest.mark.parametrize("kind", HUGE)
def test_a_header_of_sixty_thousand_pixels_a_side_is_refused_before_decoding(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_image: Image.Image) -> None:
        pytest.fail("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    message = refusal(HUGE[kind], "bomb")
    assert re.fullmatch(
        r"bomb cannot be read\. (It|With 60,000 × 60,000 pixels it) is beyond the limit of 120 megapixels "
        r"and 65,535 pixels a side\. Make it smaller and add it\.",
        message,
    )


def test_a_picture_just_beyond_the_limit_is_refused_and_one_within_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", pictures.WIDTH * pictures.HEIGHT)
    read_photograph(FILES["PNG"])
    monkeypatch.setattr(images, "MAX_PIXELS", pictures.WIDTH * pictures.HEIGHT - 1)
    assert "With 96 × 64 pixels it is beyond the limit" in refusal(FILES["PNG"])


def test_a_strip_of_one_row_and_a_million_columns_is_refused() -> None:
    assert "With 1,000,000 × 1 pixels it" in refusal(pictures.save(Image.new("L", (1_000_000, 1)), "PNG"))


def test_a_file_beyond_the_limit_of_bytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(FILES["PNG"])
    monkeypatch.setattr(images, "MAX_BYTES", len(FILES["PNG"]) - 1)
    assert refusal(path).startswith("large.png cannot be read. It is larger than")


def test_paths_that_lead_to_no_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "a.jpg") == ("a.jpg cannot be read. There is no such file. Check its name and folder.")
    assert "There is no such file." in refusal(tmp_path / "file" / "a.jpg")
    for name in ("folder", "pipe"):
        assert refusal(tmp_path / name).startswith(f"{name} cannot be read. It is not a file.")
    assert refusal(tmp_path / "a\0b.jpg").startswith("a?b.jpg cannot be read. ")
    assert refusal(tmp_path / ("x" * 5000)).endswith("Copy it to another disk and add it from there.")


def test_a_file_that_may_not_be_opened_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES["PNG"])

    def read_bytes(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")  # root may open everything, so nothing real can be made

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert refusal(path) == "a.png cannot be read. This account may not open it. Change its permissions and add it."


# at once


def test_pictures_are_read_by_many_threads_at_once() -> None:
    wanted = {kind: read_photograph(data).pixels for kind, data in FILES.items()}

    def read(kind: str) -> bool:
        return np.array_equal(read_photograph(FILES[kind]).pixels, wanted[kind])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, list(FILES) * 10))


# stored crops


def test_a_stored_crop_comes_back_nearly_as_it_was() -> None:
    assert difference(decode_jpeg(encode_jpeg(pictures.scene())), pictures.scene()) < 2


def test_lower_quality_makes_a_smaller_crop() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert len(encode_jpeg(noise, quality=50)) < len(encode_jpeg(noise))


def test_a_damaged_stored_crop_is_an_error_with_a_way_out() -> None:
    with pytest.raises(ImageDecodeError, match=r"The stored crop cannot be read\. .+\. .+\."):
        decode_jpeg(encode_jpeg(pictures.scene())[:200])
