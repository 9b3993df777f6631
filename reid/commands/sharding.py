"""One of several parts of a table, for machines that build a gallery together. Knows rows and files, no faces.

All rows of a person are in one part, whoever computes it and however often: the part follows from the name alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reid.errors import GalleryError
from reid.gallery.base import Gallery
from reid.weights.files import sha256_of

NOTE = "shard"
"""Key of a part's note of itself."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` (from 1) of `count`, of the table with that SHA-256."""

    number: int
    count: int
    table: str = ""

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`3/8`, as an argument."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise argparse.ArgumentTypeError(f"{text!r} is no part of a whole: write 1/8 to 8/8")
        return cls(int(found[1]), int(found[2]))

    def of(self, table: Path) -> Shard:
        """The same of a table. Raises: GalleryError where it cannot be read."""
        try:
            return Shard(self.number, self.count, sha256_of(table))
        except OSError as error:
            raise GalleryError(f"{table} cannot be read ({error.strerror}). Check --train-csv.") from error

    def file_of(self, out: str) -> str:
        """`people.db` -> `people.3-of-8.db`. Raises: GalleryError for what keeps no photographs."""
        path = Path(out)
        if path.suffix != ".db" or out.startswith("milvus:"):
            raise GalleryError(f"A part of a gallery is a .db file, not {path.name}. End --out in .db.")
        width = len(str(self.count))
        return str(path.with_name(f"{path.stem}.{self.number:0{width}}-of-{self.count}.db"))

    def has(self, label: str) -> bool:
        """Whether a person is in this part."""
        digest = hashlib.sha256(label.encode("utf-8", "replace")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def is_done(self, url: str) -> bool:
        """Whether the part is there already, whole. Raises: GalleryError where it is another table's."""
        from reid.gallery import is_there, open_gallery

        if not is_there(url):
            return False
        with closing(open_gallery(url, space_id=None, dim=None, create=False, read_only=True)) as gallery:
            note = json.loads(gallery.get_meta(NOTE) or "{}")
        if note.get("table") != self.table or note.get("of") != self.count:
            raise GalleryError(f"{url} is of another table or number of parts. Delete it, or name another --out.")
        return bool(note["done"])

    def write_down(self, gallery: Gallery, *, done: bool) -> None:
        """What `byteface migrate` looks for when it puts the parts together."""
        note = {"number": self.number, "of": self.count, "table": self.table, "done": done}
        gallery.set_meta(NOTE, json.dumps(note))
