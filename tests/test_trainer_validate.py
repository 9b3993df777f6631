"""What training is chosen by: the gain on people it was shown, and nothing lost on strangers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trainer_tiny as tiny

from reid.types import STRANGER
from trainer.splits import split_of
from trainer.validate import Validation, Validator


def _validation(kept: list[bool]) -> Validation:
    return Validation(0.01, 1.0, 0.9, 0.5, tuple(kept))


@pytest.mark.parametrize(
    ("lost", "won", "forgets"), [(6, 0, True), (2, 0, False), (3, 0, True), (6, 5, False), (0, 0, False)]
)
def test_forgetting_is_losing_more_pairs_than_chance_explains(lost: int, won: int, forgets: bool) -> None:
    before = _validation([True] * 150 + [False] * 10)
    after = _validation([False] * lost + [True] * (150 - lost) + [True] * won + [False] * (10 - won))
    assert after.forgets(before) is forgets
    assert before.strangers == 150 / 160


def test_without_enough_pairs_of_strangers_nothing_is_said_of_forgetting() -> None:
    few = _validation([])
    assert few.strangers is None
    assert not few.forgets(few)


def _validator(folder: Path, *, flat: bool = False) -> Validator:
    strangers = tiny.faces(folder, 40, 3, first=50, label=STRANGER)
    if flat:
        strangers = [replace(face, image_path=f"all/{face.image_path.replace('/', '-')}") for face in strangers]
    split = split_of(tiny.faces(folder, 5, 8), strangers=strangers)
    return Validator(split, tiny.SIDE_PX, "per_image", torch.device("cpu"))


def test_pairs_of_one_stranger_are_compared_with_pairs_of_two(tmp_path: Path) -> None:
    found = _validator(tmp_path).score(tiny.tiny_module(tiny.weights(tmp_path)))
    assert len(found.kept) == 40 * 3
    assert found.strangers is not None
    assert found.strangers > 0.1, "the colours of one person are nearer to each other than a thousandth of the others"
    assert np.isfinite(found.score)


def test_photographs_of_strangers_in_one_folder_are_not_taken_for_one_person(tmp_path: Path) -> None:
    assert _validator(tmp_path, flat=True).score(tiny.tiny_module(tiny.weights(tmp_path))).strangers is None


def test_the_share_that_gains_most_is_refused_where_it_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([(0.5, 0), (0.6, 1), (0.7, 6), (0.8, 40)])

    def score(_self: Validator, _module: torch.nn.Module) -> Validation:
        clean, lost = next(scores, (0.5, 0))
        return Validation(0.01, 1.0, clean, clean, (False,) * lost + (True,) * (120 - lost))

    recipe = replace(tiny.RECIPE, epochs=1, alphas=(0.0, 0.3, 0.6, 1.0), validate_every=5)
    epoch = iter([True])

    def first_the_epoch(self: Validator, module: torch.nn.Module, **_: object) -> Validation:
        return Validation(0.01, 1.0, 0.5, 0.5) if next(epoch, False) else score(self, module)

    monkeypatch.setattr(Validator, "score", first_the_epoch)
    trained = tiny.run(tmp_path, recipe=recipe)
    assert trained.alpha == 0.3
    assert trained.by_alpha[1.0] == 0.8
