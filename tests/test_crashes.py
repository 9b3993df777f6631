"""kill -9 at random moments of every kind of change: the gallery opens, is sound, and holds whole steps only.

BYTEFACE_KILLS says how often each kind is killed: a sample here, hundreds with `make soak`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from multiprocessing import forkserver
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from crash_steps import STEPS, Step

KILLS = int(os.environ.get("BYTEFACE_KILLS", "3"))


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Starts children in milliseconds: one process imports everything and forks, and has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["test_crashes"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # it is not told where this module lies
        forkserver.ensure_running()
    return context


def _begin(name: str, folder: str, begun: Event) -> None:
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - a child that is killed says nothing worth reading
    begun.set()
    STEPS[name].work(Path(folder))


@pytest.mark.timeout(60 + 20 * KILLS)
@pytest.mark.parametrize("name", STEPS)
def test_killed_at_any_moment_the_gallery_holds_whole_steps(
    name: str, processes: multiprocessing.context.ForkServerContext, tmp_path: Path
) -> None:
    step, chance = STEPS[name], random.Random(name)
    for number in range(KILLS):
        (folder := tmp_path / str(number)).mkdir()
        step.prepare(folder)
        begun = processes.Event()
        child = processes.Process(target=_begin, args=(name, str(folder), begun))
        child.start()
        assert begun.wait(60)
        time.sleep(chance.uniform(0, step.longest_s))
        child.kill()
        child.join()
        assert child.exitcode in {-signal.SIGKILL, 0}, "it was killed, or had done everything; it did not fail"
        child.close()
        _check(step, folder)


def _check(step: Step, folder: Path) -> None:
    gallery = folder / "people.db"
    if gallery.exists() and gallery.stat().st_size:
        with closing(sqlite3.connect(gallery)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    step.check(folder)
