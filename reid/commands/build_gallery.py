"""`byteface build-gallery`: enrols everybody of a CSV into a gallery file."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reid.commands import common
from reid.commands.sharding import Shard
from reid.errors import GalleryError, NoFaceError
from reid.tables import Row, inside, read_rows

if TYPE_CHECKING:
    from reid.audit import AuditLog
    from reid.describe import Described, Describer

_CHUNK = 256  # photographs a transaction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the reference, then ours."""
    common.add_table(parser, "--train-csv", "photographs to enrol: image_path and gt")
    parser.add_argument(
        "--out", default="models/gallery.npy", help="a .npy, a .db or another address [models/gallery.npy]"
    )
    parser.add_argument(
        "--shard", type=Shard.parse, metavar="I/N",
        help="this part of the people only, into OUT.I-of-N.db; `byteface migrate` puts the parts together",
    )  # fmt: skip
    common.add_face(parser)
    common.add_recognition(parser)


@dataclass
class _Usable:
    """The rows that can be enrolled, what is wrong with the others, and how many there are of each."""

    rows: list[tuple[Row, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str, status: str) -> None:
        self.problems.append(reason)
        self.statuses[status] += 1


def run(args: argparse.Namespace) -> int:
    """Writes the gallery; photographs that cannot be used are named and counted.

    Raises:
        NoFaceError: not one photograph could be used; nothing was written.
        GalleryError: the gallery cannot be written, or a part of it is of another table.
    """
    from reid.actor import Role
    from reid.audit.writing import Pen
    from reid.describe import Describer

    shard: Shard | None = args.shard and args.shard.of(args.train_csv)
    out = shard.file_of(args.out) if shard else args.out
    if not out.endswith((".npy", ".db")) and not out.startswith("milvus:"):
        raise GalleryError(f"{Path(out).name} is no gallery's name. End it in .npy, or in .db to keep the crops too.")
    if shard and shard.is_done(out):
        print(f"{out} is there already.")
        return 0
    usable = _usable(read_rows(args.train_csv, labelled=True), args.root_dir, shard)
    args.gallery = None if out.endswith(".npy") else out
    describer = Describer.load(common.settings_of(args, of_gallery=args.gallery is not None))
    with (
        closing(common.audit_of(args.settings, out)) as log,
        Pen(log, out).change("build", Role.ADMIN, space=describer.space.id) as more,
    ):
        found = _described(usable, args, describer)
        people, photos = (
            _to_gallery(out, found, describer, log, shard) if args.gallery else _to_npy(Path(out), found, describer)
        )
        more |= {"people": people, "photographs": photos}

    common.report_problems(usable.problems)
    print(common.summary(usable.statuses))
    print(f"{people:,} people with {photos:,} photographs in {out}, space {describer.space.id}")
    return 0


def _usable(rows: Sequence[Row], root: Path, shard: Shard | None) -> _Usable:
    from reid.gallery.names import valid_name

    result = _Usable()
    seen: dict[str, str] = {}
    for row in rows:
        try:
            name = valid_name(row.label or "")
        except GalleryError as error:
            if shard is None or shard.number == 1:  # once, not in every part
                result.refuse(f"{row.image_path}: {error}", "refused")
            continue
        if shard and not shard.has(name):
            continue
        if inside(root, row.image_path) is None:
            result.refuse(f"{row.image_path}: the path leaves the root directory. Correct it in the CSV.", "refused")
            continue
        if seen.setdefault(name.casefold(), name) != name:
            result.problems.append(
                f"{seen[name.casefold()]!r} and {name!r} differ only in capital letters: two people."
            )
            seen[name.casefold()] = name
        result.rows.append((row, name))
    return result


def _described(usable: _Usable, args: argparse.Namespace, describer: Describer) -> Iterator[tuple[str, Described]]:
    """Name and photograph of each row with a face; a file that stands twice under one name counts once."""
    from tqdm import tqdm

    files = ((args.root_dir / row.image_path, row.image_path) for row, _ in usable.rows)
    described = tqdm(describer.describe_files(files, args.face), total=len(usable.rows), unit="photo")
    names_of: dict[str, str] = {}
    for (_, name), one in zip(usable.rows, described, strict=True):
        if one.status != "ok":
            usable.refuse(one.reason, one.status)
        elif names_of.get(one.sha256) == name:
            usable.refuse(f"{one.name}: listed twice for one person. It counts once.", "duplicate")
        else:
            if one.sha256 in names_of:
                usable.problems.append(f"{one.name}: the same file stands under another name too. Correct the CSV.")
            names_of[one.sha256] = name
            usable.statuses["ok"] += 1
            yield name, one


def _to_npy(out: Path, found: Iterator[tuple[str, Described]], describer: Describer) -> tuple[int, int]:
    from reid.gallery.npy import save_npy

    sums: dict[str, NDArray[np.float64]] = {}
    counts = Counter[str]()
    for name, one in found:
        sums[name] = sums.get(name, np.zeros(describer.space.dim)) + one.templates[0].embedding.astype(np.float64)
        counts[name] += 1
    if not sums:
        raise _nobody()
    labels = list(sums)
    means = np.stack([sums[label] for label in labels])
    templates = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
    save_npy(out, labels, templates, [counts[label] for label in labels], describer.space.id)
    return len(labels), counts.total()


def _to_gallery(
    out: str, found: Iterator[tuple[str, Described]], describer: Describer, log: AuditLog, shard: Shard | None
) -> tuple[int, int]:
    """In transactions of some hundred photographs: doing it again after a stop adds nothing twice."""
    from reid.gallery import open_gallery
    from reid.recognizer import Recognizer, Sample

    space = describer.space
    gallery = open_gallery(out, space_id=space.id, dim=space.dim, description=json.dumps(space.description))
    recognizer = Recognizer(describer.detector, space, gallery, audit=log)
    names: set[str] = set()
    photos = 0
    if shard:
        shard.write_down(gallery, done=False)
    while chunk := list(islice(found, _CHUNK)):
        people: dict[str, list[Sample]] = {}
        for name, one in chunk:
            people.setdefault(name, []).append(Sample(Path(one.name).name, one.sha256, one.templates[0]))
        recognizer.enrol_many(people, other_case=True)
        names.update(people)
        photos += len(chunk)
    if shard:
        shard.write_down(gallery, done=True)
    recognizer.close()
    if not names and not shard:  # a part may be of nobody
        raise _nobody()
    return len(names), photos


def _nobody() -> NoFaceError:
    return NoFaceError("Not one photograph could be enrolled. Check --root-dir and what the CSV lists.")
