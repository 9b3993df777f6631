"""Files in, upright RGB out: formats, EXIF, colour modes and size limits end here.

Knows nothing of faces. The one place where a picture is decoded or encoded.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from reid import scans
from reid.errors import ImageDecodeError
from reid.types import RGB, Photograph

MAX_PIXELS = 120_000_000
"""More is refused by the header, before anything is decoded. As RGB it takes 360 MB; a 100-megapixel camera fits."""

MAX_SIDE_PX = 65_535
"""What JPEG itself can hold; keeps a strip of 1 x 100,000,000 pixels out."""

MAX_BYTES = 1 << 30
"""Files beyond this are not even read into memory; 120 megapixels of 16-bit RGB without compression take 720 MB."""

_LARGE_PIXELS = 30_000_000
_LARGE = threading.Lock()
"""One at a time of those beyond: the largest takes 1.6 GB for a moment, and its file may have a hundred kilobytes."""

_BLOCK_ROWS = 256

FORMATS = "JPEG, PNG, WebP, TIFF, BMP, GIF, PPM, HEIC or AVIF"

_BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: white, as nearly every viewer and printer has it."""

_SIXTEEN_BIT = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation (TIFF 6.0, tag 274) -> what turns the stored pixels upright; 1 and anything unknown: nothing."""

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def read_photograph(source: Path | str | bytes, name: str | None = None) -> Photograph:
    """The picture in a file or in its bytes, upright: first frame, transparency on white, deep grey scaled to 8 bits.

    Colour profiles are not applied: they shift hues, which no face is told by.

    Args:
        source: path of a file, or its content.
        name: what to call it in messages; the file's name by default.

    Raises:
        ImageDecodeError: unreadable, not a photograph, cut off, damaged, or beyond the limits of size.
    """
    if isinstance(source, bytes):
        data, shown = source, printable(name or "The photograph")
    else:
        shown = printable(name or Path(source).name or str(source))
        data = _read_file(Path(source), shown)
    return Photograph(pixels=_decode(data, shown), name=shown, sha256=hashlib.sha256(data).hexdigest())


def encode_jpeg(rgb: RGB, quality: int = 95) -> bytes:
    """(H, W, 3) as JPEG with full colour resolution (4:4:4): crops are small and are embedded again."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def decode_jpeg(data: bytes) -> RGB:
    """What `encode_jpeg` wrote, as (H, W, 3), writable. Raises: ImageDecodeError."""
    return _decode(data, "The stored crop")


def printable(name: str) -> str:
    """File names may hold line breaks or bytes that are no text: neither belongs in a message or a database."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _refusal(name: str, what: str, todo: str) -> ImageDecodeError:
    return ImageDecodeError(f"{name} cannot be read. {what} {todo}")


def _read_file(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():  # a pipe or a device would block or never end
            path.stat()
            raise _refusal(name, "It is not a file.", "Name a photograph in it or another path.")
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(name, f"It is larger than {MAX_BYTES >> 30} GB.", "Make it smaller and add it.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise _refusal(name, "There is no such file.", "Check its name and folder.") from None
    except PermissionError:
        raise _refusal(name, "This account may not open it.", "Change its permissions and add it.") from None
    except (OSError, ValueError) as problem:  # ValueError: a name with a null byte
        reason = os.strerror(problem.errno or errno.EIO) if isinstance(problem, OSError) else "Not a usable name"
        raise _refusal(name, f"{reason}.", "Copy it to another disk and add it from there.") from None


def _decode(data: bytes, name: str) -> RGB:
    if not data:
        raise _refusal(name, "The file is empty.", "Copy it again and add it.")
    kind = _format_of(data[:64])
    if kind is None:
        raise _refusal(name, "It is not a photograph.", f"Add a {FORMATS} file.")
    if kind == "JPEG" and scans.too_many(data):
        what = f"It is painted more than {scans.MOST} times over, which no camera does."
        raise _refusal(name, what, "Export it again and add it.")
    _hush_pillow()
    try:
        with _open(data, kind) as image:
            _check_size(image.size, name)
            with _turn(image.size):
                return _upright(image, name)
    except ImageDecodeError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(name, "It") from None
    except MemoryError:
        raise _refusal(name, "It does not fit into this machine's memory.", "Make it smaller and add it.") from None
    except Exception as problem:  # decoders raise what they trip over: OSError, SyntaxError, KeyError, struct.error
        raise _refusal(name, _what_is_wrong(problem), "Export it again and add it.") from problem


def _turn(size: tuple[int, int]) -> AbstractContextManager[object]:
    return _LARGE if size[0] * size[1] > _LARGE_PIXELS else nullcontext()


def _upright(image: Image.Image, name: str) -> RGB:
    image.load()
    _check_size(image.size, name)  # a HEIF may turn out larger than its header says
    orientation = _orientation(image)
    upright = _to_rgb(image)
    if orientation in _UPRIGHT:
        upright = upright.transpose(_UPRIGHT[orientation])
    return np.array(upright)


def _format_of(head: bytes) -> str | None:
    """Pillow's id of a format that we open, by the file's first bytes; None for everything else.

    A list of what may be opened, instead of Pillow's forty formats: some of those start programs (EPS) or follow
    references, and none of them comes out of a camera.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if head.startswith(b"BM"):
        return "BMP"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if re.match(rb"P[1-6][\s#]", head):
        return "PPM"
    if head[4:8] == b"ftyp":
        brands = {head[8:12]} | {head[at : at + 4] for at in range(16, min(len(head), _box_length(head)), 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    return None


def _box_length(head: bytes) -> int:
    return int(struct.unpack(">I", head[:4])[0])


def _open(data: bytes, kind: str) -> Image.Image:
    if kind == "HEIF":
        from pillow_heif import HeifImageFile  # loaded by the first phone picture; nothing is registered globally

        image: Image.Image = HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]
        return image
    return Image.open(io.BytesIO(data), formats=[kind])


def _hush_pillow() -> None:
    """Pillow warns about odd metadata and about sizes, process-wide; we check sizes ourselves and raise.

    `warnings.catch_warnings` would not do: it swaps the filters under other threads' feet. Adding one filter that names
    Pillow's modules is the same however often it happens.
    """
    wanted = ("ignore", None, Warning, re.compile(r"(PIL|pillow_heif)\."), 0)
    if wanted not in warnings.filters:
        warnings.filterwarnings("ignore", category=Warning, module=r"(PIL|pillow_heif)\.")


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise _refusal(name, "It has no pixels.", "Export it again and add it.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise _too_large(name, f"With {width:,} × {height:,} pixels it")


def _too_large(name: str, subject: str) -> ImageDecodeError:
    limit = f"the limit of {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE_PX:,} pixels a side"
    return _refusal(name, f"{subject} is beyond {limit}.", "Make it smaller and add it.")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation of a loaded picture: its decoder may have turned it already, and then says 1."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata raise anything, and are no reason to refuse the picture they came with
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        return _flatten(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _flatten(rgba: Image.Image) -> Image.Image:
    alpha = rgba.getchannel("A")
    if alpha.getextrema()[1] == 0:  # scanners write an alpha channel of zeros and mean nothing by it
        return rgba.convert("RGB")
    flat = Image.new("RGB", rgba.size, _BACKGROUND)
    flat.paste(rgba, mask=alpha)
    return flat


def _to_eight_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """(H, W) of any depth -> 0-255 by dividing, never by clipping.

    The divisor is the full scale of the fewest bits that hold the brightest pixel (8, then 9, 10, ...): 12-bit scans
    and X-rays are stored in 16 bits and would be black otherwise. Fractions in [0, 1] count as a full scale of 1.
    """
    blocks = [slice(at, at + _BLOCK_ROWS) for at in range(0, len(grey), _BLOCK_ROWS)]
    ends = [(float(block.min()), float(block.max())) for block in map(_finite, _parts(grey, blocks))]
    lowest = min(0.0, *(low for low, _ in ends))
    brightest = max(high for _, high in ends) - lowest
    fractions = grey.dtype.kind == "f" and brightest <= 1.0
    full_scale = 1.0 if fractions else float(2 ** max(8, int(brightest).bit_length()) - 1)
    scaled = np.empty(grey.shape, np.uint8)
    for rows, block in zip(blocks, map(_finite, _parts(grey, blocks)), strict=True):
        scaled[rows] = np.rint(np.minimum((block - np.float32(lowest)) * np.float32(255.0 / full_scale), 255.0))
    return scaled


def _parts(grey: NDArray[np.generic], blocks: list[slice]) -> Iterator[NDArray[np.generic]]:
    return (grey[rows] for rows in blocks)


def _finite(grey: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.nan_to_num(grey.astype(np.float32), posinf=0.0, neginf=0.0)


def _what_is_wrong(problem: Exception) -> str:
    text = str(problem).lower()
    if isinstance(problem, EOFError) or any(
        hint in text for hint in ("truncated", "end of file", "ended", "too short")
    ):
        return "The file ends early."
    return "The file is damaged."
