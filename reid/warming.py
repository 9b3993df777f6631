"""What the first search would wait for, done while the page is built. Knows the parts of a recognizer, no page."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

import numpy as np

from reid import zero_gpu
from reid.actor import SYSTEM, working_as
from reid.errors import ReidError
from reid.recognizer import Recognizer
from reid.types import Photograph

log = logging.getLogger(__name__)

_FRAME = (480, 640, 3)


@contextlib.contextmanager
def warming(recognizer: Recognizer) -> Iterator[None]:
    """Within it the recognizer gets ready beside whatever else is done; at its end that has ended too."""

    def work() -> None:
        try:
            with working_as(SYSTEM):  # with accounts nobody is named yet, and nobody may compare
                warm(recognizer)
        except ReidError as error:  # the first search meets it again, and says so to whoever searches
            log.warning("not ready for the first search: %s", error)

    beside = threading.Thread(target=work, name="warming")
    beside.start()
    try:
        yield
    finally:
        beside.join()


def warm(recognizer: Recognizer) -> None:
    """Lays the networks out and reads the templates; nobody is searched for, so nothing is on record."""
    recognizer.detect(Photograph(np.zeros(_FRAME, np.uint8), "", ""))
    space = recognizer.space
    if not zero_gpu.is_here():  # there a GPU would be asked for, for nothing
        space.embed([tuple(np.zeros((network.crop_px, network.crop_px, 3), np.uint8) for network in space.networks)])
    probe = np.zeros((1, space.dim), np.float32)
    probe[0, 0] = 1
    recognizer.shelf.current().search(probe, 1)
