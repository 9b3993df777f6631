"""A gallery in Milvus: a file of Milvus Lite, or a database of a server that many machines share. Knows no picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reid.errors import GalleryError, IdentityNotFoundError
from reid.gallery.base import Erased
from reid.gallery.checks import unit_rows
from reid.gallery.milvus import changes
from reid.gallery.milvus.journal import Journal
from reid.gallery.milvus.link import Link, quoted
from reid.gallery.milvus.plan import Plan
from reid.gallery.milvus.rows import (
    apart_of,
    apart_row,
    body_of,
    identity_of,
    metadata_parts,
    photo_of,
    record,
    rejection_of,
    rejection_row,
)
from reid.gallery.milvus.schema import CROPS, IDENTITIES, PHOTOS, RECORDS
from reid.gallery.milvus.searching import all_templates, candidates_of, embeddings_of
from reid.gallery.milvus.unknowns import MilvusUnknowns
from reid.gallery.names import spelled_like, valid_name
from reid.types import Candidate, Embeddings, Identity, Photo, Rejection

OUR_KEYS = {"space_id", "space_dim", "space", "revision"}


class MilvusGallery:
    """As the protocol `Gallery`; how a change is all or nothing stands in `journal`."""

    def __init__(self, url: str, link: Link, journal: Journal, *, space_id: str, dim: int, read_only: bool) -> None:
        """Joins an open link; `open_url` makes one."""
        self.url = url
        self.space_id = space_id
        self.read_only = read_only
        self.unknowns = MilvusUnknowns(link, journal, dim, writable=not read_only)
        self._link = link
        self._journal = journal
        self._dim = dim

    # --- changes -----------------------------------------------------------------------------------------------------

    def add(self, photos: Sequence[Photo]) -> None:
        for photo in photos:
            unit_rows(photo.embedding[None], self._dim, "photograph")
        if photos:
            self._journal.change(lambda plan: changes.add(plan, photos, self._dim))

    def rename(self, identity_id: str, name: str) -> None:
        name = valid_name(name)

        def build(plan: Plan) -> None:
            row = changes.need(plan, identity_id)
            if row["name"] != name:
                changes.refuse_taken(plan, name)
                plan.put(IDENTITIES, {**row, "name": name})

        self._journal.change(build)

    def merge(self, source_id: str, target_id: str) -> None:
        if source_id == target_id:
            raise GalleryError("A person cannot be merged with themselves. Choose two.")

        def build(plan: Plan) -> None:
            changes.need(plan, source_id)
            changes.need(plan, target_id)
            changes.merge(plan, source_id, target_id)

        self._journal.change(build)

    def move(self, photo_ids: Sequence[str], identity_id: str) -> None:
        def build(plan: Plan) -> None:
            changes.need(plan, identity_id)
            found = plan.get(PHOTOS, photo_ids)
            if len(found) < len(set(photo_ids)):
                raise GalleryError("A photograph is not in the gallery any more. Load the list again.")
            changes.move(plan, found.values(), identity_id)

        self._journal.change(build)

    def remove(self, identity_id: str) -> Erased:
        def build(plan: Plan) -> Erased:
            changes.need(plan, identity_id)
            found = plan.where(PHOTOS, "identity_id", identity_id)
            return Erased(changes.remove(plan, found), len(found))

        return self._erased(self._journal.change(build))

    def remove_photos(self, photo_ids: Sequence[str]) -> Erased:
        def build(plan: Plan) -> Erased:
            found = plan.get(PHOTOS, photo_ids)
            return Erased(changes.remove(plan, found.values()), len(found))

        return self._erased(self._journal.change(build))

    def _erased(self, erased: Erased) -> Erased:
        if erased.photos:
            self._link.compact()
        return erased

    def edit(
        self, identity_id: str, *, metadata: Mapping[str, str] | None = None, cover_photo_id: str | None = None
    ) -> None:
        def build(plan: Plan) -> None:
            row = changes.need(plan, identity_id)
            if metadata is not None:
                row = {**row, "metadata": metadata_parts(metadata)}
            if cover_photo_id is not None:
                photo = plan.get(PHOTOS, [cover_photo_id]).get(cover_photo_id)
                if photo is None or photo["identity_id"] != identity_id:
                    raise GalleryError("That photograph is not one of this person. Load the list again.")
                row = {**row, "cover": cover_photo_id}
            plan.put(IDENTITIES, row)

        self._journal.change(build)

    def reject(self, rejection: Rejection) -> None:
        unit_rows(rejection.embedding[None], self._dim, "face")

        def build(plan: Plan) -> None:
            changes.need(plan, rejection.identity_id)
            plan.put(RECORDS, rejection_row(rejection))

        self._journal.change(build)

    def withdraw(self, rejection_id: str) -> None:
        self._journal.change(lambda plan: plan.drop(RECORDS, f"rejection/{rejection_id}"))

    def set_apart(self, first_id: str, second_id: str, *, apart: bool = True) -> None:
        def build(plan: Plan) -> None:
            changes.need(plan, first_id)
            changes.need(plan, second_id)
            row = apart_row(first_id, second_id)
            if apart:
                plan.put(RECORDS, row)
            else:
                plan.drop(RECORDS, row["id"])

        self._journal.change(build)

    def set_meta(self, key: str, value: str) -> None:
        if key in OUR_KEYS:
            raise GalleryError(f"{key} is kept by the gallery itself. Use another key.")
        self._journal.change(lambda plan: plan.put(RECORDS, record("meta", f"meta/{key}", text=value)))

    def set_created(self, moments: Mapping[str, str]) -> None:
        """As the protocol `Movable`."""

        def build(plan: Plan) -> None:
            for row in plan.get(IDENTITIES, moments).values():
                plan.put(IDENTITIES, {**row, "created_at": moments[row["id"]]})

        self._journal.change(build)

    # --- reading -----------------------------------------------------------------------------------------------------

    def identities(self) -> list[Identity]:
        found = self._journal.read(lambda: self._link.where(IDENTITIES, 'id != ""'))
        return sorted(map(identity_of, found), key=lambda identity: (identity.name.casefold(), identity.id))

    def identity(self, identity_id: str) -> Identity:
        found = self._journal.read(lambda: self._link.get(IDENTITIES, [identity_id]))
        if not found:
            raise IdentityNotFoundError("That person is not in the gallery any more. Load the list again.")
        return identity_of(found[identity_id])

    def find(self, name: str) -> Identity | None:
        found = self._journal.read(lambda: self._link.where(IDENTITIES, f"name == {quoted(name)}"))
        return identity_of(found[0]) if found else None

    def spellings(self, name: str) -> list[str]:
        found = self._journal.read(lambda: self._link.where(IDENTITIES, 'id != ""', fields=["name"]))
        return spelled_like(name, (row["name"] for row in found))

    def photos(self, identity_id: str) -> list[Photo]:
        def work() -> list[Photo]:
            who = self._link.get(IDENTITIES, [identity_id])
            if not who:
                raise IdentityNotFoundError("That person is not in the gallery any more. Load the list again.")
            rows = self._link.where(PHOTOS, f"identity_id == {quoted(identity_id)}", vector=True)
            crops = self._link.get(CROPS, [f"p/{row['id']}" for row in rows])
            return [photo_of(row, crops[f"p/{row['id']}"], who[identity_id]["name"]) for row in rows]

        return sorted(self._journal.read(work), key=lambda photo: (photo.added_at, photo.id))

    def photo(self, photo_id: str) -> Photo | None:
        def work() -> Photo | None:
            row = self._link.get(PHOTOS, [photo_id], vector=True).get(photo_id)
            if row is None:
                return None
            who = self._link.get(IDENTITIES, [row["identity_id"]])[row["identity_id"]]
            return photo_of(row, self._link.get(CROPS, [f"p/{photo_id}"])[f"p/{photo_id}"], who["name"])

        return self._journal.read(work)

    def count(self) -> int:
        return self._journal.read(lambda: self._link.count(IDENTITIES))

    def get_meta(self, key: str) -> str | None:
        found = self._journal.read(lambda: self._link.get(RECORDS, [f"meta/{key}"]))
        return body_of(found[f"meta/{key}"]) if found else None

    def metas(self) -> dict[str, str]:
        """As the protocol `Movable`."""
        found = self._journal.read(lambda: self._link.where(RECORDS, 'kind == "meta"'))
        texts = {row["id"].partition("/")[2]: body_of(row) for row in found}
        return {key: text for key, text in texts.items() if key not in OUR_KEYS}

    def rejections(self, identity_ids: Sequence[str]) -> list[Rejection]:
        if not identity_ids:
            return []
        condition = f'kind == "rejection" and owner in {quoted(list(dict.fromkeys(identity_ids)))}'
        found = self._journal.read(lambda: self._link.where(RECORDS, condition))
        return sorted((rejection_of(row, self._dim) for row in found), key=lambda one: (one.added_at, one.id))

    def apart(self) -> set[tuple[str, str]]:
        return {apart_of(row) for row in self._journal.read(lambda: self._link.where(RECORDS, 'kind == "apart"'))}

    def revision(self) -> int:
        return self._journal.revision()

    def templates(self) -> tuple[list[str], Embeddings]:
        return self._journal.read(lambda: all_templates(self._link, self._dim))

    def embeddings(self, identity_ids: Sequence[str]) -> dict[str, tuple[list[str], Embeddings]]:
        wanted = list(dict.fromkeys(identity_ids))
        return self._journal.read(lambda: dict(embeddings_of(self._link, wanted)))

    def search(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        """As the protocol; with an `hnsw` index nearly always so."""
        probes = unit_rows(probes, self._dim, "probe")
        return self._journal.read(lambda: candidates_of(self._link, probes, k))

    def close(self) -> None:
        self._link.close()
