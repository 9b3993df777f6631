"""Routes that take things away: what a search found, the gallery as one file or as a table, the report of an import."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import unquote

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from reid.actor import Role
from reid.audit.reading import Filters, csv_of, rows_of
from reid.errors import ReidError
from reid.gallery.backup import SUFFIX
from reid.gallery.listing import identities_csv
from reid.recognizer import Recognizer
from reid.rights.dossier import write_dossier
from reid.rights.transfers import export_recorded
from reid.ui.handlers import PURPOSE
from reid.ui.reporting import annotated_jpeg, result_csv, result_json
from reid.ui.session import Sessions

_BLOCK = 1 << 20
_CSV = "text/csv; charset=utf-8"
_KINDS = {"json": "application/json", "csv": _CSV, "jpg": "image/jpeg"}


def add_downloads(app: FastAPI, recognizer: Recognizer, sessions: Sessions) -> None:
    """Adds them; none of what they send is kept by a browser or left on this disk."""
    _of_sessions(app, recognizer, sessions)
    _of_the_gallery(app, recognizer)


def _of_sessions(app: FastAPI, recognizer: Recognizer, sessions: Sessions) -> None:
    @app.get("/probes/{session_id}/result.{kind}")
    def result(
        session_id: str, kind: str, purpose: Purpose, threshold: float | None = None, k: int = 5, recipient: str = ""
    ) -> Response:
        """What a session found: result.json, result.csv, or result.jpg of the photograph that is shown."""
        session = sessions.find(session_id)
        if session is None or session.shot is None or kind not in _KINDS:
            raise HTTPException(404, "This search was forgotten. Add the photographs again.")
        limit = recognizer.threshold.value if threshold is None else threshold
        k = min(max(k, 1), 100)
        shots = [session.shot] if kind == "jpg" else list(session.shots.values())
        inputs = [shot.sha256 for shot in shots]
        with recognizer.gallery.pen.use("disclose", inputs=inputs, purpose=purpose, kind=kind, recipient=recipient):
            if kind == "jpg":
                data = annotated_jpeg(recognizer, session.shot, limit, k)
            else:
                make = result_json if kind == "json" else result_csv
                data = make(recognizer, session, limit, k)
        return Response(data, media_type=_KINDS[kind], headers=_headers(f"byteface-result.{kind}"))

    @app.get("/imports/{session_id}/report.csv")
    def report(session_id: str) -> Response:
        """What became of every photograph of a session's last import."""
        session = sessions.find(session_id)
        if session is None or not session.report:
            raise HTTPException(404, "This report was forgotten. Run the import again.")
        return Response(session.report, media_type=_CSV, headers=_headers("import-report.csv"))


def _of_the_gallery(app: FastAPI, recognizer: Recognizer) -> None:
    @app.get("/gallery/people.byteface")
    def backup(purpose: Purpose, recipient: str = "") -> Response:
        """The whole gallery as one file."""
        try:
            file, size = _exported(recognizer, purpose, recipient)
        except ReidError as error:
            raise HTTPException(409, str(error)) from error
        headers = _headers(f"people-{datetime.now(UTC):%Y%m%d}{SUFFIX}") | {"Content-Length": str(size)}
        return StreamingResponse(_blocks(file), media_type="application/octet-stream", headers=headers)

    @app.get("/gallery/people.csv")
    def table(purpose: Purpose, recipient: str = "") -> Response:
        """Who is enrolled, with their records."""
        pen = recognizer.gallery.pen
        with pen.use("export", role=Role.ADMIN, purpose=purpose, recipient=recipient, table=True) as use:
            people = recognizer.gallery.identities()
            data = identities_csv(people)
            use.details["people"] = len(people)
        return Response(data, media_type=_CSV, headers=_headers("people.csv"))

    @app.get("/people/{identity_id}/everything.zip")
    def everything(identity_id: str, purpose: Purpose, recipient: str = "") -> Response:
        """Everything that is held about a person."""
        try:
            file, size = _dossier(recognizer, identity_id, purpose, recipient)
        except ReidError as error:
            raise HTTPException(404, str(error)) from error
        headers = _headers("held-about-a-person.zip") | {"Content-Length": str(size)}
        return StreamingResponse(_blocks(file), media_type="application/zip", headers=headers)

    @app.get("/audit/log.csv")
    def log(actor: str = "", action: str = "", since: str = "", until: str = "", person: str = "") -> Response:
        """The audit log, or what the filters leave of it."""
        pen = recognizer.gallery.pen
        try:
            with pen.use("export", role=Role.ADMIN, log=True) as use:
                rows = rows_of(recognizer.audit, Filters(actor, action, since, until, person))
                use.details["rows"] = len(rows)
        except ReidError as error:
            raise HTTPException(409, str(error)) from error
        return Response(csv_of(rows), media_type=_CSV, headers=_headers("audit-log.csv"))


def _said_purpose(request: Request, purpose: str = "") -> str:
    """What a download is for: as the address says, otherwise as this browser's purpose field does."""
    return purpose or unquote(request.cookies.get(PURPOSE, ""))


Purpose = Annotated[str, Depends(_said_purpose)]


def _headers(name: str) -> dict[str, str]:
    return {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}


def _exported(recognizer: Recognizer, purpose: str, recipient: str) -> tuple[BinaryIO, int]:
    """An open file that has no name any more: it is gone with the answer, whatever ends it."""
    with tempfile.TemporaryDirectory(prefix="byteface-export-") as folder:
        place = Path(folder) / f"people{SUFFIX}"
        export_recorded(recognizer.audit, recognizer.gallery.url, place, purpose=purpose, recipient=recipient)
        return place.open("rb"), place.stat().st_size


def _dossier(recognizer: Recognizer, identity_id: str, purpose: str, recipient: str) -> tuple[BinaryIO, int]:
    """As above, of one person."""
    with tempfile.TemporaryDirectory(prefix="byteface-export-") as folder:
        place = Path(folder) / "person.zip"
        write_dossier(recognizer.gallery, identity_id, place, purpose=purpose, recipient=recipient)
        return place.open("rb"), place.stat().st_size


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
