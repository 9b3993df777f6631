"""A network of three layers and people made of coloured noise: a whole training run takes a second.

`run(folder)` trains; started as a program it does the same in a process of its own, so that it can be killed or
joined by others.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

import trainer.logs
import trainer.train
from reid.types import STRANGER
from reid.weights.store import WeightsFile
from trainer.data import FoundFace
from trainer.job import Job, Teacher, Trained
from trainer.recipes import OPEN_SET, Recipe, Stage
from trainer.splits import Split, split_of
from trainer.train import Trainer
from trainer.world import joined

SIDE_PX = 32
RECIPE = replace(
    OPEN_SET,
    epochs=3,
    batch=8,
    lr_backbone=1e-3,
    lr_head=1e-2,
    patience=0,
    stages=(Stage(0.0, ("*",)),),
    l2sp=1e-3,
    before=None,
)


class TinyNet(nn.Module):
    """Has what the trainer knows of Inception-ResNet V1: last_linear, last_bn, dropout, classify, logits."""

    def __init__(self, dim: int = 8) -> None:
        super().__init__()
        self.conv2d_1a = nn.Conv2d(3, 12, 5, stride=4, bias=False)
        self.conv2d_1b = nn.BatchNorm2d(12)
        self.dropout = nn.Dropout(0.5)
        self.last_linear = nn.Linear(12 * 9, dim, bias=False)
        self.last_bn = nn.BatchNorm1d(dim)
        self.classify = False
        self.logits: nn.Module = nn.Identity()

    def forward(self, pixels: Tensor) -> Tensor:
        seen = torch.relu(self.conv2d_1b(self.conv2d_1a(pixels)))
        pooled = nn.functional.adaptive_avg_pool2d(seen, 3).flatten(1)
        features = self.last_bn(self.last_linear(self.dropout(pooled)))
        return self.logits(features) if self.classify else nn.functional.normalize(features, dim=1)


def tiny_module(_: WeightsFile) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return TinyNet()


def weights(folder: Path) -> WeightsFile:
    config = {
        "architecture": "inception_resnet_v1", "embedding_dim": 8, "crop_px": SIDE_PX, "standardisation": "per_image",
        "licence": "MIT", "training_data": "noise",
    }  # fmt: skip
    return WeightsFile(folder / "base" / "model.safetensors", "0" * 64, config, "tiny")


def faces(folder: Path, people: int, each: int, *, first: int = 0, label: str | None = "person_{}") -> list[FoundFace]:
    """Crops on disk, as the store would have cut them: every person has colours, every photograph noise."""
    found = []
    for person in range(first, first + people):
        rng = np.random.default_rng(person)
        base = cv2.resize(rng.uniform(30, 225, (4, 4, 3)).astype(np.float32), (SIDE_PX, SIDE_PX))
        for number in range(each):
            pixels = np.clip(base + rng.normal(0, 25, base.shape), 0, 255).astype(np.uint8)
            sha256 = hashlib.sha256(pixels.tobytes()).hexdigest()
            path = folder / "crops" / sha256[:2] / f"{sha256}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                cv2.imwrite(str(path), pixels)
            name = label.format(person) if label else None
            found.append(
                FoundFace(f"p{person}/{number}.png", name, sha256, "ok", "", 1, 110, 45, 0.9, ((SIDE_PX, path),))
            )
    return found


def split(folder: Path) -> Split:
    return split_of(
        faces(folder, 5, 8),
        unlabelled=faces(folder, 4, 2, first=30, label=None),
        strangers=faces(folder, 40, 3, first=50, label=STRANGER),
    )


def run(
    folder: Path,
    *,
    recipe: Recipe = RECIPE,
    resume: bool = False,
    seed: int = 0,
    name: str = "run",
    teacher: Teacher = "self",
) -> Trained:
    trainer.train.load_module = tiny_module
    job = Job(recipe, weights(folder), folder / name, folder, seed, teacher=teacher)
    with joined(torch.device("cpu")) as world:
        return Trainer(job, split(folder), torch.device("cpu"), world).run(resume=resume)


def digest(state: dict[str, Tensor]) -> str:
    """Of every number of a network."""
    joint = hashlib.sha256()
    for name in sorted(state):
        joint.update(name.encode() + state[name].detach().cpu().contiguous().numpy().tobytes())
    return joint.hexdigest()


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    trainer.logs.write_events = lambda *_: None  # importing TensorBoard takes longer than training here
    folder, out, epochs, resume = arguments
    trained = run(
        Path(folder), recipe=replace(RECIPE, epochs=int(epochs), alphas=(1.0,)), resume=resume == "resume", name="child"
    )
    if trained.state:  # rank 0
        torch.save(dict(trained.state), out)
        Path(out).with_suffix(".json").write_text(json.dumps({"digest": digest(dict(trained.state))}))


if __name__ == "__main__":
    main(sys.argv[1:])
