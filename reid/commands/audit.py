"""`byteface audit`: what was done with the galleries here, and whether that record is as it was written."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common
from reid.errors import GalleryError

if TYPE_CHECKING:
    from reid.audit import AuditLog


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with the log."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="compute every digest anew; exit code 1 where a row is not as written")
    verify.add_argument(
        "--head", action="append", default=[], metavar="SEQ:HASH",
        help="an end that `byteface audit head` printed earlier; may be given several times",
    )  # fmt: skip
    verify.set_defaults(action=_verify)
    listing = actions.add_parser("list", help="rows, the newest first")
    listing.add_argument("--who", default="", metavar="NAME", help="only what this account or key did")
    listing.add_argument("--action", dest="what", default="", metavar="WORD", help="search, enrol, erase, export, ...")
    listing.add_argument("--since", default="", metavar="TIME", help="2027-11-24, or with a time of day")
    listing.add_argument("--until", default="", metavar="TIME", help="a day includes its end")
    listing.add_argument("--person", default="", metavar="NAME|ID", help="only what is about them or showed them")
    listing.add_argument("--limit", type=int, default=100, help="rows on the terminal [100]; a CSV gets all")
    listing.add_argument("--csv", type=Path, metavar="FILE", help="write all of them as a table instead")
    listing.set_defaults(action=_list)
    head = actions.add_parser("head", help="number and digest of the last row: keep it where nobody here can change it")
    head.set_defaults(action=_head)
    for one in (verify, listing, head):
        common.add_gallery(one)


def run(args: argparse.Namespace) -> int:
    """Does it.

    Raises:
        AuditError: there is no log yet, or it cannot be read.
    """
    with closing(common.audit_of(args.settings, str(args.gallery or args.settings.gallery))) as log:
        return int(args.action(args, log))


def _verify(args: argparse.Namespace, log: AuditLog) -> int:
    from reid.audit.verifying import Head, verify

    found = verify(log, [Head.parse(text) for text in args.head])
    if found.bad is not None:
        print(f"{log.path}: row {found.bad} is not as it was written. {found.problem}")
        print(f"{found.rows:,} rows before it are.")
        return 1
    print(f"{log.path}: {found.rows:,} rows, all as they were written, up to {found.head}")
    if found.open_changes:
        print(f"{found.open_changes:,} changes were begun and have no end: a crash, or one that is under way.")
    if not args.head:
        print("An end that was cut off with care shows only beside an earlier `byteface audit head`: --head.")
    return 0


def _head(_: argparse.Namespace, log: AuditLog) -> int:
    from reid.audit.verifying import head_of

    print(head_of(log))
    return 0


def _list(args: argparse.Namespace, log: AuditLog) -> int:
    from reid.audit.reading import Filters, count_of, rows_of, table_of
    from reid.tables import write_csv

    person = _person(args, log) if args.person else ""
    filters = Filters(args.who, args.what, args.since, args.until, person)
    if args.csv:
        rows = rows_of(log, filters)
        write_csv(args.csv, table_of(rows))
        print(f"{len(rows):,} rows in {args.csv}")
        return 0
    rows = rows_of(log, filters, limit=max(args.limit, 0))
    for row in rows:
        told = [row.seq, row.at[:19], row.actor, row.action, row.phase, row.gallery, row.subjects, row.details]
        if row.purpose:
            told.append(json.dumps(row.purpose, ensure_ascii=False))
        print("  ".join(str(one) for one in told if one not in ("", "[]", "{}")))
    more = count_of(log, filters) - len(rows)
    if more > 0:
        print(f"... and {more:,} older rows. Show more with --limit, or take all of them with --csv.")
    return 0


def _person(args: argparse.Namespace, log: AuditLog) -> str:
    """The opaque id of somebody who is enrolled under that name, or was once known by that id."""
    from reid.gallery import open_gallery

    url = str(args.gallery or args.settings.gallery)
    try:
        with closing(open_gallery(url, space_id=None, dim=None, create=False, read_only=True)) as gallery:
            found = gallery.find(args.person)
    except GalleryError:  # gone, or not readable here: its log is
        found = None
    return log.opaque(found.id if found else args.person)
