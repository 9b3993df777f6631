"""The processes that train together: which one this is, and the sum of their gradients.

Started by `torchrun` or `accelerate launch`, which say who is who in the environment; alone it is a world of one.
Every process makes its share of each batch, so that the result does not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

_PROCESSOR = torch.device("cpu")
_PATIENCE = timedelta(hours=12)  # the others wait while the first finds faces and validates


@dataclass(frozen=True, slots=True)
class World:
    """One process of several.

    Attributes:
        rank: 0 writes files and speaks.
        device: that this process computes on.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = _PROCESSOR

    @property
    def speaks(self) -> bool:
        return self.rank == 0

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replaces every gradient by its sum over the processes, in one message."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        at = 0
        for gradient in gradients:
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a small tensor over the processes."""
        if self.size == 1:
            return values
        moved = values.to(self.device)  # between CUDA devices only their own tensors travel
        dist.all_reduce(moved)
        return moved.to(values.device)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """The world that the launcher has described, alone without one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device=device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield World(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()
