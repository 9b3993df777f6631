"""`byteface import`: everybody of a folder, a zip or a CSV into a gallery."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common

if TYPE_CHECKING:
    from reid.intake import Import, Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from, which face, and what to leave out."""
    parser.add_argument(
        "source", type=Path,
        help="a folder or .zip with one folder for each person, or a .csv with image_path and name (or gt)",
    )  # fmt: skip
    parser.add_argument("--root-dir", type=Path, help="folder that a CSV's paths start from [the CSV's own]")
    parser.add_argument("--report", type=Path, help="CSV to write: what became of every photograph, and why")
    parser.add_argument("--keep-poor", action="store_true", help="enrol small, blurred, dark and turned faces too")
    parser.add_argument("--dry-run", action="store_true", help="report only, enrol nobody")
    common.add_face(parser)
    common.add_gallery(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Enrols in batches; what cannot be used is named and counted, and running it again adds nothing twice.

    Raises:
        ArchiveError: the source cannot be read.
        GalleryError: the gallery cannot be written; what was enrolled before stays.
    """
    from reid.intake import Import, open_source
    from reid.intake.report import table_of
    from reid.recognizer import Recognizer
    from reid.tables import write_csv

    with open_source(args.source, root=args.root_dir) as source:
        recognizer = Recognizer.open(common.settings_of(args))
        done = Import(recognizer, source, face=args.face, keep_poor=args.keep_poor, dry_run=args.dry_run)
        try:
            if args.report:  # rather now than after an hour: can it be written?
                write_csv(args.report, table_of(done))
            _follow(done, source)
        finally:  # also when it was stopped: what is enrolled stays, and the report says what
            _report(done, args.report)
            recognizer.close()
    return 0


def _follow(done: Import, source: Source) -> None:
    from tqdm import tqdm

    with tqdm(total=len(source.items), unit="photo", desc=source.name) as bar:
        for looked_at in done.run():
            bar.update(looked_at - bar.n)


def _report(done: Import, file: Path | None) -> None:
    from reid.intake.report import LEFT_OUT, counts_of, groups_of, people_of, table_of
    from reid.tables import write_csv

    if file:
        write_csv(file, table_of(done))
    common.report_problems([f"{line.path}: {line.reason}" for line in done.lines if line.status in LEFT_OUT])
    people = people_of(done)
    for one in people:
        if one.resemblance:
            print(
                f"{one.label} resembles {one.resemblance.name}, similarity {one.resemblance.similarity:.2f}: "
                "one person under two names? Merge them in the gallery."
            )
    print(common.summary(counts_of(done)))
    groups = groups_of(done)
    if groups:
        print(f"{groups:,} of them show several faces: one of each was taken.")
    new = sum(bool(one.enrolled) for one in people)
    print(f"{new:,} people {'would get' if done.dry_run else 'got'} photographs; {len(done.created):,} are new.")
