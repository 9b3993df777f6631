"""Batches of augmented faces, made in threads ahead of the step, and how long the step waited for them.

Every view is drawn from its own stream (seed, epoch, photograph): threads, processes and a resumed run see the same
pictures. Knows no network.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.types import RGB
from trainer.augment import Surveillance, clean_view, reference_view, surveillance_view
from trainer.recipes import Recipe

_AHEAD = 4  # batches made before they are needed: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's work.

    Attributes:
        views: (B, side, side, 3) augmented crops of this process.
        indices: (B,) which photographs they are of.
        step: (S,) the photographs of the whole step, over all processes.
        number: of the batch within its epoch.
    """

    views: NDArray[np.uint8]
    indices: NDArray[np.int64]
    step: NDArray[np.int64]
    number: int


class Batches:
    """The photographs of a run, a new order and new views every epoch.

    Attributes:
        waited_s: how long the consumer of the last epoch stood still for want of a batch.
    """

    def __init__(
        self,
        read: Callable[[int], RGB],
        count: int,
        recipe: Recipe,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
    ) -> None:
        """Names the source.

        Args:
            read: the aligned crop of photograph i.
            rank: of this process among `world`: it makes every `world`-th view of each batch.
            workers: threads; 0 for as many as the machine has processors, at most 8.
        """
        self.read, self.count, self.recipe = read, count, recipe
        self.seed, self.rank, self.world = seed, rank, world
        self.workers = workers or min(8, os.cpu_count() or 1)
        self.waited_s = 0.0

    def __len__(self) -> int:
        return len(self._plan(0))

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """All photographs once, in an order that depends on seed and epoch alone."""
        self.waited_s = 0.0
        cv2.setNumThreads(1)  # a pool of our own is at work: OpenCV's would fight the network for the processors
        with ThreadPoolExecutor(self.workers, thread_name_prefix="views") as pool:
            ahead: deque[tuple[int, NDArray[np.int64], NDArray[np.int64], list[Future[RGB]]]] = deque()
            try:
                for number, indices in enumerate(self._plan(epoch)):
                    own = indices[self.rank :: self.world]
                    futures = [pool.submit(self.view, int(index), epoch) for index in own]
                    ahead.append((number, own, indices, futures))
                    if len(ahead) > _AHEAD:
                        yield self._ready(*ahead.popleft())
                while ahead:
                    yield self._ready(*ahead.popleft())
            finally:
                for _, _, _, futures in ahead:
                    for future in futures:
                        future.cancel()

    def view(self, index: int, epoch: int) -> RGB:
        """The picture that training sees of photograph `index` in this epoch."""
        rng = np.random.default_rng([self.seed, epoch, index])
        crop = self.read(index)
        if self.recipe.augmentation == "reference":
            return reference_view(crop, rng)
        if rng.random() < self.recipe.degraded:
            return surveillance_view(crop, rng, Surveillance())
        return clean_view(crop, rng)

    def _plan(self, epoch: int) -> list[NDArray[np.int64]]:
        order = np.random.default_rng([self.seed, epoch]).permutation(self.count)
        batches: Sequence[NDArray[np.int64]] = [
            order[at : at + self.recipe.batch] for at in range(0, self.count, self.recipe.batch)
        ]
        # one photograph alone has no batch statistics, and a process must not be left without any
        return [batch for batch in batches if len(batch) > self.world or len(batches) == 1]

    def _ready(self, number: int, own: NDArray[np.int64], step: NDArray[np.int64], futures: list[Future[RGB]]) -> Batch:
        start = time.perf_counter()
        views = np.stack([future.result() for future in futures])
        self.waited_s += time.perf_counter() - start
        return Batch(views, own, step, number)
