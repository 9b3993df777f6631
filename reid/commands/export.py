"""`byteface export`: a whole gallery as one file, or who is enrolled as a CSV."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from reid.commands import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and what."""
    parser.add_argument("file", type=Path, help="what to write: people.byteface, or with --csv people.csv")
    parser.add_argument("--csv", action="store_true", help="only who is enrolled, with their records, as a table")
    common.add_gallery(parser)


def run(args: argparse.Namespace) -> int:
    """Writes the file whole or not at all; the gallery may be in use.

    Raises:
        GalleryError: there is no such gallery, or no room.
    """
    url = str(args.gallery or args.settings.gallery)
    if args.csv:
        return _table(url, args.file)
    from reid.gallery.backup import export_gallery

    done = export_gallery(url, args.file)
    print(
        f"{done.people:,} people with {done.photographs:,} photographs in {args.file}, {done.size / 1e6:,.1f} MB, "
        f"space {done.space_id}. It holds biometric data: keep it where you would keep a passport."
    )
    return 0


def _table(url: str, file: Path) -> int:
    from reid.gallery import open_gallery
    from reid.gallery.listing import identities_table
    from reid.tables import write_csv

    with closing(open_gallery(url, space_id=None, dim=None, create=False, read_only=True)) as gallery:
        people = gallery.identities()
    write_csv(file, identities_table(people))
    print(f"{len(people):,} people in {file}")
    return 0
