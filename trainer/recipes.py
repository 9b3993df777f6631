"""The two ways to train as frozen records: `reference` to the letter, and `open-set`, ours.

Knows numbers only, no code that runs them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Augmentation = Literal["reference", "surveillance"]


@dataclass(frozen=True, slots=True)
class Stage:
    """From which share of the epochs on a part of the backbone learns.

    Attributes:
        start: share of all epochs in [0, 1).
        parts: beginnings of parameter names; `*` is everything.
    """

    start: float
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every number that decides what training makes of the same photographs.

    Attributes:
        lr_backbone: at the start; falls by a cosine to `lr_min` over the epochs.
        margin_ramp: share of the epochs over which the margin grows from 0.
        imprint: start the head at the class means of the untrained network instead of at random.
        stages: when which part of the backbone learns; before the first only the head does.
        train_batchnorm: whether running statistics move. False keeps the batch-independent network of inference.
        dropout: before the last layer.
        label_loss: weight of the margin softmax on labelled photographs.
        distil_loss: weight of 1 - cos(student(augmented), frozen(clean)) on every photograph, labelled or not.
        own_template: share of the person's template in what a labelled photograph is pulled to: 0 is its own frozen
            embedding, 1 the mean of the person's.
        l2sp: pull toward the starting weights, times half the squared distance (arXiv 1802.01483).
        alphas: shares of the trained weights in the published mean of trained and starting ones (WiSE-FT, arXiv
            2109.01903); the best on validation is kept of those that forget no strangers. Empty: the trained weights.
        degraded: share of the photographs that the surveillance augmentation makes small, blurred and compressed.
        validate_every: epochs between validations; the last one always is.
        patience: epochs without a better validation after which training ends; 0 for never.
        grad_clip: largest norm of the gradient; 0 for none.
        before: what is trained first, on the same photographs; this one starts from what that keeps.
    """

    name: str
    epochs: int
    batch: int
    lr_backbone: float
    lr_head: float
    lr_min: float
    weight_decay: float
    scale: float
    margin_rad: float
    augmentation: Augmentation
    stages: tuple[Stage, ...]
    margin_ramp: float = 0.0
    imprint: bool = False
    train_batchnorm: bool = True
    dropout: float = 0.6
    label_loss: float = 1.0
    distil_loss: float = 0.0
    own_template: float = 0.0
    l2sp: float = 0.0
    alphas: tuple[float, ...] = ()
    degraded: float = 0.0
    validate_every: int = 1
    patience: int = 0
    grad_clip: float = 0.0
    sub_centres: int = 1
    adaface: bool = False
    before: Recipe | None = None

    @property
    def in_order(self) -> tuple[Recipe, ...]:
        """What is trained one after the other, this one last."""
        return (*self.before.in_order, self) if self.before else (self,)


REFERENCE = Recipe(
    name="reference",
    epochs=20,
    batch=32,
    lr_backbone=5e-5,
    lr_head=1e-3,
    lr_min=1e-6,
    weight_decay=1e-4,
    scale=30.0,
    margin_rad=0.5,
    augmentation="reference",
    stages=(Stage(0.0, ("*",)),),
    validate_every=4,
)
"""The published recipe of the reference: everything learns from the first step, the head starts at random."""

PEOPLE = Recipe(
    name="people",
    epochs=6,
    batch=32,
    lr_backbone=5e-5,
    lr_head=1e-3,
    lr_min=1e-6,
    weight_decay=0.0,
    scale=30.0,
    margin_rad=0.5,
    augmentation="surveillance",
    degraded=0.0,
    stages=(Stage(0.0, ("repeat", "mixed", "block8", "last_")),),
    margin_ramp=0.33,
    imprint=True,
    train_batchnorm=False,
    dropout=0.0,
    alphas=(0.0, 0.5, 1.0),
    validate_every=6,
    grad_clip=5.0,
)
"""The first half of ours: ArcFace on photographs as they are moves people away from strangers and forgets nobody."""

OPEN_SET = replace(
    PEOPLE,
    name="open-set",
    epochs=5,
    batch=16,
    lr_backbone=1e-4,
    distil_loss=10.0,
    own_template=0.5,
    alphas=(0.0, 0.25, 0.5, 0.75, 1.0),
    degraded=0.65,
    validate_every=2,
    before=PEOPLE,
)
"""Ours: made for people whom nobody trained on, and for faces as a camera sees them."""

RECIPES = {recipe.name: recipe for recipe in (OPEN_SET, REFERENCE)}
