"""Each role's own work through Gradio's client with an API key, threads and queue included: all of it is named."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import served
from fakes import save
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from people_of_roles import House, house

from reid.actor import Role
from reid.audit.reading import rows_of


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("work"), started=False) as made:
        yield made


@pytest.fixture(scope="module")
def clients(opened: House) -> Iterator[dict[Role, Client]]:
    with served(opened.app) as url:
        made = {role: Client(url, headers={"x-api-key": key}, verbose=False) for role, key in opened.keys.items()}
        yield made
        for client in made.values():
            client.close()


def test_each_role_does_its_work_and_the_log_names_it(
    clients: dict[Role, Client], opened: House, tmp_path: Path
) -> None:
    viewer, operator, admin = (clients[role] for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN))
    operator.predict(True, 14, api_name="/keep_unknowns")
    photographs = [handle_file(str(save(tmp_path / f"{n}.jpg", people))) for n, people in enumerate(([0, 3], [4]))]
    found = viewer.predict(photographs=photographs, api_name="/search")
    assert found[0]["faces"][0]["predicted"] == "Ann Sørensen"
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.write(save(tmp_path / "bob.jpg", [5]), "Bob/bob.jpg")
    done = operator.predict(archive=handle_file(str(tmp_path / "people.zip")), api_name="/import_people")
    assert done["created"] == ["Bob"]
    kept = operator.predict(api_name="/unknowns")
    assert len(kept["once"]) == 2
    assert admin.predict(api_name="/export")["people"] == 4
    for client, name, inputs in ((viewer, "/erase", ["any"]), (operator, "/export", []), (viewer, "/unknowns", [])):
        with pytest.raises(AppError, match="This needs the role"):
            client.predict(*inputs, api_name=name)
    actors = {row.action: row.actor for row in rows_of(opened.recognizer.audit) if row.actor.startswith("program")}
    assert (actors["search"], actors["import"]) == ("program of Vi", "program of Olu")
    assert not [row for row in rows_of(opened.recognizer.audit) if row.actor == "nobody"]
