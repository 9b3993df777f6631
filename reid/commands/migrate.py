"""`byteface migrate`: a gallery into one of another kind, or the shards of one into the whole."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, cast

from reid.commands import common
from reid.errors import GalleryError

if TYPE_CHECKING:
    from reid.gallery.moving import MovableGallery


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from and where to."""
    parser.add_argument(
        "--from", dest="sources", nargs="+", required=True, metavar="GALLERY",
        help="a .db file or another address; or all shards of `build-gallery --shard`",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="target", required=True, metavar="GALLERY",
        help="a .db file, milvus:FILE.db or milvus://host:port/database that is still to be made",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Copies, compares, and says so; stopped at any moment, the same command goes on.

    Raises:
        GalleryError: something cannot be read or written, or the target holds something else.
    """
    from reid.actor import Role
    from reid.audit.writing import Pen
    from reid.gallery import open_gallery
    from reid.gallery.moving import Sources, move
    from reid.gallery.sealing import key_of
    from reid.rights.erasures import erase_from, erasures_of

    with ExitStack() as opened:
        galleries = [opened.enter_context(closing(_source(url))) for url in args.sources]
        _need_all_shards(galleries)
        first = galleries[0]
        target = open_gallery(
            args.target, space_id=first.space_id, dim=int(first.get_meta("space_dim") or 0),
            description=first.get_meta("space") or "{}",
        )  # fmt: skip
        opened.callback(target.close)
        log = opened.enter_context(closing(common.audit_of(args.settings, args.target)))
        with Pen(log, args.target).change("migrate", Role.ADMIN, galleries=len(galleries)) as more, _bar() as tell:
            done = move(Sources(galleries), cast("MovableGallery", target), tell)
            # after the comparison: a copy of an earlier day may hold people whom this log knows to be erased
            forgotten = erase_from(target, erasures_of(log))
            more |= {"people": done.people, "photographs": done.photos, "sha256": done.digest, "forgotten": forgotten}
    print(
        f"{done.people:,} people with {done.photos:,} photographs in {args.target}, {done.copied:,} of them copied "
        f"now, and {done.strangers:,} kept faces of strangers."
    )
    print(f"Compared: every person and photograph (SHA-256 {done.digest}), {done.searches:,} searches.")
    if forgotten:
        print(f"{forgotten:,} of them, which the audit log says were erased since, were erased again.")
    if args.target.startswith("milvus:") and key_of(os.environ):
        print("The key is for .db files: what is in Milvus is encrypted as its server's disks are.")
    print("The source is as it was. Erasing somebody from now on reaches the new gallery only; delete the old one.")
    return 0


def _source(url: str) -> MovableGallery:
    from reid.gallery import open_gallery

    gallery = open_gallery(url, space_id=None, dim=None, create=False, read_only=True)
    if not hasattr(gallery, "metas"):
        gallery.close()
        raise GalleryError(f"{url} keeps no photographs to move. Run `byteface build-gallery` with --out again.")
    return cast("MovableGallery", gallery)


def _need_all_shards(galleries: Sequence[MovableGallery]) -> None:
    """Raises: GalleryError where some of a set of shards are missing, unfinished or of another table."""
    notes = [json.loads(text) if (text := one.get_meta("shard")) else None for one in galleries]
    if not any(notes):
        return
    if not all(notes):
        raise GalleryError("Some of these are shards and some are not. Name all shards of one table, nothing else.")
    shards = [note for note in notes if note]
    count = shards[0]["of"]
    if len({(one["of"], one["table"]) for one in shards}) > 1:
        raise GalleryError("These shards are of different tables or of another number of shards. Build them again.")
    unfinished = sorted(one["number"] for one in shards if not one["done"])
    missing = sorted(set(range(1, count + 1)) - {one["number"] for one in shards})
    if unfinished or missing or len(shards) != count:
        listed = ", ".join(map(str, unfinished + missing)) or "some twice"
        raise GalleryError(
            f"Of {count} shards these are not finished or not named: {listed}. Run them, then all again."
        )


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar, one a step."""
    from tqdm import tqdm

    bars: dict[str, tqdm] = {}

    def tell(step: str, done: int, total: int) -> None:
        bar = bars.setdefault(step, tqdm(total=total, desc=step, unit="photo" if step == "copying" else "person"))
        bar.update(done - bar.n)

    try:
        yield tell
    finally:
        for bar in bars.values():
            bar.close()
