"""The page's named endpoints, called as a client would."""

from __future__ import annotations

import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import application, served
from fakes import fake_recognizer, photograph, save
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from reid.recognizer import Recognizer
from reid.types import STRANGER


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    made.enrol("Ann", [made.sample(photograph([0], "ann.png"))])
    yield made
    made.close()


@pytest.fixture
def client(recognizer: Recognizer) -> Iterator[Client]:
    with served(application(recognizer)) as url:
        opened = Client(url, verbose=False)
        yield opened
        opened.close()


def test_every_action_has_a_name_of_its_own_and_the_page_keeps_its_events_to_itself(client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {
        "/search", "/enrol", "/verify", "/verify_person", "/people", "/person", "/rename", "/merge", "/erase",
        "/threshold",
        "/unknowns", "/keep_unknowns", "/enrol_unknowns", "/reject_unknowns", "/ignore_unknowns", "/erase_unknowns",
        "/duplicates", "/two_people", "/outliers", "/same_person",
        "/audit_log", "/audit_verify", "/ending", "/renew_person", "/retention",
        "/import_people", "/restore", "/export", "/remove_photographs", "/galleries",
        "/new_gallery",
    }  # fmt: skip


def test_a_person_is_enrolled_found_renamed_and_erased(client: Client, tmp_path: Path) -> None:
    done = client.predict("Bob", [handle_file(str(save(tmp_path / "bob.jpg", [1])))], api_name="/enrol")
    assert done["created"]
    found = client.predict([handle_file(str(save(tmp_path / "both.jpg", [1, 3])))], None, 5, api_name="/search")
    assert [face["predicted"] for face in found[0]["faces"]] == ["Bob", STRANGER]
    assert client.predict(done["id"], "Robert", api_name="/rename")["name"] == "Robert"
    assert client.predict("rob", api_name="/people")["total"] == 1
    assert client.predict(done["id"], api_name="/erase") == {"people": 1, "photographs": 1}
    with pytest.raises(AppError, match="not in the gallery any more"):
        client.predict(done["id"], api_name="/person")


def test_two_photographs_are_verified(client: Client, tmp_path: Path) -> None:
    one, same, other = (
        handle_file(str(save(tmp_path / f"{n}.jpg", [p], patch_px=100 + n))) for n, p in enumerate((2, 2, 4))
    )
    assert client.predict(one, same, api_name="/verify")["potentially_one_person"] is True
    assert client.predict(one, other, api_name="/verify")["potentially_one_person"] is False


def test_the_meant_face_of_a_group_is_verified_and_a_face_that_is_not_there_is_refused(
    client: Client, tmp_path: Path
) -> None:
    group, one = (handle_file(str(save(tmp_path / f"{n}.jpg", people))) for n, people in enumerate(([3, 2], [2])))
    assert client.predict(group, one, api_name="/verify")["decision"] == "No candidate"
    second = client.predict(group, one, 2, 1, api_name="/verify")
    assert second["decision"] == "Potential candidate"
    assert (second["first"]["face"], second["first"]["faces"]) == (2, 2)
    with pytest.raises(AppError, match="no face 3, only 2"):
        client.predict(group, one, 3, 1, api_name="/verify")


def test_a_photograph_is_verified_against_everything_of_a_person(
    client: Client, recognizer: Recognizer, tmp_path: Path
) -> None:
    ann = recognizer.gallery.find("Ann")
    assert ann is not None
    found = client.predict(handle_file(str(save(tmp_path / "a.jpg", [0]))), ann.id, api_name="/verify_person")
    assert found["decision"] == "Potential candidate"
    assert [photo["source"] for photo in found["photos"]] == ["ann.png"]


def test_a_batch_goes_on_after_a_broken_photograph(client: Client, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    files = [handle_file(str(broken)), handle_file(str(save(tmp_path / "ann.jpg", [0])))]
    first, second = client.predict(files, None, 5, api_name="/search")
    assert first["status"] == "unreadable"
    assert "broken.jpg cannot be read" in first["reason"]
    assert second["faces"][0]["predicted"] == "Ann"


def test_strangers_are_kept_enrolled_ignored_and_erased(client: Client, tmp_path: Path) -> None:
    assert client.predict(api_name="/unknowns")["keeping"] is False
    assert client.predict(True, 14, api_name="/keep_unknowns") == {"keeping": True, "days": 14}
    files = [handle_file(str(save(tmp_path / f"{n}.jpg", [p], patch_px=100 + n))) for n, p in enumerate((2, 2, 3, 4))]
    client.predict(files, None, 5, api_name="/search")
    kept = client.predict(api_name="/unknowns")
    assert ([len(group) for group in kept["groups"]], len(kept["once"])) == ([2], 2)
    done = client.predict([face["id"] for face in kept["groups"][0]], "Cem", api_name="/enrol_unknowns")
    assert (done["name"], done["created"], done["added"]) == ("Cem", True, 2)
    one, other = (face["id"] for face in kept["once"])
    assert client.predict([one], api_name="/ignore_unknowns") == {"faces": 1}
    assert client.predict([other, "nobody's"], api_name="/erase_unknowns") == {"faces": 1}
    left = client.predict(api_name="/unknowns")
    assert (left["groups"], left["once"], [face["id"] for face in left["ignored"]]) == ([], [], [one])
    with pytest.raises(AppError, match="not kept any more"):
        client.predict([other], "Dan", api_name="/enrol_unknowns")


def test_duplicates_are_listed_until_somebody_says_that_they_are_two(client: Client, recognizer: Recognizer) -> None:
    recognizer.enrol("Anne", [recognizer.sample(photograph([0], "anne.png", patch_px=120))])
    found = client.predict(api_name="/duplicates")
    assert found["total"] == 1
    (pair,) = found["pairs"]
    assert {pair["first"]["name"], pair["second"]["name"]} == {"Ann", "Anne"}
    ids = pair["first"]["id"], pair["second"]["id"]
    assert client.predict(*ids, api_name="/two_people") == {"pairs": 1}
    assert client.predict(api_name="/duplicates")["total"] == 0
    assert client.predict(api_name="/outliers") == {"total": 0, "photographs": []}


def test_an_outlier_is_listed_until_somebody_says_that_it_is_the_same_person(
    client: Client, recognizer: Recognizer
) -> None:
    faces = [photograph([4], f"{side}.png", patch_px=side) for side in (100, 110)] + [photograph([5], "odd.png")]
    eve = recognizer.enrol("Eve", [recognizer.sample(one) for one in faces])
    (odd,) = client.predict(api_name="/outliers")["photographs"]
    assert (odd["name"], odd["photo_id"]) == ("Eve", eve.photo_ids[2])
    assert client.predict(odd["photo_id"], api_name="/same_person") == {"photo_id": odd["photo_id"], "same": True}
    assert client.predict(api_name="/outliers")["total"] == 0
    client.predict(odd["photo_id"], False, api_name="/same_person")
    assert client.predict(api_name="/outliers")["total"] == 1
    recognizer.gallery.remove(eve.identity.id)


def test_people_are_imported_exported_and_restored(client: Client, recognizer: Recognizer, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.write(save(tmp_path / "bob.jpg", [1]), "Bob/bob.jpg")
        archive.write(save(tmp_path / "ann.jpg", [0], patch_px=120), "Anna/ann.jpg")
        archive.writestr("Bob/broken.jpg", "no photograph")
    file = handle_file(str(tmp_path / "people.zip"))
    tried = client.predict(file, "largest", False, True, api_name="/import_people")
    assert (tried["counts"], recognizer.gallery.count()) == ({"ready": 2, "unreadable": 1}, 1)
    done = client.predict(file, api_name="/import_people")
    assert (done["people"], done["created"]) == (2, ["Anna", "Bob"])
    assert [(one["name"], one["other"]) for one in done["resembles"]] == [("Anna", "Ann")]
    said = client.predict(api_name="/export")
    assert (said["people"], said["photographs"]) == (3, 3)
    backup = tmp_path / "people.byteface"
    backup.write_bytes(urllib.request.urlopen(f"{client.src}{said['backup']}").read())
    assert client.predict(done["photo_ids"], api_name="/remove_photographs") == {"people": 2, "photographs": 2}
    client.predict(recognizer.gallery.find("Ann").id, "Anne", api_name="/rename")
    back = client.predict(handle_file(str(backup)), api_name="/restore")
    assert (back["people"], back["forgotten"]) == (1, 2), "whoever went with their last photograph stays away"
    assert {one.name for one in recognizer.gallery.identities()} == {"Ann"}
    (tmp_path / "alone.csv").write_text("image_path,name\nbob.jpg,Bob\n")
    with pytest.raises(AppError, match="A CSV alone brings no photographs"):
        client.predict(handle_file(str(tmp_path / "alone.csv")), api_name="/import_people")
    with pytest.raises(AppError, match="not restored"):
        client.predict(handle_file(str(tmp_path / "alone.csv")), api_name="/restore")


def test_the_time_of_people_and_the_log_are_asked_for_by_programs_too(client: Client, recognizer: Recognizer) -> None:
    ann = recognizer.gallery.find("Ann")
    assert ann is not None
    client.predict([handle_file(str(save_probe(recognizer)))], None, 5, "case 7", api_name="/search")
    assert client.predict(30, True, api_name="/retention") == {"days": 30, "given": 1}
    assert [one["id"] for one in client.predict(60, api_name="/ending")] == [ann.id]
    assert client.predict(ann.id, "2120-01-01", api_name="/renew_person")["expires"] == "2120-01-01"
    found = client.predict("", "search", "", "", ann.id, api_name="/audit_log")
    assert (found["total"], found["rows"][0]["purpose"], found["rows"][0]["subjects"]) == (1, "case 7", [ann.id])
    whole = client.predict("", api_name="/audit_verify")
    assert (whole["whole"], whole["first_bad"]) == (True, None)


def save_probe(recognizer: Recognizer) -> Path:
    """A photograph of Ann beside the gallery."""
    return save(recognizer.audit.path.with_name("probe.jpg"), [0])
