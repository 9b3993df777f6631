"""The web server: our own routes first, then the Gradio page at `/`. Knows how things are served, not what is shown."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported, as in reid.ui

import gradio as gr
import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request, Response

from reid import zero_gpu
from reid.access import LOOPBACK, OnlyOwnPages, allowed_hosts
from reid.accounts import FILE, Accounts
from reid.actor import Role, acting, refuse_the_unnamed
from reid.audit.verifying import head_of
from reid.demo import ensure_demo
from reid.downloads import add_downloads
from reid.entrance.doors import check_doors
from reid.entrance.entry import Entry
from reid.entrance.gate import Gate
from reid.entrance.hub import add_hub_login
from reid.entrance.login import add_login
from reid.entrance.patience import Patient, allow_many_connections
from reid.entrance.room import private_folder
from reid.entrance.uploads import OwnUploads
from reid.errors import AuditError, ReidError, SettingsError
from reid.gallery.shelf import choose
from reid.offsite import kept_elsewhere
from reid.recognizer import Recognizer
from reid.rights.housekeeping import Housekeeping
from reid.settings import Settings
from reid.ui import build_ui
from reid.ui.context import ASSETS
from reid.ui.fixed import I18N
from reid.ui.handlers import COOKIE
from reid.ui.session import Sessions
from reid.ui.theme import css, head, theme
from reid.warming import warming

log = logging.getLogger(__name__)

MAX_UPLOAD = "1gb"

_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""No request leaves the machine. `unsafe-eval` is what Gradio's HTML component needs for its templates."""

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # to others nothing; with no-referrer a form of our own would come without its origin
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_JPEG_HEADERS = {"Cache-Control": "no-store"}
_SPACES = "https://huggingface.co https://*.huggingface.co"
"""Whose pages show a Space in a frame."""


def create_app(
    recognizer: Recognizer, hosts: Collection[str] | None = LOOPBACK, entry: Entry | None = None,
    saved_every_min: int | None = None,
) -> FastAPI:  # fmt: skip
    """The whole application around one recognizer.

    Args:
        recognizer: what searches.
        hosts: names that the page answers to; None for every name.
        entry: who gets in; None for whoever reaches it.
        saved_every_min: of a gallery on a disk that is not kept: how often it is saved, 0 for never; None elsewhere.
    """
    entry = entry or Entry(Accounts(Path(os.devnull, FILE)))
    entry.audit = recognizer.audit
    app = FastAPI(title="ByteFace", docs_url=None, redoc_url=None, openapi_url=None)
    sessions = Sessions()
    app.add_middleware(OwnUploads)  # what is added last is asked first
    app.add_middleware(Gate, entry=entry)
    app.add_middleware(OnlyOwnPages, hosts=hosts)
    _add_headers(app, space=entry.doors.space)
    add_login(app, entry)
    add_hub_login(app, entry)
    add_downloads(app, recognizer, sessions)
    _add_routes(app, recognizer, sessions)
    _add_shelf(app, recognizer)
    check_doors(app)
    blocks = build_ui(recognizer, sessions, saved_every_min)
    blocks.queue(max_size=200, default_concurrency_limit=8)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=theme(),
        css=css(),
        head=head(),
        favicon_path=str(ASSETS / "favicon.svg"),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        i18n=I18N,
        enable_monitoring=False,
        max_file_size=MAX_UPLOAD,
        root_path=entry.doors.root_path or None,
    )
    return mounted


def _add_headers(app: FastAPI, *, space: bool) -> None:
    frame = "frame-ancestors 'self'"
    values = {name: value.replace(frame, f"{frame} {_SPACES}") if space else value for name, value in _HEADERS.items()}

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        choose(unquote(request.cookies.get(COOKIE, "")))
        if "/file=http" in request.url.path:
            response = Response("This server fetches nothing from other hosts.", 403)
        else:
            response = await call_next(request)
        for name, value in values.items():
            response.headers.setdefault(name, value)
        return response


def _add_shelf(app: FastAPI, recognizer: Recognizer) -> None:
    @app.post("/galleries", status_code=201)
    def new_gallery(name: Annotated[str, Body(embed=True)]) -> dict[str, object]:
        """Makes an empty gallery beside the others."""
        try:
            recognizer.shelf.create(name)
        except ReidError as error:
            raise HTTPException(409, str(error)) from error
        return {"galleries": recognizer.shelf.names()}


def _add_routes(app: FastAPI, recognizer: Recognizer, sessions: Sessions) -> None:
    @app.get("/health")
    def health() -> dict[str, object]:
        """Alive; to whoever may look, also how many people are enrolled."""
        if acting().role < Role.VIEWER:
            return {"status": "ok"}
        return {"status": "ok", "people": recognizer.gallery.count(), "space": recognizer.space.id}

    @app.get("/crops/{photo_id}")
    def crop(photo_id: str) -> Response:
        """The stored crop of an enrolled photograph."""
        photo = recognizer.gallery.photo(photo_id)
        if photo is None:
            raise HTTPException(404, "There is no such photograph. It may have been erased.")
        return Response(photo.crop_jpeg, media_type="image/jpeg", headers=_JPEG_HEADERS)

    @app.get("/unknowns/{face_id}.jpg")
    def unknown(face_id: str) -> Response:
        """The crop of a stranger's face that is kept."""
        face = recognizer.gallery.unknowns.face(face_id)
        if face is None:
            raise HTTPException(404, "This face is not kept any more. Its time may be over.")
        return Response(face.crop_jpeg, media_type="image/jpeg", headers=_JPEG_HEADERS)

    @app.get("/probes/{session_id}/{shot_id}.jpg")
    def probe(session_id: str, shot_id: str) -> Response:
        """A photograph that is on somebody's screen; who knows the session's id is that somebody."""
        shot = sessions.shot(session_id, shot_id)
        if shot is None:
            raise HTTPException(404, "This photograph was forgotten. Add it again.")
        return Response(shot.jpeg, media_type="image/jpeg", headers=_JPEG_HEADERS)

    @app.get("/probes/{session_id}/{shot_id}/{face}.jpg")
    def chip(session_id: str, shot_id: str, face: int) -> Response:
        """The upright crop of one face of it."""
        shot = sessions.shot(session_id, shot_id)
        if shot is None or not 0 <= face < len(shot.templates):
            raise HTTPException(404, "This photograph was forgotten. Add it again.")
        return Response(shot.chip_jpeg(face), media_type="image/jpeg", headers=_JPEG_HEADERS)


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Opens everything, enrols the demonstration people where that is wanted, and serves until it is stopped.

    Args:
        settings: what to open and where to listen.
        say: told, line by line, what was done and where the page is, before the server takes over.

    Raises:
        SettingsError: the port cannot be used, accounts are asked for and there is none, or the address is open to
            the network without accounts and nobody said that it may be.
        HubError: the gallery is kept on the Hub, which does not answer.
        ReidError: what opening the recognizer raises.
    """
    with _told_to_stop(), private_folder(), kept_elsewhere(settings, say):
        _serve(settings, say)


@contextlib.contextmanager
def _told_to_stop() -> Iterator[None]:
    """A Space, a container or a service manager ends us by SIGTERM: what is to be done at the end is done then too."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(settings: Settings, say: Callable[[str], None]) -> None:
    accounts = Accounts(settings.data_dir / FILE)
    entry = Entry(accounts, settings.doors)
    hosts = allowed_hosts(settings, accounts=entry.in_force)
    if settings.doors.accounts and not accounts.any and not settings.doors.hub.wanted:
        raise SettingsError(
            "BYTEFACE_ACCOUNTS asks for accounts, and there is none. Add one: byteface accounts add NAME --role admin"
        )
    recognizer = Recognizer.open(settings)
    housekeeping = Housekeeping(recognizer)
    if recognizer.better:
        say(recognizer.better.told(settings.gallery))
    try:
        housekeeping.start()
        if settings.demo:
            demo = ensure_demo(settings, recognizer)
            if demo.people:
                say(f"Enrolled {demo.people} demonstration people from {demo.photos} photographs.")
            say(f"Photographs to try, a stranger's among them: {demo.folder / 'val'}")
        say(f"{recognizer.gallery.count()} people enrolled in {recognizer.gallery.url}, space {recognizer.space.name}.")
        with contextlib.suppress(AuditError):  # there is none before something was done
            say(f"The audit log ends at {head_of(recognizer.audit)}.")
        say(f"ByteFace: http://{settings.host}:{settings.port}  (Ctrl+C stops it)")
        if entry.in_force:
            say("Nobody gets in without an account, a key or what the settings allow.")
            refuse_the_unnamed()
        zero_gpu.ready()
        allow_many_connections()
        try:
            proxies = list(settings.doors.proxies)
            with warming(recognizer):
                uvicorn.run(
                    create_app(recognizer, hosts, entry, settings.saved_every_min),
                    host=settings.host, port=settings.port, log_level="warning", http=Patient,
                    proxy_headers=bool(proxies), forwarded_allow_ips=proxies,
                )  # fmt: skip
        except SystemExit as stop:  # uvicorn's way to say that it could not listen
            if stop.code:
                raise SettingsError(
                    f"Port {settings.port} of {settings.host} cannot be used. "
                    "Something else may be listening there: choose another with GRADIO_SERVER_PORT."
                ) from None
    finally:
        housekeeping.stop()
        recognizer.close()
        accounts.close()
