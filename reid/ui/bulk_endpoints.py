"""Named endpoints for whole galleries: import many people, export, restore. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from reid.actor import Role, require
from reid.intake import Import, open_upload
from reid.intake.report import counts_of, people_of
from reid.recognizer import Recognizer
from reid.rights.transfers import restore_recorded


def bulk_file_endpoints(recognizer: Recognizer) -> list[tuple[Callable[..., Any], list[Any]]]:
    """Functions that take an uploaded file, each with its inputs; to be called while the page is built."""
    archive, backup = gr.File(label="archive"), gr.File(label="backup")
    face = gr.Textbox(value="largest", label="face")
    keep_poor, dry_run = gr.Checkbox(False, label="keep_poor"), gr.Checkbox(False, label="dry_run")

    def import_people(
        archive: str, face: str = "largest", keep_poor: bool = False, dry_run: bool = False
    ) -> dict[str, Any]:
        """Enrols everybody of a zip: a folder a person, or a CSV with name and image_path. Again adds nothing twice."""
        try:
            with open_upload(Path(archive)) as source:
                done = Import(
                    recognizer, source, face="central" if face == "central" else "largest", keep_poor=keep_poor,
                    dry_run=dry_run,
                )  # fmt: skip
                for _ in done.run():
                    pass
        finally:
            Path(archive).unlink(missing_ok=True)
        return _told(done)

    def restore(backup: str) -> dict[str, Any]:
        """Puts a backup in the place of everybody who is enrolled; the gallery of before is kept beside it."""
        try:
            done = restore_recorded(
                recognizer.audit, Path(backup), recognizer.gallery.url, replace=True, space_id=recognizer.space.id
            )
        finally:
            Path(backup).unlink(missing_ok=True)
        return {
            "people": done.contents.people,
            "photographs": done.contents.photographs,
            "made_at": done.contents.made_at,
            "forgotten": done.forgotten,
            "kept": done.kept.name if done.kept else None,
        }

    return [(import_people, [archive, face, keep_poor, dry_run]), (restore, [backup])]


def bulk_endpoints(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    """Functions without files."""

    def export() -> dict[str, Any]:
        """What the gallery holds, and where it is fetched whole: paths below this page's address."""
        everybody = recognizer.gallery.identities()
        return {
            "people": len(everybody),
            "photographs": sum(one.photo_count for one in everybody),
            "space": recognizer.gallery.space_id,
            "backup": "gallery/people.byteface",
            "table": "gallery/people.csv",
        }

    def remove_photographs(photo_ids: list[str]) -> dict[str, int]:
        """Erases photographs; a person who is left without any goes too. Of several people: for administrators."""
        held = (recognizer.gallery.photo(photo_id) for photo_id in photo_ids)
        if len({photo.identity_id for photo in held if photo}) > 1:
            require(Role.ADMIN)
        gone = recognizer.gallery.remove_photos(photo_ids)
        return {"people": gone.identities, "photographs": gone.photos}

    def galleries() -> dict[str, Any]:
        """Galleries that can be chosen, by the cookie byteface_gallery, and the one that is meant now."""
        return {"galleries": recognizer.shelf.names(), "in_use": recognizer.shelf.name}

    def new_gallery(name: str) -> dict[str, Any]:
        """Makes an empty gallery beside the others."""
        recognizer.shelf.create(name)
        return galleries()

    return export, remove_photographs, galleries, new_gallery


def _told(done: Import) -> dict[str, Any]:
    alike = [
        {
            "name": name,
            "id": done.identity_ids.get(name),
            "other": one.name,
            "other_id": one.identity_id,
            "similarity": one.similarity,
        }
        for name, one in done.resemblances.items()
    ]
    lines = [
        # not "path": Gradio's client takes such a record for a file
        {"photograph": one.path, "name": one.label, "status": one.status, "reason": one.reason, "faces": one.faces}
        for one in done.lines
    ]
    return {
        "counts": dict(counts_of(done)),
        "people": sum(bool(one.enrolled) for one in people_of(done)),
        "created": sorted(done.created),
        "photo_ids": done.photo_ids,
        "resembles": alike,
        "lines": lines,
    }
