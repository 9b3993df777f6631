"""`byteface retention`: how long people are held, whose time is nearly over, and which old copies go when."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common
from reid.errors import SettingsError

if TYPE_CHECKING:
    from reid.audit.recording import RecordingGallery
    from reid.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to choose, and whether to act at once."""
    parser.add_argument(
        "--default-days", type=int, metavar="N", help="hold whoever is enrolled from now on for so many days; 0: no end"
    )
    parser.add_argument("--existing", action="store_true", help="people without a last day get one too, from today")
    parser.add_argument("--purge", action="store_true", help="erase whoever's time is over, and old copies, now")
    common.add_gallery(parser)


def run(args: argparse.Namespace) -> int:
    """Changes what was asked for, then says how it stands.

    Raises:
        SettingsError: --existing without a number of days.
        GalleryError: there is no such gallery, or it cannot be written.
    """
    from reid.gallery import open_gallery
    from reid.rights.expiry import choose_default, purge
    from reid.rights.traces import Traces

    if args.existing and not args.default_days:
        raise SettingsError("Nobody said for how long. Add --default-days with a number of days.")
    settings: Settings = args.settings
    url = str(args.gallery or settings.gallery)
    with closing(open_gallery(url, space_id=None, dim=None, create=False)) as opened:
        gallery = common.recorded(opened, settings, Traces(settings.models_dir).forget)
        with closing(gallery.pen.log):
            if args.default_days is not None:
                given = choose_default(gallery, args.default_days, existing=args.existing)
                if args.existing:
                    print(f"{given:,} people without a last day got one.")
            if args.purge:
                print(f"Erased because their time was over: {purge(gallery):,}.")
            _tell(gallery)
            _copies(gallery, settings, purge=args.purge)
    return 0


def _tell(gallery: RecordingGallery) -> None:
    from reid.audit.recording import retention_days
    from reid.rights.expiry import WARNING_DAYS, due

    days = retention_days(gallery)
    print(
        f"Whoever is enrolled is held for {days:,} days." if days else "Nobody's time ends unless their record says so."
    )
    people = due(gallery)
    print(f"{len(people):,} people's time is over within {WARNING_DAYS} days, or cannot be read:")
    for one in people:
        print(f"  {one.identity.name}  {one.expires.isoformat() if one.expires else one.identity.metadata['expires']}")


def _copies(gallery: RecordingGallery, settings: Settings, *, purge: bool) -> None:
    from reid.gallery.backup import file_of
    from reid.rights.backups import copies_in, purge_copies

    folder: Path = file_of(gallery.url).parent
    if purge and (gone := purge_copies(folder, settings.backup_days)):
        gallery.pen.log.append(gallery.pen.entry("erase_copies", details={"files": gone}))
        print(f"Copies removed because their time was over: {gone:,}.")
    for copy in copies_in(folder, settings.backup_days):
        print(copy)
