"""`byteface person`: what is held about somebody as one file, a later last day, an erasure."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common
from reid.errors import IdentityNotFoundError, SettingsError

if TYPE_CHECKING:
    from reid.audit.recording import RecordingGallery
    from reid.types import Identity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with whom."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    export = actions.add_parser("export", help="everything held about a person: crops, embeddings, record, log")
    export.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
    export.add_argument("--recipient", default="", help="who is to have it, for the audit log")
    export.set_defaults(action=_export)
    erase = actions.add_parser("erase", help="a person, with everything computed from the photographs, for good")
    erase.add_argument("--yes", action="store_true", help="without this nothing is erased")
    erase.set_defaults(action=_erase)
    renew = actions.add_parser("renew", help="a later last day")
    renew.add_argument(
        "--until", type=date.fromisoformat, metavar="DAY", help="2027-11-24 [the gallery's default, or a year]"
    )
    renew.set_defaults(action=_renew)
    for one in (export, erase, renew):
        one.add_argument("person", metavar="NAME|ID")
        one.add_argument("--purpose", default="", help="what for, for the audit log")
        common.add_gallery(one)


def run(args: argparse.Namespace) -> int:
    """Does it.

    Raises:
        IdentityNotFoundError: nobody of that name or id is enrolled.
        GalleryError: the gallery cannot be written.
    """
    from dataclasses import replace

    from reid.actor import acting, working_as

    with working_as(replace(acting(), purpose=args.purpose)), _opened(args) as gallery:
        return int(args.action(args, gallery, _found(gallery, args.person)))


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[RecordingGallery]:
    from reid.gallery import open_gallery
    from reid.rights.traces import Traces

    url = str(args.gallery or args.settings.gallery)
    with closing(open_gallery(url, space_id=None, dim=None, create=False)) as opened:
        gallery = common.recorded(opened, args.settings, Traces(args.settings.models_dir).forget)
        with closing(gallery.pen.log):
            yield gallery


def _found(gallery: RecordingGallery, person: str) -> Identity:
    found = gallery.find(person)
    if found:
        return found
    try:
        return gallery.identity(person)
    except IdentityNotFoundError:
        raise IdentityNotFoundError(f"Nobody called {person!r} is enrolled, and nobody has that id.") from None


def _export(args: argparse.Namespace, gallery: RecordingGallery, person: Identity) -> int:
    from reid.rights.dossier import write_dossier

    done = write_dossier(gallery, person.id, args.out, recipient=args.recipient)
    print(
        f"{args.out}: {done.photographs:,} crops with their embeddings, {done.strangers:,} kept faces that look alike, "
        f"{done.log_rows:,} rows of the log. It holds biometric data: keep it where you would keep a passport."
    )
    return 0


def _erase(args: argparse.Namespace, gallery: RecordingGallery, person: Identity) -> int:
    from reid.gallery.backup import file_of
    from reid.rights.backups import copies_in

    if not args.yes:
        raise SettingsError("An erasure cannot be undone, nor by a backup. Add --yes if it is meant.")
    gone = gallery.remove(person.id)
    print(f"Erased, with {gone.photos:,} photographs and everything computed from them.")
    copies = copies_in(file_of(gallery.url).parent, args.settings.backup_days)
    if copies:
        print("Older copies still hold them; restored, they lose them again:")
    for copy in copies:
        print(f"  {copy}")
    return 0


def _renew(args: argparse.Namespace, gallery: RecordingGallery, person: Identity) -> int:
    from reid.rights.expiry import renew

    print(f"Held through {renew(gallery, person.id, args.until).isoformat()}.")
    return 0
