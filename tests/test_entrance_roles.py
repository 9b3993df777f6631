"""Every path, every handler of the page and every endpoint, called as nobody and as each role. New ones are found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from people_of_roles import NAMES, House, house
from starlette.routing import Mount

import reid.ui as ui
from reid.accounts.logins import IDLE_S
from reid.actor import Role
from reid.entrance.doors import GRADIO, OURS, check_doors, paths_of
from reid.entrance.entry import SESSION
from reid.ui import roles
from reid.ui.roles import ENDPOINTS

SHUT = {
    "/login", "/logout", "/login_check", "/token", "/user", "/runs", "/monitoring", "/monitoring/summary",
}  # fmt: skip
"""Of Gradio's, below any prefix: its own login, its looks at everybody's work."""

STREAMS = {f"/gradio_api/{path}" for path in (
    "heartbeat/{session_hash}", "queue/data", "upload_progress", "call/v2/{name}", "call/{name}/{event_id}",
    "call/v2/{name}/{event_id}",
)}  # fmt: skip
"""What does not end by itself when it is fetched."""

MAY = {
    Role.VIEWER: {
        "search", "verify", "verify_person", "people", "person", "threshold", "duplicates", "outliers", "galleries",
    },
    Role.OPERATOR: {
        "enrol", "rename", "merge", "erase", "two_people", "same_person", "unknowns", "keep_unknowns", "enrol_unknowns",
        "reject_unknowns", "ignore_unknowns", "erase_unknowns", "import_people", "remove_photographs",
        "ending", "renew_person",
    },
    Role.ADMIN: {"export", "restore", "new_gallery", "audit_log", "audit_verify", "retention"},
}  # fmt: skip
"""Named endpoints that a role may call and the one below may not, written once more by hand."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("roles")) as made:
        yield made


def blocks_of(opened: House) -> gr.Blocks:
    mounted = next(route for route in opened.app.routes if isinstance(route, Mount))
    return mounted.app.get_blocks()  # type: ignore[attr-defined, no-any-return]


def filled(template: str) -> str:
    return re.sub(r"{\w+(:path)?}", "1", template)


def below(role: Role) -> Role:
    return Role(role - 1)


# paths


def test_every_path_has_a_role_or_is_shut(opened: House) -> None:
    known = {**OURS, **GRADIO}
    others = {path.rstrip("/") or "/" for path in paths_of(list(opened.app.routes))} - set(known)
    assert not set(OURS) - set(paths_of(list(opened.app.routes))) - {"/login/hub", "/login/callback"}
    for path in sorted(others):
        answer = opened.client.get(filled(path), headers=opened.as_(Role.ADMIN))
        assert answer.status_code == 404, f"{path} is served and has no line in reid/entrance/doors.py"


PATHS = {path: role for path, role in {**OURS, **GRADIO}.items() if path not in STREAMS}


@pytest.mark.parametrize(("path", "needed"), PATHS.items())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_opens_for_its_role_and_for_nobody_less(opened: House, path: str, needed: Role, method: str) -> None:
    expired = {"cookie": f"{SESSION}={opened.accounts.logins.begin('Ada')}"}
    opened.clock.now += IDLE_S + 1
    for role, headers in ((Role.NOBODY, {}), (Role.NOBODY, expired), *((role, opened.as_(role)) for role in NAMES)):
        answer = opened.client.request(method, filled(path), headers=headers)
        if role >= needed:
            assert answer.status_code not in {401, 403} or path == "/login", (path, role, answer.text)
        else:
            assert answer.status_code == (403 if role else 401), (path, role, answer.text)
            assert "Log in" in answer.text or "role" in answer.text or "logged in" in answer.text


@pytest.mark.parametrize("path", sorted(STREAMS))
def test_a_stream_is_for_whoever_is_logged_in(opened: House, path: str) -> None:
    assert opened.client.get(filled(path)).status_code == 401
    assert opened.client.post(filled(path)).status_code == 401


def test_a_route_of_ours_without_a_role_is_not_built() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.get("/secret")(lambda: "everything")
    with pytest.raises(TypeError, match="/secret"):
        check_doors(app)


# handlers and endpoints


def calls(opened: House) -> Iterator[tuple[str, Role, dict[str, Any]]]:
    """Name, least role and body of every event of the page and every endpoint; with acts, one each and an unknown."""
    for number, function in blocks_of(opened).fns.items():
        if function.fn is None:
            continue
        needs = function.fn.byteface_needs
        body = {"fn_index": number, "data": values_of(function.inputs), "session_hash": f"session{number}"}
        name = getattr(function.fn, "__qualname__", "?")
        if isinstance(needs, Mapping):
            for act, needed in {**needs, "invented": Role.ADMIN}.items():
                yield f"{name} {act}", needed, {**body, "event_data": {"act": act}}
        else:
            yield name, needs, {**body, "event_data": {}}


def values_of(inputs: list[Any]) -> list[Any]:
    """What an untouched page would send."""
    values = [getattr(piece, "value", None) for piece in inputs]
    return [value if isinstance(value, str | int | float | bool) else None for value in values]


def called(opened: House, role: Role, body: dict[str, Any]) -> tuple[int, str]:
    headers, session = opened.as_(role), f"{body['session_hash']}-{role.name}"
    answer = opened.client.post("/gradio_api/run/predict", json={**body, "session_hash": session}, headers=headers)
    return answer.status_code, answer.text


def test_every_event_and_endpoint_is_refused_to_whoever_has_less_than_its_role(opened: House) -> None:
    number = 0
    for name, needed, body in calls(opened):
        for role in (Role.NOBODY, below(needed)):
            status, said = called(opened, role, body)
            refused = status == 401 if role is Role.NOBODY else "This needs the role" in said
            assert refused, f"{name} did something for {role.name}: {status} {said[:300]}"
            number += 1
    assert number > 150, "fewer would mean that they are not found any more"


def test_every_event_and_endpoint_listens_to_its_role(opened: House) -> None:
    for name, needed, body in calls(opened):
        status, said = called(opened, needed, body)
        assert status in {200, 500}, name
        assert "This needs the role" not in said, f"{name} refused {needed.name}"


def test_what_runs_in_steps_is_refused_before_its_first_and_by_the_queue_too(opened: House) -> None:
    steps = [fn for fn in blocks_of(opened).fns.values() if fn.fn is not None and fn.fn.__name__ == "measure"]
    assert steps
    for fn in steps:
        body = {"fn_index": fn._id, "data": [[], 0.5], "session_hash": "measuring", "event_data": {}}
        joined = opened.client.post("/gradio_api/queue/join", json=body, headers=opened.as_(Role.OPERATOR))
        assert joined.status_code == 200
        with opened.client.stream(
            "GET", "/gradio_api/queue/data?session_hash=measuring", headers=opened.as_(Role.OPERATOR)
        ) as told:
            said = "".join(told.iter_text())
        assert "This needs the role admin" in said


def test_the_policy_is_what_was_decided(opened: House) -> None:
    assert {name: role for role, names in MAY.items() for name in names} == ENDPOINTS
    named = {fn.api_name for fn in blocks_of(opened).fns.values() if fn.api_visibility == "public"}
    assert named == set(ENDPOINTS)


def test_every_tab_has_its_role_in_the_order_of_the_bar() -> None:
    assert list(roles.TABS) == list(ui.TABS)


def test_functions_that_components_serve_ask_too(opened: House) -> None:
    served = [
        (number, function.__name__)
        for number, piece in blocks_of(opened).blocks.items()
        for function in getattr(piece, "server_fns", ())
    ]
    assert [name for _, name in served] == ["live_frame"]
    for number, name in served:
        body = {"component_id": number, "fn_name": name, "session_hash": "live", "data": {"id": ""}}
        answer = opened.client.post("/gradio_api/component_server", json=body)
        assert answer.status_code == 401
        answer = opened.client.post("/gradio_api/component_server", json=body, headers=opened.as_(Role.VIEWER))
        assert "role" not in answer.json().get("error", "")


def test_a_tab_that_a_role_may_not_see_is_not_drawn_for_it(opened: House) -> None:
    visit = next(fn for fn in blocks_of(opened).fns.values() if fn.fn is not None and fn.fn.__name__ == "visit")
    body = {
        "fn_index": visit._id, "data": values_of(visit.inputs), "session_hash": "visiting",
        "event_data": {"tab": "unknowns"},
    }  # fmt: skip
    drawn = "Keep faces"
    assert drawn not in called(opened, Role.VIEWER, body)[1]
    assert called(opened, Role.OPERATOR, body)[0] == 200


def test_many_peoples_photographs_at_once_are_for_administrators(opened: House) -> None:
    gallery = opened.recognizer.gallery
    first, second = (gallery.photos(one.id)[0].id for one in gallery.identities()[:2])
    for role, ids, allowed in (
        (Role.OPERATOR, [first, second], False), (Role.OPERATOR, ["none"], True), (Role.ADMIN, ["none"], True),
    ):  # fmt: skip
        answer = opened.client.post(
            "/gradio_api/run/remove_photographs", json={"data": [ids]}, headers=opened.as_(role)
        )
        assert (answer.status_code == 200) is allowed, answer.text
    assert gallery.photo(first) is not None


STRANGE = ["\ud800", float("nan"), 10**30, {}, None]


def test_what_an_endpoint_cannot_take_is_refused_in_a_sentence(opened: House) -> None:
    described = opened.client.get("/gradio_api/info", headers=opened.as_(Role.ADMIN)).json()["named_endpoints"]
    number = 0
    for path, endpoint in described.items():
        parameters = endpoint["parameters"]
        if any(one["component"] == "File" for one in parameters):
            continue
        for place in range(len(parameters)):
            for value in STRANGE:
                data = [one.get("parameter_default", "none") for one in parameters]
                data[place] = value
                headers = {**opened.as_(Role.ADMIN), "content-type": "application/json"}
                answer = opened.client.post(
                    f"/gradio_api/run{path}", content=json.dumps({"data": data}), headers=headers
                )
                if answer.status_code != 200:
                    said = answer.json().get("error") or ""
                    assert re.search(r"\. .+\.|gradio_api/info", said), f"{path} {place} {value!r}: {answer.text}"
                    number += 1
    assert number > 100


def test_the_log_can_be_asked_for_any_time_that_can_be_written(opened: House) -> None:
    for asked in ("since=0001-01-01T00:00:00%2B23:59", "until=9999-12-31", "since=yesterday"):
        answer = opened.client.get(f"/audit/log.csv?{asked}", headers=opened.as_(Role.ADMIN))
        assert answer.status_code == 409
        assert "Write it as" in answer.text
