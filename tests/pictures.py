"""Small files of every kind, made when they are asked for: no picture lies in the repository."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image

from reid.types import RGB

WIDTH, HEIGHT = 96, 64
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 40), (30, 40, 210), (230, 220, 40)


def scene() -> RGB:
    """(HEIGHT, WIDTH, 3): a colour in each quarter, so that every turn and every mirroring shows."""
    pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    top, left = slice(0, HEIGHT // 2), slice(0, WIDTH // 2)
    bottom, right = slice(HEIGHT // 2, None), slice(WIDTH // 2, None)
    pixels[top, left], pixels[top, right] = RED, GREEN
    pixels[bottom, left], pixels[bottom, right] = BLUE, YELLOW
    return pixels


def grey() -> np.ndarray:
    """(HEIGHT, WIDTH) 0-255 from left to right."""
    return np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def heic(image: Image.Image, exif: bytes | None = None) -> bytes:
    """As a telephone writes it; through the library and not through Pillow, where nothing is registered."""
    file = pillow_heif.from_pillow(image)
    buffer = io.BytesIO()
    file.save(buffer, quality=95, **({"exif": exif} if exif else {}))
    return buffer.getvalue()


def encoded(image: Image.Image, kind: str, exif: Image.Exif | None = None) -> bytes:
    """With as little loss as the format allows."""
    if kind == "HEIF":
        return heic(image, exif.tobytes() if exif else None)
    options: dict[str, object] = {"exif": exif} if exif else {}
    if kind in {"JPEG", "WEBP", "AVIF"}:
        options["quality"] = 95
    if kind == "JPEG":
        options["subsampling"] = 0
    return save(image, kind, **options)


KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "HEIF", "AVIF")
WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")

_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(image: Image.Image, kind: str, orientation: int) -> bytes:
    """How a camera held that way stores it: pixels turned, and an EXIF tag that says how to turn them back."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    transpose = _STORED[orientation]
    return encoded(image if transpose is None else image.transpose(transpose), kind, exif)


def of_every_kind() -> dict[str, bytes]:
    image = Image.fromarray(scene())
    files = {kind: encoded(image, kind) for kind in KINDS}
    files["TIFF, LZW"] = save(image, "TIFF", compression="tiff_lzw")
    files["TIFF, JPEG"] = save(image, "TIFF", compression="jpeg", quality=95)
    files["TIFF, Deflate"] = save(image, "TIFF", compression="tiff_adobe_deflate")
    files["JPEG, progressive"] = save(image, "JPEG", quality=95, progressive=True, subsampling=0)
    files["PNG, palette"] = save(image.quantize(16), "PNG")
    files["WEBP, lossless"] = save(image, "WEBP", lossless=True)
    files["TIFF, CMYK"] = save(image.convert("CMYK"), "TIFF")
    files["JPEG, CMYK"] = save(image.convert("CMYK"), "JPEG", quality=95, subsampling=0)
    files["TIFF, YCbCr"] = save(image.convert("YCbCr"), "TIFF", compression="jpeg", quality=95)
    files["PNG, opaque RGBA"] = save(image.convert("RGBA"), "PNG")
    return files


def many_frames() -> dict[str, bytes]:
    """Files whose first frame is the scene and whose second is black."""
    image, black = Image.fromarray(scene()), Image.new("RGB", (WIDTH, HEIGHT))
    return {
        kind: save(image, kind, save_all=True, append_images=[black], **options)
        for kind, options in (("TIFF", {}), ("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}))
    }


def huge_headers(side: int) -> dict[str, bytes]:
    """Files of a few bytes that claim `side` x `side` pixels."""
    return {
        "PNG": _png(side),
        "JPEG": _jpeg(side),
        "BMP": _bmp(side),
        "GIF": _gif(side),
        "PPM": _ppm(side),
        "TIFF": _tiff(side),
    }


def _png(side: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def _jpeg(side: int) -> bytes:
    small = save(Image.new("RGB", (16, 16)), "JPEG")
    start = small.index(b"\xff\xc0") + 5
    return small[:start] + struct.pack(">HH", side, side) + small[start + 4 :]


def _bmp(side: int) -> bytes:
    small = save(Image.new("RGB", (16, 16)), "BMP")
    return small[:18] + struct.pack("<ii", side, side) + small[26:]


def _gif(side: int) -> bytes:
    small = save(Image.new("P", (16, 16)), "GIF")
    return small[:6] + struct.pack("<HH", side, side) + small[10:]


def _ppm(side: int) -> bytes:
    return f"P6 {side} {side} 255\n".encode() + bytes(100)


def _tiff(side: int) -> bytes:
    entries = [
        (256, 4, side),
        (257, 4, side),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (279, 4, 100),
    ]
    directory = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        directory += struct.pack("<HHII", tag, kind, 1, value)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + bytes(100)
