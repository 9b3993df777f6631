"""CSV files of photographs and labels, in and out. Knows no picture and no gallery."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from reid.errors import TableError

REPORT_COLUMNS = (
    "image_path", "predicted", "best_label", "similarity", "second_label", "second_similarity",
    "faces", "box", "detection_confidence", "quality", "status", "reason",
)  # fmt: skip
_LABEL_NAMES = ("gt", "name")
_FIELDS = ("consent", "expires", "notes")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        image_path: as it is written there.
        label: None where the column is missing.
        fields: what stands in the columns consent, expires and notes, where it stands there.
    """

    image_path: str
    label: str | None
    fields: Mapping[str, str] = field(default_factory=dict)


def read_rows(path: Path, *, labelled: bool) -> list[Row]:
    """Reads `image_path` and `gt` (or `name`), header names in any case, everything else ignored.

    Args:
        labelled: whether the label column must be there.

    Raises:
        TableError: no such file, no CSV, no rows, or a column is missing.
    """
    frame = _read(path)
    frame.columns = [str(column).strip().lower() for column in frame.columns]
    label_column = next((name for name in _LABEL_NAMES if name in frame.columns), None)
    if "image_path" not in frame.columns or (labelled and label_column is None):
        missing = "image_path" if "image_path" not in frame.columns else "gt"
        raise TableError(
            f"{path.name} has no column {missing!r}, only {', '.join(frame.columns)}. Name it in the first line."
        )
    if frame.empty:
        raise TableError(f"{path.name} lists no photographs. Add a line for each below its header.")
    labels = frame[label_column] if label_column else [None] * len(frame)
    columns = [(name, list(frame[name])) for name in _FIELDS if name in frame.columns]
    return [
        Row(str(image_path), label, {name: column[at] for name, column in columns if column[at]})
        for at, (image_path, label) in enumerate(zip(frame["image_path"], labels, strict=True))
    ]


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except FileNotFoundError:
        raise TableError(f"There is no file {path}. Check the path.") from None
    except pd.errors.EmptyDataError:
        raise TableError(f"{path.name} is empty. It needs a header line with image_path and gt.") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise TableError(f"{path.name} cannot be read as CSV ({error}). Save it as comma-separated UTF-8.") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from None


def inside(root: Path, image_path: str) -> Path | None:
    """The file that a table's path means, None where it would leave the root directory."""
    joined = Path(os.path.normpath(root / image_path))
    return joined if joined.is_relative_to(os.path.normpath(root)) and joined != Path(os.path.normpath(root)) else None


def plain(text: str) -> str:
    """A text that a spreadsheet shows and never computes: what begins like a formula gets an apostrophe before it.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A table as a file to take away; with a byte order mark, so that spreadsheets read every script."""
    return frame.to_csv(index=False).encode("utf-8-sig")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Writes a table whole or not at all.

    Raises:
        TableError: the folder is missing, read-only or full.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(part, index=False)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):  # where the folder is the trouble, there is no part of a file in it
            part.unlink(missing_ok=True)
        raise TableError(f"{path} cannot be written: {error.strerror}. Choose another place with --out.") from None
