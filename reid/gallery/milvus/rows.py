"""Records of the product as rows of a Milvus gallery and back. Knows no requests."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid.errors import GalleryError
from reid.gallery.milvus.schema import MAX_PARTS, PART_CHARS, UNUSED_DIM
from reid.gallery.rows import from_blob, to_blob
from reid.types import Identity, KeptFace, Photo, Quality, Rejection

Row = dict[str, Any]

_UNUSED = [0.0] * UNUSED_DIM


def parts(text: str) -> list[str]:
    """A text of any length as pieces that a field takes, cut by bytes and never within a character."""
    if len(text) <= PART_CHARS // 4:
        return [text]
    size = PART_CHARS if text.isascii() else PART_CHARS // 4
    cut = [text[start : start + size] for start in range(0, len(text), size)]
    if len(cut) > MAX_PARTS:
        raise GalleryError(
            "That is too long for a Milvus gallery, which keeps up to 16 million characters. Shorten it."
        )
    return cut


def record(kind: str, record_id: str, *, owner: str = "", at: str = "", text: str = "") -> Row:
    """A row of the records."""
    return {"id": record_id, "kind": kind, "owner": owner, "at": at, "body": parts(text), "unused": _UNUSED}


def body_of(row: Row) -> str:
    return "".join(row["body"])


def to_text(values: NDArray[np.floating]) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(to_blob(values)).decode()


def values_of(text: str) -> NDArray[np.float32]:
    """(N,) what `to_text` wrote."""
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)


def from_text(text: str, *shape: int) -> NDArray[np.float32]:
    return from_blob(base64.b64decode(text), *shape)


def vector_of(values: Sequence[float]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


# --- people and photographs ------------------------------------------------------------------------------------------


def identity_row(
    identity_id: str,
    name: str,
    created_at: str,
    *,
    template: NDArray[np.float32],
    photo_count: int = 0,
    cover: str = "",
) -> Row:
    """Of somebody new."""
    return {
        "id": identity_id, "name": name, "created_at": created_at, "photo_count": photo_count, "cover": cover,
        "metadata": ["{}"], "template": template,
    }  # fmt: skip


def metadata_parts(metadata: Mapping[str, str]) -> list[str]:
    return parts(json.dumps(dict(metadata), ensure_ascii=False))


def identity_of(row: Row) -> Identity:
    """From a row of the people."""
    metadata = json.loads("".join(row["metadata"]))
    return Identity(row["id"], row["name"], int(row["photo_count"]), row["cover"] or None, row["created_at"], metadata)


def photo_rows(photo: Photo) -> tuple[Row, Row]:
    """The photograph without its crop, and the crop. Raises: GalleryError for unusable landmarks or quality."""
    if photo.landmarks_px.shape != (5, 2) or not math.isfinite(photo.quality):
        raise GalleryError("A photograph came without five landmarks or a quality. Describe its face again.")
    row = {
        "id": photo.id, "identity_id": photo.identity_id, "quality": float(photo.quality),
        # file names may hold bytes that are no text
        "source": photo.source.encode("utf-8", "replace").decode("utf-8"),
        "added_at": photo.added_at, "sha256": photo.sha256, "landmarks": to_text(photo.landmarks_px),
        "embedding": photo.embedding,
    }  # fmt: skip
    return row, crop_row(f"p/{photo.id}", photo.crop_jpeg)


def photo_of(row: Row, crop: Row, name: str) -> Photo:
    """From both rows."""
    return Photo(
        id=row["id"],
        identity_id=row["identity_id"],
        identity_name=name,
        crop_jpeg=base64.b64decode(body_of(crop)),
        landmarks_px=from_text(row["landmarks"], 5, 2),
        embedding=vector_of(row["embedding"]),
        quality=row["quality"],
        source=row["source"],
        added_at=row["added_at"],
        sha256=row["sha256"],
    )


def crop_row(crop_id: str, jpeg: bytes) -> Row:
    return {"id": crop_id, "body": parts(base64.b64encode(jpeg).decode()), "unused": _UNUSED}


# --- what was said of people, and strangers --------------------------------------------------------------------------


def rejection_row(rejection: Rejection) -> Row:
    text = json.dumps([rejection.source, to_text(rejection.embedding)])
    return record(
        "rejection", f"rejection/{rejection.id}", owner=rejection.identity_id, at=rejection.added_at, text=text
    )


def rejection_of(row: Row, dim: int) -> Rejection:
    source, embedding = json.loads(body_of(row))
    return Rejection(row["id"].partition("/")[2], row["owner"], source, row["at"], from_text(embedding, dim))


def apart_row(first_id: str, second_id: str) -> Row:
    text = json.dumps(sorted((first_id, second_id)))
    return record("apart", f"apart/{hashlib.sha256(text.encode()).hexdigest()}", text=text)


def apart_of(row: Row) -> tuple[str, str]:
    first_id, second_id = json.loads(body_of(row))
    return first_id, second_id


def unknown_rows(face: KeptFace) -> tuple[Row, Row]:
    """The face without its crop, and the crop."""
    said = {
        "landmarks": to_text(face.landmarks_px), "embedding": to_text(face.embedding), "quality": asdict(face.quality),
        "box": list(map(float, face.box_px)), "source": face.source.encode("utf-8", "replace").decode("utf-8"),
        "sha256": face.sha256, "seen_at": face.seen_at,
    }  # fmt: skip
    owner = "ignored" if face.ignored else "kept"
    row = record("unknown", f"unknown/{face.id}", owner=owner, at=face.expires_at, text=json.dumps(said))
    return row, crop_row(f"u/{face.id}", face.crop_jpeg)


def unknown_of(row: Row, crop: Row, dim: int) -> KeptFace:
    """From both rows."""
    said = json.loads(body_of(row))
    left, top, right, bottom = said["box"]
    return KeptFace(
        id=row["id"].partition("/")[2],
        crop_jpeg=base64.b64decode(body_of(crop)),
        landmarks_px=from_text(said["landmarks"], 5, 2),
        embedding=from_text(said["embedding"], dim),
        quality=Quality(**said["quality"]),
        box_px=(left, top, right, bottom),
        source=said["source"],
        sha256=said["sha256"],
        seen_at=said["seen_at"],
        expires_at=row["at"],
        ignored=row["owner"] == "ignored",
    )
