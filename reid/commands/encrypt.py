"""`byteface encrypt`: makes a key, and brings a gallery to it, to another one, or back to none."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from reid.commands import common
from reid.errors import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to make, and what the gallery is encrypted with now."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--make-key", type=Path, metavar="FILE", help="write a new random key, readable by you alone")
    what.add_argument("--decrypt", action="store_true", help="take the encryption away")
    parser.add_argument(
        "--old-key-file", type=Path, metavar="FILE",
        help="the key that the gallery has now, where it is another one than BYTEFACE_KEY_FILE's",
    )  # fmt: skip
    common.add_gallery(parser)


def run(args: argparse.Namespace) -> int:
    """Everything in one transaction; stop other processes that use the gallery first.

    Raises:
        SettingsError: there is no key, or a file of that name.
        GalleryError: the gallery has another key, or is in use; nothing was changed, or it is said what was.
    """
    from reid.gallery.backup import file_of
    from reid.gallery.resealing import reseal, sealed_with
    from reid.gallery.sealing import Sealing, key_of, opens, read_key_file

    if args.make_key:
        return _make(args.make_key)
    path = file_of(str(args.gallery or args.settings.gallery))
    key, now = key_of(os.environ), sealed_with(path)
    if key is None and not (args.decrypt and args.old_key_file):
        raise SettingsError(
            "There is no key. Make one with `byteface encrypt --make-key FILE` and set BYTEFACE_KEY_FILE."
        )
    if now is None if args.decrypt else (now is not None and key is not None and opens(key, now)):
        print(f"{path} is {'not encrypted' if args.decrypt else 'encrypted with this key already'}.")
        return 0
    wanted = Sealing()
    if not args.decrypt:
        wanted.begin()
    changed = reseal(path, wanted, old_key=read_key_file(args.old_key_file) if args.old_key_file else None)
    print(f"{changed:,} values of {path} were {'decrypted' if args.decrypt else 'encrypted'}.")
    _warn_of_copies(path)
    return 0


def _make(file: Path) -> int:
    from reid.gallery.sealing import new_key

    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as written:
            written.write(new_key() + "\n")
    except FileExistsError:
        raise SettingsError(f"{file} is there already; a key that is lost opens nothing. Name another file.") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be written ({error.strerror}). Name another place.") from error
    print(f"A new key is in {file}. Keep a copy apart from the gallery: without it nobody can open that again.")
    return 0


def _warn_of_copies(path: Path) -> None:
    """Copies that restoring, migrating and re-embedding left beside the gallery have the key of then, or none."""
    copies = sorted({*path.parent.glob(f"{path.stem}.before-*.db"), *path.parent.glob(f"{path.name}.*.bak")})
    if copies:
        print(f"{len(copies)} older copies beside it are as they were; delete those that you do not need:")
        for copy in copies:
            print(f"  {copy}")
