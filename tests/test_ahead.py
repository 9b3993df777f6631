"""Working ahead: in order, within bounds, and stopping when nobody listens any more."""

import threading
import time

import pytest

from reid.ahead import map_ahead


def test_results_come_in_the_order_of_the_items():
    def slow_first(n):
        time.sleep(0.05 if n == 0 else 0)
        return n * n

    assert list(map_ahead(slow_first, range(20), threads=4, ahead=8)) == [n * n for n in range(20)]


def test_no_more_is_taken_than_may_wait():
    taken = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    stream = map_ahead(lambda n: n, items(), threads=2, ahead=5)
    assert next(stream) == 0
    assert len(taken) <= 6
    stream.close()


def test_leaving_early_leaves_the_rest_undone():
    release, done = threading.Event(), []

    def work(n):
        release.wait(5) if n else None
        done.append(n)
        return n

    stream = map_ahead(work, range(50), threads=2, ahead=20)
    assert next(stream) == 0
    release.set()
    stream.close()
    assert len(done) < 50


def test_an_error_comes_at_its_items_turn():
    stream = map_ahead(lambda n: 1 // n, [2, 1, 0, 1], threads=2, ahead=4)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(stream)
