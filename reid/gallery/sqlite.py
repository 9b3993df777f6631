"""The default gallery: one SQLite file, shared by threads and processes. Knows no picture, network or threshold."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlite_utils import Database

from reid.errors import GalleryError
from reid.gallery import migrations, rejections, rows, sealing
from reid.gallery.base import Erased
from reid.gallery.checks import same_space, unit_rows
from reid.gallery.connection import Link, is_writable, open_for_reading
from reid.gallery.evidence import with_evidence
from reid.gallery.matrix import nearest
from reid.gallery.names import spelled_like, valid_name
from reid.gallery.templates import TemplateCache
from reid.gallery.unknowns import SqliteUnknowns
from reid.types import Candidate, Embeddings, Identity, Photo, Rejection

log = logging.getLogger(__name__)

OUR_KEYS = {"space_id", "space_dim", "space", "revision", sealing.META}


def open_url(
    url: str, *, space_id: str | None, dim: int | None, description: str, create: bool, read_only: bool
) -> SqliteGallery:
    """As `reid.gallery.open_gallery`."""
    path = Path(url.removeprefix("sqlite:")).expanduser().resolve()
    if path.is_dir():
        raise GalleryError(f"{path} is a folder. Name a file ending in .db.")
    if not path.exists() or path.stat().st_size == 0:
        if not create or read_only or space_id is None or dim is None:
            raise GalleryError(
                f"There is no gallery at {path}. Make one with `byteface enrol` or `byteface build-gallery`."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # faces are nobody else's business; SQLite gives the files beside it the same mode
        except OSError as error:
            raise GalleryError(f"The gallery {path} cannot be made ({error.strerror}). Name another place.") from error
    with ExitStack() as opened:
        writer = None if read_only else _open_for_writing(path, space_id, dim, description)
        if writer:
            opened.callback(writer.close)
        reader = Link(path, "rw") if writer else open_for_reading(path)
        opened.callback(reader.close)
        gallery = SqliteGallery(url, writer, reader, Link(path, reader.mode))
        opened.callback(gallery.close)
        gallery.check(space_id)
        opened.pop_all()  # all went well: nothing is closed
    return gallery


def _open_for_writing(path: Path, space_id: str | None, dim: int | None, description: str) -> Link | None:
    """A connection to a gallery of this version, made or migrated where necessary; None where it cannot be written."""
    link = Link(path, "rw")
    try:
        if not is_writable(link):
            link.close()
            return None
        with link.transaction() as db:
            migrations.check_is_ours(db, path)
        link.prepare_for_writing()
        link.checkpoint()  # a process that was killed may have left erased content in the write-ahead log
        with link.transaction(write=True) as db:
            # again, now that nobody else can make or migrate it
            migrations.check_is_ours(db, path)
            made = migrations.is_empty(db)
            migrations.migrate(db, path)
            if made:
                said = {"space_id": space_id, "space_dim": str(dim), "space": description}
                said |= {sealing.META: link.sealing.begin()}
                known = [(key, value) for key, value in said.items() if value is not None]
                db.conn.executemany("INSERT INTO meta VALUES (?, ?)", known)
    except BaseException:
        link.close()
        raise
    return link


class SqliteGallery:
    """Three connections to one file: a writer, a reader, and one for searches, so that a page never waits for them."""

    def __init__(self, url: str, writer: Link | None, reader: Link, searcher: Link) -> None:
        self._url = url
        self._path = reader.path
        self._writer = writer
        self._reader = reader
        self._searcher = searcher
        self._log_is_clean = True
        self._space_id = ""
        self._dim = 0

    def check(self, space_id: str | None) -> None:
        """Reads what the gallery says of itself.

        Raises:
            EmbeddingSpaceError: it belongs to another space.
            GalleryError: it is not a gallery, of another version, encrypted with another key, or damaged.
        """
        with self._reader.transaction() as db:
            migrations.check_is_ours(db, self._path)
            if migrations.is_empty(db) or migrations.MIGRATIONS.pending(db):
                raise GalleryError(
                    f"The gallery {self._path} was made by an older version and cannot be brought to this one where "
                    "nothing can be written. Open it once where it can."
                )
            meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        self._space_id = meta["space_id"]
        self._dim = int(meta["space_dim"])
        same_space(self._url, self._space_id, space_id)
        for link in filter(None, (self._writer, self._reader, self._searcher)):
            link.sealing.open(meta.get(sealing.META), self._path)
            link.guard = rows.guard_of_space(self._path, self._space_id, meta.get(sealing.META))
        self._templates = TemplateCache(self._dim)
        self.unknowns = SqliteUnknowns(self._reader, self._change if self._writer else None, self._dim)
        self.unknowns.purge()

    @property
    def url(self) -> str:
        return self._url

    @property
    def space_id(self) -> str:
        return self._space_id

    @property
    def read_only(self) -> bool:
        """Whether changes are refused: asked for, or because nothing can be written there."""
        return self._writer is None

    # --- changes -----------------------------------------------------------------------------------------------------

    def add(self, photos: Sequence[Photo]) -> None:
        if not photos:
            return
        names: dict[str, set[str]] = {}
        for photo in photos:
            unit_rows(photo.embedding[None], self._dim, "photograph")
            names.setdefault(photo.identity_id, set()).add(photo.identity_name)
        with self._change() as db:
            changed = {*names, *rows.owners(db, (photo.id for photo in photos)).values()}
            for identity_id, texts in names.items():
                if not db.execute("SELECT 1 FROM identities WHERE id = ?", [identity_id]).fetchone():
                    rows.create(db, identity_id, {valid_name(text) for text in texts}, self._dim)
            for photo in photos:
                rows.store_photo(db, photo)
            rows.derive(db, changed, self._dim)

    def rename(self, identity_id: str, name: str) -> None:
        name = valid_name(name)
        with self._change() as db:
            if rows.identity_of(db, identity_id).name != name:
                rows.refuse_taken(db, name)
                db.execute("UPDATE identities SET name = ? WHERE id = ?", [name, identity_id])

    def merge(self, source_id: str, target_id: str) -> None:
        if source_id == target_id:
            raise GalleryError("A person cannot be merged with themselves. Choose two.")
        with self._change() as db:
            rows.identity_of(db, source_id)
            rows.identity_of(db, target_id)
            db.execute("UPDATE photos SET identity_id = ? WHERE identity_id = ?", [target_id, source_id])
            rejections.merged(db, source_id, target_id)
            rows.derive(db, [source_id, target_id], self._dim)

    def move(self, photo_ids: Sequence[str], identity_id: str) -> None:
        with self._change() as db:
            rows.identity_of(db, identity_id)
            found = rows.owners(db, photo_ids)
            if len(found) < len(set(photo_ids)):
                raise GalleryError("A photograph is not in the gallery any more. Load the list again.")
            for photo_id in found:
                db.execute("UPDATE photos SET identity_id = ? WHERE id = ?", [identity_id, photo_id])
            rows.derive(db, [identity_id, *found.values()], self._dim)

    def remove(self, identity_id: str) -> Erased:
        with self._change(erases=True) as db:
            photos = rows.identity_of(db, identity_id).photo_count
            db.execute("DELETE FROM photos WHERE identity_id = ?", [identity_id])
            return Erased(rows.derive(db, [identity_id], self._dim), photos)

    def remove_photos(self, photo_ids: Sequence[str]) -> Erased:
        with self._change(erases=True) as db:
            found = rows.owners(db, photo_ids)
            for photo_id in found:
                db.execute("DELETE FROM photos WHERE id = ?", [photo_id])
            return Erased(rows.derive(db, found.values(), self._dim), len(found))

    def edit(
        self, identity_id: str, *, metadata: Mapping[str, str] | None = None, cover_photo_id: str | None = None
    ) -> None:
        with self._change() as db:
            rows.identity_of(db, identity_id)
            if metadata is not None:
                text = json.dumps(dict(metadata), ensure_ascii=False) if metadata else "{}"
                db.execute("UPDATE identities SET metadata = ? WHERE id = ?", [text, identity_id])
            if cover_photo_id is not None:
                if rows.owners(db, [cover_photo_id]).get(cover_photo_id) != identity_id:
                    raise GalleryError("That photograph is not one of this person. Load the list again.")
                db.execute("UPDATE identities SET cover_photo_id = ? WHERE id = ?", [cover_photo_id, identity_id])

    def reject(self, rejection: Rejection) -> None:
        unit_rows(rejection.embedding[None], self._dim, "face")
        with self._change() as db:
            rejections.store(db, rejection)

    def withdraw(self, rejection_id: str) -> None:
        with self._change(erases=True) as db:
            db.execute("DELETE FROM rejections WHERE id = ?", [rejection_id])

    def set_apart(self, first_id: str, second_id: str, *, apart: bool = True) -> None:
        with self._change() as db:
            rejections.set_apart(db, first_id, second_id, apart=apart)

    def set_meta(self, key: str, value: str) -> None:
        if key in OUR_KEYS:
            raise GalleryError(f"{key} is kept by the gallery itself. Use another key.")
        with self._change() as db:
            db.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [key, value]
            )

    def set_created(self, moments: Mapping[str, str]) -> None:
        """As the protocol `Movable`."""
        with self._change() as db:
            for identity_id, moment in moments.items():
                db.execute("UPDATE identities SET created_at = ? WHERE id = ?", [moment, identity_id])

    @contextmanager
    def _change(self, *, erases: bool = False) -> Iterator[Database]:
        """One transaction; after an erasure the write-ahead log, which still holds what was erased, is emptied too."""
        if self._writer is None:
            raise GalleryError(f"The gallery {self._path} is read-only here. Open it where it can be written.")
        with self._writer.transaction(write=True) as db:
            yield db
        if erases or not self._log_is_clean:
            # not possible while another process reads: the next change tries again
            self._log_is_clean = self._writer.checkpoint()
            if not self._log_is_clean:
                log.warning("erased content stays in the write-ahead log until the next change or the readers' end")

    # --- reading -----------------------------------------------------------------------------------------------------

    def identities(self) -> list[Identity]:
        with self._reader.transaction() as db:
            found = db.execute(f"SELECT {rows.IDENTITY_COLUMNS} FROM identities").fetchall()
        return sorted(map(rows.to_identity, found), key=lambda identity: (identity.name.casefold(), identity.id))

    def identity(self, identity_id: str) -> Identity:
        with self._reader.transaction() as db:
            return rows.identity_of(db, identity_id)

    def find(self, name: str) -> Identity | None:
        with self._reader.transaction() as db:
            row = db.execute(f"SELECT {rows.IDENTITY_COLUMNS} FROM identities WHERE name = ?", [name]).fetchone()
        return rows.to_identity(row) if row else None

    def spellings(self, name: str) -> list[str]:
        with self._reader.transaction() as db:
            return spelled_like(name, rows.names(db))

    def photos(self, identity_id: str) -> list[Photo]:
        with self._reader.transaction() as db:
            rows.identity_of(db, identity_id)
            return rows.photos_where(db, "identity_id", identity_id, self._dim)

    def photo(self, photo_id: str) -> Photo | None:
        with self._reader.transaction() as db:
            found = rows.photos_where(db, "photos.id", photo_id, self._dim)
        return found[0] if found else None

    def count(self) -> int:
        with self._reader.transaction() as db:
            return int(db.execute("SELECT count(*) FROM identities").fetchone()[0])

    def get_meta(self, key: str) -> str | None:
        with self._reader.transaction() as db:
            return rows.meta_of(db, key)

    def metas(self) -> dict[str, str]:
        """As the protocol `Movable`."""
        with self._reader.transaction() as db:
            found = dict(db.execute("SELECT key, value FROM meta").fetchall())
        return {key: value for key, value in found.items() if key not in OUR_KEYS}

    def rejections(self, identity_ids: Sequence[str]) -> list[Rejection]:
        with self._reader.transaction() as db:
            return rejections.of_identities(db, identity_ids, self._dim)

    def apart(self) -> set[tuple[str, str]]:
        with self._reader.transaction() as db:
            return rejections.pairs_apart(db)

    def revision(self) -> int:
        with self._reader.transaction() as db:
            return rows.revision_of(db)

    def templates(self) -> tuple[list[str], Embeddings]:
        with self._searcher.transaction() as db:
            current = self._templates.current(db)
            return list(current.ids), current.rows.copy()  # the cache's own rows change with the next write

    def embeddings(self, identity_ids: Sequence[str]) -> dict[str, tuple[list[str], Embeddings]]:
        with self._reader.transaction() as db:
            found = ((one, rows.embeddings_of(db, one, self._dim)) for one in identity_ids)
            return {identity_id: own for identity_id, own in found if own[0]}

    def search(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        """As the protocol. A large batch is answered in parts; each probe's answer is of one state of the gallery."""
        probes = unit_rows(probes, self._dim, "probe")
        answers: list[list[Candidate]] = []
        while len(answers) < len(probes):
            with self._searcher.transaction() as db:
                templates = self._templates.current(db)
                part = probes[len(answers) :][: templates.probes_at_once]
                best = nearest(part, templates, k)
                answers += with_evidence(db, part, templates, best)
        return answers

    def close(self) -> None:
        for link in (self._searcher, self._reader, self._writer):
            if link:
                link.close()
