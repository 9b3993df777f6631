"""Named, typed endpoints for `gradio_client`: what the page does, as JSON. Draws nothing.

Files come through `gr.File`, which takes only what was uploaded: a bare path would read this machine's disk.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api
from pydantic import ConfigDict, ValidationError, validate_call

from reid.assign import assign
from reid.errors import ReidError
from reid.images import read_photograph
from reid.recognizer import Recognizer
from reid.types import Candidate, Identity, SearchResult
from reid.ui.bulk_endpoints import bulk_endpoints, bulk_file_endpoints
from reid.ui.handlers import Visit, declared, permit
from reid.ui.rights_endpoints import rights_endpoints
from reid.ui.roles import ENDPOINTS
from reid.ui.stranger_endpoints import stranger_endpoints
from reid.ui.verifying import verify_file, verify_files
from reid.unknowns import keep_strangers


def add_endpoints(recognizer: Recognizer) -> None:
    """Adds all of them to the `gr.Blocks` that is being built."""
    with gr.Row(visible=False):
        _with_files(recognizer)
    for function in (
        _people(recognizer), _person(recognizer), _rename(recognizer), _merge(recognizer), _erase(recognizer),
        _threshold(recognizer), *stranger_endpoints(recognizer), *bulk_endpoints(recognizer),
        *rights_endpoints(recognizer),
    ):  # fmt: skip
        api(_in_words(function), api_name=function.__name__)


def _in_words(function: Callable[..., Any]) -> Callable[..., Any]:
    """Asks who comes; a refusal reaches the client as its sentence, anything else as Gradio's own silence.

    Raises:
        KeyError: the function has no line in `ENDPOINTS`: nobody said who may call it.
    """
    needs = ENDPOINTS[function.__name__]
    checked = validate_call(config=ConfigDict(allow_inf_nan=False))(function)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        Visit.now().enter()
        try:
            permit(needs)
            json.dumps([args, kwargs], ensure_ascii=False, default=str).encode()
            return checked(*args, **kwargs)
        except ReidError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except ValidationError as error:
            raise gr.Error(_not_taken(function, error), print_exception=False) from error
        except UnicodeEncodeError as error:  # half of a character, which JSON can spell and nothing can store
            what = f"{function.__name__} was sent something that is no text. Send whole characters."
            raise gr.Error(what, print_exception=False) from error

    return declared(wrapped, needs)


def _not_taken(function: Callable[..., Any], error: ValidationError) -> str:
    """Which value is of another kind than it is described; without the value, which may be long."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = first["loc"][0] if first["loc"] else ""
    name = list(inspect.signature(function).parameters)[place] if isinstance(place, int) else place
    return f"{function.__name__} cannot take {name} ({first['msg']}). See what it takes at gradio_api/info."


def _candidate(one: Candidate) -> dict[str, Any]:
    return {"id": one.identity.id, "name": one.identity.name, "similarity": one.similarity, "photo_id": one.photo_id}


def _identity(one: Identity) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "photographs": one.photo_count,
        "cover": one.cover_photo_id,
        "created_at": one.created_at,
        "metadata": dict(one.metadata),
    }


def _faces(results: list[SearchResult]) -> list[dict[str, Any]]:
    return [
        {
            "face": index + 1,
            "predicted": one.label,
            "similarity": one.given.similarity if one.given else None,
            "box_px": list(one.result.template.face.box_px),
            "detection_confidence": one.result.template.face.confidence,
            "quality": one.result.template.quality.score,
            "candidates": [_candidate(candidate) for candidate in one.result.candidates],
        }
        for index, one in enumerate(assign(results))
    ]


def _with_files(recognizer: Recognizer) -> None:
    files = gr.File(file_count="multiple", label="photographs")
    first, second = gr.File(label="first"), gr.File(label="second")
    first_face, second_face = (gr.Number(value=1, precision=0, label=f"{which}_face") for which in ("first", "second"))
    limit, k = gr.Number(value=None, label="threshold"), gr.Number(value=5, precision=0, label="candidates")
    name, identity_id = gr.Textbox(label="name"), gr.Textbox(label="identity_id")
    purpose = gr.Textbox(value="", label="purpose")
    answer = gr.JSON(label="answer")

    def search(
        photographs: list[str], threshold: float | None = None, candidates: int = 5, purpose: str = ""
    ) -> list[dict[str, Any]]:
        """Who is on each photograph: every face with its candidates, one person given to one face."""
        found = []
        for path in photographs or []:
            try:
                photograph = read_photograph(Path(path))
                results = recognizer.search(photograph, k=max(1, int(candidates)), threshold=threshold, purpose=purpose)
                faces = [result.template for result in results]
                keep_strangers(recognizer, photograph.name, photograph.sha256, faces)
                found.append({"image": Path(path).name, "status": "ok", "reason": "", "faces": _faces(results)})
            except ReidError as error:
                found.append({"image": Path(path).name, "status": "unreadable", "reason": str(error), "faces": []})
            finally:
                Path(path).unlink(missing_ok=True)
        return found

    def enrol(name: str, photographs: list[str]) -> dict[str, Any]:
        """Enrols the largest face of each photograph under a name, or adds to whoever bears it."""
        try:
            samples = [recognizer.sample(read_photograph(Path(path)), "largest") for path in photographs or []]
            done = recognizer.enrol(name, samples)
        finally:
            for path in photographs or []:
                Path(path).unlink(missing_ok=True)
        return {**_identity(done.identity), "created": done.created, "photo_ids": list(done.photo_ids)}

    def verify(first: str, second: str, first_face: int = 1, second_face: int = 1, purpose: str = "") -> dict[str, Any]:
        """May a face of one photograph and a face of another be one person's? Faces count from the largest, 1."""
        return verify_files(recognizer, (first, second), (first_face, second_face), purpose)

    def verify_person(first: str, identity_id: str, first_face: int = 1, purpose: str = "") -> dict[str, Any]:
        """May a face be the person enrolled under that id? Each of the person's photographs has its own similarity."""
        return verify_file(recognizer, first, identity_id, first_face, purpose)

    events: list[tuple[Callable[..., Any], list[Any]]] = [
        (search, [files, limit, k, purpose]), (enrol, [name, files]),
        (verify, [first, second, first_face, second_face, purpose]),
        (verify_person, [first, identity_id, first_face, purpose]), *bulk_file_endpoints(recognizer),
    ]  # fmt: skip
    for function, inputs in events:
        gr.Button().click(
            _in_words(function),
            inputs,
            answer,
            api_name=function.__name__,
            concurrency_limit=2,
            concurrency_id="looking",
        )


def _people(recognizer: Recognizer) -> Callable[..., Any]:
    def people(query: str = "", page: int = 1, size: int = 100) -> dict[str, Any]:
        """Who is enrolled: those whose name holds the query, a page at a time."""
        size, words = min(max(size, 1), 1000), query.casefold().split()
        found = [one for one in recognizer.gallery.identities() if all(word in one.name.casefold() for word in words)]
        start = (max(page, 1) - 1) * size
        return {"total": len(found), "people": [_identity(one) for one in found[start : start + size]]}

    return people


def _person(recognizer: Recognizer) -> Callable[..., Any]:
    def person(identity_id: str) -> dict[str, Any]:
        """One person with the photographs; their pictures are at /crops/<id>."""
        with recognizer.gallery.pen.use("consult", subjects=[identity_id]):
            photos = recognizer.gallery.photos(identity_id)
        held = [
            {"id": one.id, "source": one.source, "quality": one.quality, "added_at": one.added_at} for one in photos
        ]
        return {**_identity(recognizer.gallery.identity(identity_id)), "photos": held}

    return person


def _rename(recognizer: Recognizer) -> Callable[..., Any]:
    def rename(identity_id: str, name: str) -> dict[str, Any]:
        """Another name for the same person."""
        recognizer.gallery.rename(identity_id, name)
        return _identity(recognizer.gallery.identity(identity_id))

    return rename


def _merge(recognizer: Recognizer) -> Callable[..., Any]:
    def merge(source_id: str, target_id: str) -> dict[str, Any]:
        """All photographs of the source go to the target, whose name stays."""
        recognizer.gallery.merge(source_id, target_id)
        return _identity(recognizer.gallery.identity(target_id))

    return merge


def _erase(recognizer: Recognizer) -> Callable[..., Any]:
    def erase(identity_id: str) -> dict[str, int]:
        """Erases a person for good, with everything computed from the photographs."""
        gone = recognizer.gallery.remove(identity_id)
        return {"people": gone.identities, "photographs": gone.photos}

    return erase


def _threshold(recognizer: Recognizer) -> Callable[..., Any]:
    def threshold() -> dict[str, Any]:
        """The gallery's own threshold and what it rests on."""
        now = recognizer.threshold
        return {
            "value": now.value,
            "calibrated": now.calibrated,
            "origin": now.origin,
            "fpir": now.fpir,
            "searches": now.searches,
            "gallery_size": now.gallery_size,
        }

    return threshold
