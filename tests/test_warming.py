"""The first search's work is done while the page is built: nobody is searched for, nothing is on record."""

from fakes import fake_recognizer, photograph

from reid.actor import NOBODY
from reid.audit import log_path
from reid.errors import GalleryError
from reid.warming import warm, warming


def test_networks_and_templates_are_ready_before_anybody_asks(tmp_path):
    recognizer = fake_recognizer(tmp_path)
    recognizer.enrol("Ann", [recognizer.sample(photograph([1]))])
    recorded = log_path(recognizer.gallery.url).read_bytes()
    calls = recognizer.describer.detector.calls
    with warming(recognizer):
        pass
    assert recognizer.describer.detector.calls == calls + 1
    assert log_path(recognizer.gallery.url).read_bytes() == recorded
    warm(recognizer)
    recognizer.close()


def test_it_is_done_too_where_nobody_may_search_unnamed(tmp_path, monkeypatch, caplog):
    recognizer = fake_recognizer(tmp_path)
    monkeypatch.setattr("reid.actor._otherwise", NOBODY)
    with warming(recognizer):
        pass
    assert not caplog.records
    recognizer.close()


def test_a_gallery_that_cannot_be_read_is_the_first_searchs_to_tell(tmp_path, monkeypatch, caplog):
    recognizer = fake_recognizer(tmp_path)

    def damaged(*_):
        raise GalleryError("The gallery is damaged. Restore it.")

    monkeypatch.setattr(recognizer, "detect", damaged)
    with warming(recognizer):
        pass
    assert "The gallery is damaged" in caplog.text
    recognizer.close()
