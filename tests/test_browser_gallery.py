"""What an operator changes in the gallery and at the threshold, in a real browser with the trivial network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Surfer, go, search, shoot, surfing
from fakes import fake_recognizer, photograph, save

from reid.recognizer import Recognizer
from reid.types import Identity
from reid.unknowns import Keeping, choose_keeping

pytestmark = pytest.mark.browser


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    for person, name in enumerate(("Ann", "Bob")):
        made.enrol(name, [made.sample(photograph([person], f"{name}-{n}.png", patch_px=100 + n)) for n in range(3)])
    yield made
    made.close()


@pytest.fixture
def surfer(recognizer: Recognizer) -> Iterator[Surfer]:
    with surfing(recognizer) as opened:
        yield opened


def _named(recognizer: Recognizer, name: str) -> Identity:
    found = recognizer.gallery.find(name)
    assert found is not None
    return found


def _undo(page, words: str) -> None:  # type: ignore[no-untyped-def]
    page.click(".bf-toast:not([hidden]) [data-act=undo]")
    page.wait_for_selector(f".bf-toast:has-text({words!r})")


def test_photographs_are_moved_split_off_and_given_back(surfer: Surfer, recognizer: Recognizer) -> None:
    ann = _named(recognizer, "Ann")
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    page.check("[data-select] >> nth=0")
    page.fill(".bf-bulk__to", "Bob")
    page.click(".bf-bulk button:has-text('Move')")
    page.wait_for_selector(".bf-toast:has-text('1 photograph moved to Bob')")
    assert _named(recognizer, "Bob").photo_count == 4
    _undo(page, "Ann has the photographs again")
    assert _named(recognizer, "Ann").photo_count == 3
    page.wait_for_selector(".bf-photos li >> nth=2")
    page.check("[data-select] >> nth=1")
    page.fill(".bf-bulk__to", "Somebody new")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-toast:has-text('moved to Somebody new')")
    assert _named(recognizer, "Somebody new").photo_count == 1
    _undo(page, "Ann has the photographs again")
    assert recognizer.gallery.find("Somebody new") is None


def test_people_are_merged_and_parted_again(surfer: Surfer, recognizer: Recognizer) -> None:
    ann, bob = _named(recognizer, "Ann"), _named(recognizer, "Bob")
    recognizer.gallery.edit(ann.id, metadata={"notes": "curator"})
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    page.click("button:has-text('Merge')")
    page.fill("#merge-name", "Nobody of that name")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-toast--error:has-text('Nobody is called')")
    page.click(".bf-phead button:has-text('Merge')")
    page.fill("#merge-name", "Bob")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-phead h1:has-text('Bob')")
    assert recognizer.gallery.identity(bob.id).photo_count == 6
    _undo(page, "Ann and Bob are two people again")
    assert recognizer.gallery.identity(ann.id).metadata == {"notes": "curator"}
    assert recognizer.gallery.identity(bob.id).photo_count == 3


def test_a_possible_duplicate_is_merged_parted_again_and_called_two_people(
    surfer: Surfer, recognizer: Recognizer
) -> None:
    recognizer.enrol("Anne", [recognizer.sample(photograph([0], "anne.png", patch_px=110))])
    odd = recognizer.sample(photograph([4], "odd.png"))
    recognizer.enrol("Bob", [odd])
    page = surfer.open("/?tab=gallery")
    page.wait_for_selector(".bf-review:has-text('1 photograph differs') [data-person]")
    shoot(page, "fake-review")
    page.click(".bf-dup:has-text('Anne') button:has-text('Merge')")
    page.wait_for_selector(".bf-toast:has-text('Anne is merged into Ann')")
    assert _named(recognizer, "Ann").photo_count == 4
    page.wait_for_selector(".bf-dup:has-text('Anne')", state="detached")
    _undo(page, "Anne and Ann are two people again")
    page.click(".bf-dup:has-text('Anne') button:has-text('Two people')")
    page.wait_for_selector(".bf-toast:has-text('are two people')")
    page.wait_for_selector(".bf-dup:has-text('Anne')", state="detached")
    page.reload()
    page.wait_for_selector(".bf-dup:has-text('Bob')")
    assert not page.is_visible(".bf-dup:has-text('Anne')"), "what was answered is not asked again"
    page.click(".bf-dup:has-text('Bob') a:has-text('Look at it')")
    page.wait_for_selector(".bf-photo--out:has-text('odd.png')")


def test_kept_faces_are_confirmed_rejected_ignored_and_erased(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 7))
    page = surfer.open()
    files = [save(tmp_path / f"{n}.jpg", [p], patch_px=100 + n) for n, p in enumerate((2, 2, 3, 3, 4, 4, 5))]
    search(page, *files)
    page.wait_for_selector(".bf-toast:has-text('7 faces without a candidate are kept for 7 days')")
    page.click(".bf-facebtn >> nth=0")
    page.fill("#bf-who", "Cem")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-toast:has-text('1 kept face looks like Cem: 1.00.')")
    page.click(".bf-toast a:has-text('Show the unknowns')")
    page.wait_for_selector(".bf-hit:has-text('Potential candidate for Cem')")
    page.click(".bf-hit button:has-text('Not this person')")
    page.wait_for_selector(".bf-toast:has-text('1 face is remembered as not Cem')")
    page.wait_for_selector(".bf-hit", state="detached")
    _undo(page, "Cem may be a candidate for these faces again")
    page.click(".bf-hit button:has-text('Add to the person')")
    page.wait_for_selector(".bf-toast:has-text('1 photograph added to Cem')")
    assert recognizer.gallery.unknowns.count() == 6, "the face that was enrolled from its photograph is hidden"
    page.click(".bf-group >> nth=0 >> button:has-text('Ignore for good')")
    page.wait_for_selector(".bf-toast:has-text('2 faces are ignored for good')")
    page.click("button:has-text('2 ignored')")
    page.check("[aria-label='Ignored for good'] [data-select] >> nth=0")
    page.click("[data-bulk] button:has-text('Take back')")
    page.wait_for_selector(".bf-toast:has-text('1 face is not ignored any more')")
    assert recognizer.gallery.unknowns.count(ignored=True) == 1
    page.click("button:has-text('Back to those kept')")
    page.check("[aria-label='Seen once'] [data-select] >> nth=0")
    page.click("[data-bulk] button:has-text('Erase')")
    page.click("#forget-dialog button:has-text('Erase for good')")
    page.wait_for_selector(".bf-toast:has-text('1 face is erased')")
    assert recognizer.gallery.unknowns.count() == 4
    page.click("#bf-unknowns-actions button:has-text('Erase all')")
    page.click("#forget-dialog button:has-text('Erase for good')")
    page.wait_for_selector(".bf-toast:has-text('5 faces are erased')")
    assert recognizer.gallery.unknowns.count() + recognizer.gallery.unknowns.count(ignored=True) == 0


def test_a_deleted_photograph_comes_back_with_undo(surfer: Surfer, recognizer: Recognizer) -> None:
    ann = _named(recognizer, "Ann")
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    for number in range(3):
        page.check(f"[data-select] >> nth={number}")
    shoot(page, "fake-person-selected")
    page.click(".bf-bulk button:has-text('Delete')")
    page.wait_for_selector(".bf-toast:has-text('3 photographs deleted')")
    assert recognizer.gallery.find("Ann") is None
    _undo(page, "Ann has the photographs again")
    assert recognizer.gallery.identity(ann.id).photo_count == 3


def test_a_record_is_saved_unless_somebody_else_was_faster(surfer: Surfer, recognizer: Recognizer) -> None:
    ann = _named(recognizer, "Ann")
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    slow = surfer.open(f"/?tab=gallery&person={ann.id}")
    page.fill("#rec-name", "Ann Sørensen")
    page.fill("#rec-notes", "curator")
    page.fill("#rec-more", "Staff no.: HM-0417\nBorn: 1986")
    page.click("button:has-text('Save')")
    page.wait_for_selector(".bf-phead h1:has-text('Ann Sørensen')")
    saved = recognizer.gallery.identity(ann.id)
    assert saved.name == "Ann Sørensen"
    assert dict(saved.metadata) == {"notes": "curator", "Staff no.": "HM-0417", "Born": "1986"}
    slow.fill("#rec-notes", "typed in another tab")
    slow.click("button:has-text('Save')")
    slow.wait_for_selector("#bf-person .bf-note--warn:has-text('Somebody else saved this record meanwhile')")
    assert "curator" in slow.inner_text("#bf-person .bf-note--warn dl")
    assert slow.input_value("#rec-notes") == "typed in another tab"
    assert slow.input_value("#rec-name") == "Ann Sørensen", "what was not touched is theirs"
    assert recognizer.gallery.identity(ann.id).metadata["notes"] == "curator"
    slow.click("button:has-text('Save')")
    slow.wait_for_selector(".bf-toast:has-text('Saved')")
    assert dict(recognizer.gallery.identity(ann.id).metadata) == {
        "notes": "typed in another tab", "Staff no.": "HM-0417", "Born": "1986",
    }  # fmt: skip


def test_another_cover_is_chosen(surfer: Surfer, recognizer: Recognizer) -> None:
    ann = _named(recognizer, "Ann")
    other = next(photo.id for photo in recognizer.gallery.photos(ann.id) if photo.id != ann.cover_photo_id)
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    page.check(f"[data-select='{other}']")
    page.click(".bf-bulk button:has-text('Make cover')")
    page.wait_for_selector(".bf-toast:has-text('is the cover now')")
    assert recognizer.gallery.identity(ann.id).cover_photo_id == other


def test_a_person_who_was_erased_meanwhile_is_no_end(surfer: Surfer, recognizer: Recognizer) -> None:
    ann = _named(recognizer, "Ann")
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    recognizer.gallery.remove(ann.id)
    page.click("button:has-text('Save')")
    page.wait_for_selector(".bf-toast--error:has-text('not in the gallery any more')")
    page.click(".bf-crumb a")
    page.wait_for_selector(".bf-person:has-text('Bob')")
    assert page.locator(".bf-person").all_inner_texts() == [page.inner_text(".bf-person:has-text('Bob')")]


def test_names_are_searched_and_pages_are_turned(surfer: Surfer, recognizer: Recognizer) -> None:
    sample = recognizer.sample(photograph([3]))
    recognizer.enrol_many({f"Person {number:03d}": [sample] for number in range(60)})
    page = surfer.open("/?tab=gallery")
    page.wait_for_selector(".bf-pager:has-text('1 to 24 of 62')")
    page.click(".bf-pager button:has-text('Next')")
    page.wait_for_selector(".bf-pager:has-text('25 to 48 of 62')")
    page.fill("[data-page]", "3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-pager:has-text('49 to 62 of 62')")
    page.fill("#bf-query textarea, #bf-query input", "son 05")
    page.wait_for_selector(".bf-pager:has-text('11 people')")
    page.fill("#bf-query textarea, #bf-query input", "nobody of that name")
    page.wait_for_selector(".bf-empty:has-text('Nobody is called')")
    assert page.locator(".bf-person").count() == 0


def test_strangers_calibrate_the_threshold_and_the_line_is_moved(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
) -> None:
    page = surfer.open("/?tab=threshold")
    page.wait_for_selector(".bf-note:has-text('This gallery is not calibrated.')")
    strangers = [
        save(tmp_path / f"{number}.jpg", [3], doubts=[0.3 + number / 1000], patch_px=90 + number % 30)
        for number in range(120)
    ]
    page.set_input_files("#stranger-files input[type=file]", [str(file) for file in strangers])
    page.wait_for_selector(".bf-toast:has-text('Calibrated with 120 photographs')", timeout=60_000)
    measured = recognizer.threshold
    assert measured.calibrated
    assert measured.searches == 120
    page.wait_for_selector(".bf-target:has-text('1 in 300')")
    assert page.is_disabled(".bf-target:has-text('1 in 300') input")
    shoot(page, "fake-threshold")
    page.focus("[data-threshold] >> visible=true")
    before = page.get_attribute("[data-threshold] >> visible=true", "aria-valuenow")
    page.keyboard.press("PageUp")
    page.wait_for_function(
        "before => [...document.querySelectorAll('#bf-threshold-head dd')][0].innerText !== before",
        arg=f"{float(before or 0):.2f}",
    )
    assert recognizer.threshold == measured
    page.click("#bf-targets button:has-text('everywhere')")
    page.wait_for_selector(".bf-toast:has-text('Every search from now on is decided with it.')")
    assert recognizer.threshold.value > measured.value
    assert "by hand" in recognizer.threshold.origin
    _undo(page, "again")
    assert recognizer.threshold == measured
    go(page, "probe")
    search(page, save(tmp_path / "known.jpg", [0]))
    page.wait_for_selector(".bf-odds:has-text('of 120 searches of strangers')")
