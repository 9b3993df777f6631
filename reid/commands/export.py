"""`byteface export`: a whole gallery as one file, or who is enrolled as a CSV."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common

if TYPE_CHECKING:
    from reid.audit import AuditLog


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and what."""
    parser.add_argument("file", type=Path, help="what to write: people.byteface, or with --csv people.csv")
    parser.add_argument("--csv", action="store_true", help="only who is enrolled, with their records, as a table")
    parser.add_argument("--purpose", default="", help="what it is taken away for, for the audit log")
    parser.add_argument("--recipient", default="", help="who is to have it, for the audit log")
    parser.add_argument("--check", action="store_true", help="then see whether it could be restored, without doing it")
    common.add_gallery(parser)


def run(args: argparse.Namespace) -> int:
    """Writes the file whole or not at all; the gallery may be in use.

    Raises:
        GalleryError: there is no such gallery, or no room; with --check, restoring would refuse what was written.
    """
    url = str(args.gallery or args.settings.gallery)
    with closing(common.audit_of(args.settings, url)) as log:
        if args.csv:
            return _table(log, url, args)
        from reid.rights.transfers import export_recorded

        done = export_recorded(log, url, args.file, purpose=args.purpose, recipient=args.recipient)
    print(
        f"{done.people:,} people with {done.photographs:,} photographs in {args.file}, {done.size / 1e6:,.1f} MB, "
        f"space {done.space_id}. It holds biometric data: keep it where you would keep a passport."
    )
    if args.check:
        _check(args.file)
        print("It can be restored.")
    return 0


def _check(file: Path) -> None:
    """Restores it into a folder that goes again. Raises: GalleryError."""
    from reid.gallery.backup import restore_gallery

    with tempfile.TemporaryDirectory(prefix="byteface-check-") as folder:
        restore_gallery(file, str(Path(folder) / "people.db"))


def _table(log: AuditLog, url: str, args: argparse.Namespace) -> int:
    from reid.actor import Role
    from reid.audit.writing import Pen
    from reid.gallery import open_gallery
    from reid.gallery.listing import identities_table
    from reid.tables import write_csv

    with closing(open_gallery(url, space_id=None, dim=None, create=False, read_only=True)) as gallery:
        pen = Pen(log, url, gallery)
        with pen.use("export", role=Role.ADMIN, purpose=args.purpose, recipient=args.recipient, table=True) as use:
            people = gallery.identities()
            write_csv(args.file, identities_table(people))
            use.details["people"] = len(people)
    print(f"{len(people):,} people in {args.file}")
    return 0
