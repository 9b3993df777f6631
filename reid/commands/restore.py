"""`byteface restore`: a gallery out of the file that `byteface export` wrote."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from reid.commands import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which file, and where to."""
    parser.add_argument("file", type=Path, help="what `byteface export` wrote")
    parser.add_argument(
        "--replace", action="store_true",
        help="put it in the place of the gallery that is there, which is kept beside it",
    )  # fmt: skip
    common.add_gallery(parser)


def run(args: argparse.Namespace) -> int:
    """Checks everything, then makes the gallery in one step.

    Raises:
        GalleryError: the file is damaged, newer or made to do harm, or a gallery is there; nothing was changed.
    """
    from reid.rights.transfers import restore_recorded

    url = str(args.gallery or args.settings.gallery)
    with closing(common.audit_of(args.settings, url)) as log:
        done = restore_recorded(log, args.file, url, replace=args.replace)
    contents = done.contents
    print(
        f"{contents.people:,} people with {contents.photographs:,} photographs of {contents.made_at} in {url}, "
        f"space {contents.space_id}"
    )
    if done.forgotten:
        print(f"{done.forgotten:,} of its photographs were erased here since, and stay erased.")
    if done.kept:
        print(f"What was there before: {done.kept}")
    return 0
