"""Routes that take things away: the gallery as one file, who is enrolled as a table, the report of an import."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import StreamingResponse

from reid.errors import ReidError
from reid.gallery.backup import SUFFIX, export_gallery
from reid.gallery.listing import identities_csv
from reid.recognizer import Recognizer
from reid.ui.session import Sessions

_BLOCK = 1 << 20


def add_downloads(app: FastAPI, recognizer: Recognizer, sessions: Sessions) -> None:
    """Adds them; none of what they send is kept by a browser or left on this disk."""

    @app.get("/gallery/people.byteface")
    def backup() -> Response:
        """The whole gallery as one file."""
        try:
            file, size = _exported(recognizer.gallery.url)
        except ReidError as error:
            raise HTTPException(409, str(error)) from error
        headers = _headers(f"people-{datetime.now(UTC):%Y%m%d}{SUFFIX}") | {"Content-Length": str(size)}
        return StreamingResponse(_blocks(file), media_type="application/octet-stream", headers=headers)

    @app.get("/gallery/people.csv")
    def table() -> Response:
        """Who is enrolled, with their records."""
        data = identities_csv(recognizer.gallery.identities())
        return Response(data, media_type="text/csv; charset=utf-8", headers=_headers("people.csv"))

    @app.get("/imports/{session_id}/report.csv")
    def report(session_id: str) -> Response:
        """What became of every photograph of a session's last import."""
        session = sessions.find(session_id)
        if session is None or not session.report:
            raise HTTPException(404, "This report was forgotten. Run the import again.")
        return Response(session.report, media_type="text/csv; charset=utf-8", headers=_headers("import-report.csv"))


def _headers(name: str) -> dict[str, str]:
    return {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}


def _exported(url: str) -> tuple[BinaryIO, int]:
    """An open file that has no name any more: it is gone with the answer, whatever ends it."""
    with tempfile.TemporaryDirectory(prefix="byteface-export-") as folder:
        place = Path(folder) / f"people{SUFFIX}"
        export_gallery(url, place)
        return place.open("rb"), place.stat().st_size


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
