"""Any bytes at all become a picture or one sentence: nothing else is ever raised."""

from __future__ import annotations

import re

import pictures
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reid.errors import ImageDecodeError
from reid.images import read_photograph

EVERYTHING = [
    *pictures.of_every_kind().values(),
    *pictures.many_frames().values(),
    *pictures.huge_headers(60_000).values(),
]
FUZZ = hypothesis_settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def is_read_or_refused_in_words(data: bytes) -> bool:
    try:
        pixels = read_photograph(data).pixels
    except ImageDecodeError as error:
        return re.fullmatch(r"The photograph cannot be read\. .+\. .+\.", str(error)) is not None
    return pixels.ndim == 3 and pixels.shape[2] == 3


@FUZZ
@given(st.binary(max_size=2000))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    assert is_read_or_refused_in_words(data)


@FUZZ
@given(st.sampled_from(EVERYTHING), st.integers(1, 64), st.binary(max_size=500))
def test_a_true_beginning_with_a_random_rest_raises_nothing_else(file: bytes, kept: int, rest: bytes) -> None:
    assert is_read_or_refused_in_words(file[:kept] + rest)


@FUZZ
@given(st.sampled_from(EVERYTHING), st.floats(0, 1))
def test_a_file_cut_anywhere_raises_nothing_else(file: bytes, share: float) -> None:
    assert is_read_or_refused_in_words(file[: int(share * len(file))])


@FUZZ
@given(st.sampled_from(EVERYTHING), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_file_with_wrong_bytes_raises_nothing_else(file: bytes, changes: list[tuple[float, int]]) -> None:
    changed = bytearray(file)
    for where, value in changes:
        changed[min(int(where * len(file)), len(file) - 1)] = value
    assert is_read_or_refused_in_words(bytes(changed))


@FUZZ
@given(
    st.sampled_from(EVERYTHING), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_a_file_with_a_wrong_header_raises_nothing_else(file: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(file)
    for where, value in changes:
        changed[min(where, len(file) - 1)] = value
    assert is_read_or_refused_in_words(bytes(changed))
