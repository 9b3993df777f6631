"""What a folder, a zip or a CSV holds: which photograph is meant to show whom. Knows no face and no gallery."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reid.errors import ArchiveError, GalleryError, TableError
from reid.gallery.names import valid_name
from reid.images import printable
from reid.intake.archive import ZipTree, is_meant
from reid.tables import Row, inside, read_rows


@dataclass(frozen=True, slots=True)
class Item:
    """One photograph of a source.

    Attributes:
        path: where it stands in the source, with slashes.
        label: the person's name; as it was found where it cannot be used.
        refused: why it cannot be used, empty where it can.
        fields: consent, expires and notes of a CSV.
    """

    path: str
    label: str
    refused: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Photographs with their labels.

    Attributes:
        name: of the folder or file, for people.
        fetch: a file on this disk with an item's content, to be given back by `release`. Raises: ArchiveError.
    """

    name: str
    items: Sequence[Item]
    fetch: Callable[[Item], Path]
    release: Callable[[Path], None]


def open_upload(path: Path) -> AbstractContextManager[Source]:
    """As `open_source`, for what a stranger sent: only a zip brings its photographs along.

    Raises:
        ArchiveError: it is no zip.
    """
    if path.suffix.lower() == ".csv":
        raise ArchiveError("A CSV alone brings no photographs. Put it into the folder or zip with them.")
    if not path.is_file():
        raise ArchiveError("There is no file. Send a zip of the photographs.")
    return open_source(path)


@contextmanager
def open_source(path: Path, *, root: Path | None = None, name: str | None = None) -> Iterator[Source]:
    """A folder with one sub-folder a person, a zip of the same, or a CSV with `image_path` and `name` (or `gt`).

    A folder or zip whose top holds one CSV is read by that CSV instead of by its sub-folders.

    Args:
        path: folder, `.zip` or `.csv`.
        root: folder that a CSV's paths start from; its own folder by default.
        name: what to call it in messages; the file's name by default.

    Raises:
        ArchiveError: the archive cannot be read, or there is nothing to import.
        TableError: the CSV cannot be read or lacks a column.
    """
    name = name or path.name or str(path)
    if path.is_dir():
        yield _of_folder(path, name)
    elif not path.is_file():
        raise ArchiveError(f"There is nothing at {path}. Name a folder, a zip or a CSV.")
    elif path.suffix.lower() == ".csv":
        rows = read_rows(path, labelled=True)
        yield _of_disk(root or path.parent, name, [_item(row) for row in rows])
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with ZipTree(path, name) as tree:
            yield _of_zip(tree)
    else:
        raise ArchiveError(f"{name} is neither a folder, a zip nor a CSV. Pack the photographs into a zip.")


def _of_folder(folder: Path, name: str) -> Source:
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        folders.sort()
        below = PurePosixPath(Path(place).relative_to(folder).as_posix())
        found |= {str(below / file): "" for file in sorted(files) if is_meant(str(below / file))}
    table = _only_table(found)
    if table:
        return _of_disk(folder, name, _listed(read_rows(folder / table, labelled=True), table, None))
    return _of_disk(folder, name, _labelled_by_folder(found, name))


def _of_disk(root: Path, name: str, items: Sequence[Item]) -> Source:
    def fetch(item: Item) -> Path:
        file = inside(root, item.path)
        if file is None:
            raise ArchiveError("Its path leaves the root folder. Correct it in the CSV.")
        return file

    return Source(name, items, fetch, lambda _: None)


def _of_zip(tree: ZipTree) -> Source:
    found = tree.paths()
    table = _only_table(found)
    if table:
        file = tree.fetch(table)
        readable = file.with_name(f"{PurePosixPath(table).stem}.csv")  # errors name the file as the archive does
        file.rename(readable)
        try:
            items = _listed(read_rows(readable, labelled=True), table, found)
        finally:
            tree.release(readable)
    else:
        items = _labelled_by_folder(found, tree.name)
    return Source(tree.name, items, lambda item: tree.fetch(item.path), tree.release)


def _only_table(found: Mapping[str, str]) -> str | None:
    """The CSV at the top, or in the one folder that holds everything."""
    depth = 1 if len({path.split("/")[0] for path in found}) > 1 else 2
    tables = [
        path for path, refused in found.items()
        if path.lower().endswith(".csv") and not refused and len(path.split("/")) <= depth
    ]  # fmt: skip
    if len(tables) > 1:
        raise TableError(f"There are {len(tables)} CSV files. Leave one of them, or none to go by the folders.")
    return tables[0] if tables else None


def _listed(rows: Sequence[Row], table: str, found: Mapping[str, str] | None) -> list[Item]:
    """Rows of a CSV inside a folder or zip; their paths start where the CSV lies."""
    top = str(PurePosixPath(table).parent)
    items = []
    for row in rows:
        path = os.path.normpath(f"{top}/{row.image_path}".replace("\\", "/")).removeprefix("./")
        refused = ""
        if path.startswith(("..", "/")):
            refused = "Its path leaves the folder. Correct it in the CSV."
        elif found is not None:
            refused = found.get(printable(path), "It is not in the archive. Correct the path in the CSV.")
        items.append(_item(Row(path, row.label, row.fields), refused))
    return items


def _labelled_by_folder(found: Mapping[str, str], name: str) -> list[Item]:
    """The first folder of each path is the person, the second where one folder holds those of all people."""
    parts = {path: path.split("/") for path in found}
    wrapped = any(len(each) > 2 for each in parts.values()) and len({each[0] for each in parts.values()}) == 1
    at = 1 if wrapped else 0
    items = []
    for path, refused in found.items():
        if refused:
            label = parts[path][at] if len(parts[path]) > at + 1 else ""
            items.append(Item(path, label, refused))
        elif len(parts[path]) < at + 2:
            items.append(Item(path, "", "It lies in no person's folder. Put it into one that is named as the person."))
        else:
            items.append(_item(Row(path, parts[path][at])))
    if not items:
        raise ArchiveError(f"{name} holds no photographs. It needs one folder for each person, named as the person.")
    return items


def _item(row: Row, refused: str = "") -> Item:
    label = row.label or ""
    try:
        return Item(row.image_path, valid_name(label), refused, row.fields)
    except GalleryError as error:
        return Item(row.image_path, label, refused or str(error))
