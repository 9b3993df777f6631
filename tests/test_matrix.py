"""The exact nearest templates, against a sort of everything; also of thousands, with ties, in batches."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from reid.gallery.matrix import Templates, cosines, nearest


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 5, 64, 65, 500, 5000, 5001])
@pytest.mark.parametrize("k", [1, 5, 77])
def test_the_nearest_are_those_of_a_sort_of_everything(count: int, k: int) -> None:
    rng = np.random.default_rng(count)
    rows = unit(rng.normal(size=(count, 8)))
    rows[count // 2 :: 7] = rows[0]  # many equal ones, spread over the blocks
    probes = unit(np.concatenate([rng.normal(size=(3, 8)), rows[:1].astype(float)]))
    templates = Templates([f"{n * 7919 % 10007:05}" for n in range(count)], rows)
    for probe, found in zip(probes, nearest(probes, templates, k), strict=True):
        similarities = cosines(rows, probe)
        order = sorted(range(count), key=lambda n: (-similarities[n], templates.ids[n]))[:k]
        assert found == [(n, float(similarities[n])) for n in order]
