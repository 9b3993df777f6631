"""The loop: faces and a recipe in, a run folder out. Resumable, repeatable, on one process or several.

Knows the head, the network and the recipe; not where photographs come from and not what is published.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from reid.errors import TrainingError
from reid.networks.base import Network
from reid.networks.facenet import load_module, read_standardisation
from reid.weights.store import WeightsFile
from trainer import checkpoint, logs
from trainer.arcface import AdaFace, ArcFaceHead
from trainer.batches import Batch, Batches
from trainer.embeddings import EmbeddingCache
from trainer.job import Job, Trained, refuse_other
from trainer.losses import label_loss, same_embedding_loss, same_similarities_loss
from trainer.model import between, margin_at, pull_to_start, set_mode, student_of, widened
from trainer.splits import Split
from trainer.validate import Frozen, Validation, Validator, to_input
from trainer.world import World

log = logging.getLogger(__name__)

DEFAULT_ALPHA = 0.75  # where nothing can be validated and the recipe interpolates


class Trainer:
    """One run in progress."""

    def __init__(self, job: Job, split: Split, device: torch.device, world: World) -> None:
        """Loads the start, computes the teacher's embeddings and imprints the head."""
        self.job, self.split, self.device, self.world = job, split, device, world
        self.recipe = job.recipe
        self.standardisation = read_standardisation(job.weights)
        self.side_px = int(job.weights.config["crop_px"])
        self.faces = [*split.train, *split.unlabelled] if self._uses_unlabelled else list(split.train)
        numbers = {label: number for number, label in enumerate(split.labels)}
        self.labels = torch.tensor([numbers.get(str(face.label), -1) for face in split.train], device=device)
        self.labels = F.pad(self.labels, (0, len(self.faces) - len(self.labels)), value=-1)
        torch.manual_seed(job.seed)
        module = self._start(job.weights)
        self.student = student_of(module, self.recipe.dropout).to(device).to(memory_format=torch.channels_last)
        self.start = self._copy()
        self.dim = self.start["last_bn.weight"].shape[0]
        self.head = ArcFaceHead(
            self.dim, len(split.labels), scale=self.recipe.scale, margin_rad=self.recipe.margin_rad,
            sub_centres=self.recipe.sub_centres, adaface=AdaFace() if self.recipe.adaface else None,
        ).to(device)  # fmt: skip
        self.teacher = self._teach()
        self.validator = Validator(split, self.side_px, self.standardisation, device) if world.speaks else None
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(self.student.parameters()), "lr": self.recipe.lr_backbone},
                {"params": list(self.head.parameters()), "lr": self.recipe.lr_head},
            ],
            weight_decay=self.recipe.weight_decay,
        )
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0

    @property
    def _uses_unlabelled(self) -> bool:
        return self.recipe.distil_loss > 0 and self.job.teacher != "none"

    def run(self, *, resume: bool) -> Trained:
        """Trains to the end.

        Raises:
            TrainingError: the loss is no longer a number, or the run to resume was another one.
            WeightsError: the disk is full; the last checkpoint is still whole.
        """
        if resume:
            self._resume()
        elif self.world.speaks:
            checkpoint.forget_checkpoints(self.job.run)
        batches = Batches(
            lambda index: self.faces[index].read_crop(self.side_px), len(self.faces), self.recipe, seed=self.job.seed,
            rank=self.world.rank, world=self.world.size, workers=self.job.workers,
        )  # fmt: skip
        while self.epoch < self.recipe.epochs and not self._patience_is_over():
            row = self._train_epoch(batches)
            self.epoch += 1
            self._validate(row)
            self.history.append(row)
            if self.world.speaks:
                self._keep()
            self.world.wait()
        return self._finish()

    def _start(self, weights: WeightsFile) -> nn.Module:
        module = load_module(weights).eval()
        dim = self.job.embedding_dim
        if dim is None or dim == weights.config["embedding_dim"]:
            return module
        some = [face.read_crop(self.side_px) for face in self.split.train[:256]]
        inputs = [
            to_input(np.stack(some[at : at + 32]), self.standardisation, torch.device("cpu"))
            for at in range(0, len(some), 32)
        ]
        return widened(module, dim, inputs, self.job.seed)

    def _teach(self) -> Tensor | None:
        """(N, D) what each photograph's embedding is pulled to; imprints the head on the way."""
        needed = self.faces if self._uses_unlabelled else list(self.split.train)
        if not (self._uses_unlabelled or self.recipe.imprint):
            return None
        cache = EmbeddingCache(self.job.models_dir / "cache" / "embeddings")
        own = torch.from_numpy(cache.of_network(self._frozen(), needed, "teacher")).to(self.device)
        labelled = len(self.split.train)
        sums = torch.zeros(len(self.split.labels), self.dim, device=self.device)
        templates = F.normalize(sums.index_add_(0, self.labels[:labelled], own[:labelled]), dim=1)
        if self.recipe.imprint:
            self.head.imprint(templates)
        if not self._uses_unlabelled:
            return None
        if self.job.teacher == "sface":
            return self._teach_sface()
        own[:labelled].lerp_(templates[self.labels[:labelled]], self.recipe.own_template)
        return F.normalize(own, dim=1)

    def _frozen(self) -> Network:
        """The student before it has learnt anything; what it says of a photograph is kept for the next run."""
        made_of = [self.job.weights.sha256]
        if self.dim != self.job.weights.config["embedding_dim"]:  # then it was made of photographs too
            made_of += [str(self.job.seed), self.job.fingerprint(self.split)["faces"]]
        return Frozen(
            self.student, self.standardisation, self.device, dim=self.dim, crop_px=self.side_px,
            made_of=" ".join(made_of),
        )  # fmt: skip

    def _teach_sface(self) -> Tensor:
        from reid.networks import load_network

        network = load_network("sface", weights="sface", models_dir=self.job.models_dir)
        crops = np.stack([face.read_crop(network.crop_px) for face in self.faces])
        return torch.from_numpy(network.embed(crops)).to(self.device)

    def _train_epoch(self, batches: Batches) -> dict[str, Any]:
        set_mode(self.student, self.recipe, self.epoch, self.recipe.epochs)
        self.head.train()
        self._set_rates()
        sums = torch.zeros(4)  # loss, label loss, distillation loss, right before the margin
        seen, started = 0, time.perf_counter()
        bar = tqdm(
            batches.epoch(self.epoch), total=len(batches), unit="batch", disable=not self.world.speaks,
            desc=f"epoch {self.epoch + 1}/{self.recipe.epochs}", leave=False,
        )  # fmt: skip
        for batch in bar:
            self.head.margin_rad = margin_at(
                self.recipe, (self.epoch + batch.number / len(batches)) / self.recipe.epochs
            )
            sums += self._step(batch)
            seen += len(batch.step)
            bar.set_postfix(loss=f"{sums[0] / (batch.number + 1):.3f}", refresh=False)
        seconds = time.perf_counter() - started
        self._share_statistics()
        loss, label, distil, right = (sums / len(batches)).tolist()
        return {
            "epoch": self.epoch + 1,
            "loss": loss,
            "label_loss": label,
            "distil_loss": distil,
            "train_rank1": right,
            "margin_rad": self.head.margin_rad,
            "lr_backbone": self.optimiser.param_groups[0]["lr"],
            "seconds": round(seconds, 2),
            "faces_per_s": round(seen / seconds, 1),
            "waiting_share": round(batches.waited_s / seconds, 4),
        }

    def _step(self, batch: Batch) -> Tensor:
        """One step; its losses as this step's share of the epoch's sums, over all processes."""
        torch.manual_seed(
            self.job.seed * 1_000_003 + self.epoch * 10_007 + batch.number * self.world.size + self.world.rank
        )
        inputs = to_input(batch.views, self.standardisation, self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.student(inputs)
        features = features.float()
        indices = torch.from_numpy(batch.indices).to(self.device)
        labelled_in_step = int((self.labels[torch.from_numpy(batch.step).to(self.device)] >= 0).sum())
        label, right = label_loss(self.head, features, self.labels[indices], labelled_in_step)
        distil = torch.zeros((), device=self.device)
        if self.teacher is not None:
            compare = same_embedding_loss if self.job.teacher == "self" else same_similarities_loss
            distil = compare(features, self.teacher[indices], len(batch.step))
        loss = self.recipe.label_loss * label + self.recipe.distil_loss * distil
        parts = self.world.sum(torch.stack([loss, label, distil, right]).detach().cpu())
        if not torch.isfinite(parts).all():
            raise TrainingError(
                f"The loss of batch {batch.number + 1} of epoch {self.epoch + 1} is {float(parts[0])}. The digests of "
                f"its photographs begin with {', '.join(self.faces[i].sha256[:12] for i in batch.step[:4])}, ... "
                "Lower --lr-backbone and resume."
            )
        self.optimiser.zero_grad(set_to_none=True)
        if loss.requires_grad:  # not while only the head learns and nobody in the batch has a label
            torch.autograd.backward(loss)
        self._apply()
        return parts

    def _apply(self) -> None:
        backbone = list(self.student.named_parameters())
        self.world.sum_gradients([*self.student.parameters(), *self.head.parameters()])
        if self.recipe.l2sp:
            pull_to_start(((parameter, self.start[name]) for name, parameter in backbone), self.recipe.l2sp)
        if self.recipe.grad_clip:
            nn.utils.clip_grad_norm_(self.student.parameters(), self.recipe.grad_clip)
        self.optimiser.step()

    def _set_rates(self) -> None:
        """A cosine from the starting rate to the smallest, a step an epoch, as CosineAnnealingLR has it."""
        share = (1 + math.cos(math.pi * self.epoch / self.recipe.epochs)) / 2
        rates = (self.recipe.lr_backbone, self.recipe.lr_head)
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["lr"] = self.recipe.lr_min + (rate - self.recipe.lr_min) * share

    def _share_statistics(self) -> None:
        """Running statistics are each process's own: their mean is everybody's."""
        for buffer in (*self.student.buffers(), *self.head.buffers()):
            if buffer.is_floating_point() and self.world.size > 1:
                buffer.copy_(self.world.sum(buffer.clone()) / self.world.size)

    def _validate(self, row: dict[str, Any]) -> None:
        """Scores the epoch that `row` is of, and keeps its weights where none was better."""
        last = self.epoch == self.recipe.epochs
        if self.validator is None or not (last or self.epoch % self.recipe.validate_every == 0):
            return
        if not self.validator.possible:
            self.best, self.best_epoch = self._copy(), self.epoch
            return
        found = self.validator.score(self.student)
        scores = [_score(earlier) for earlier in self.history if earlier.get("clean") is not None]
        row.update(found.as_json())
        if not scores or _score(row) >= max(scores):
            self.best, self.best_epoch = self._copy(), self.epoch

    def _copy(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.student.state_dict().items()}

    def _patience_is_over(self) -> bool:
        over = bool(self.recipe.patience and self.epoch - self.best_epoch >= self.recipe.patience)
        return bool(self.world.sum(torch.tensor([float(over and self.world.speaks)]))[0] > 0)

    def _keep(self) -> None:
        tensors = {f"student.{name}": value for name, value in self.student.state_dict().items()}
        tensors |= {f"head.{name}": value for name, value in self.head.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        tensors |= checkpoint.optimiser_tensors(self.optimiser, {id(p): name for name, p in self._named().items()})
        state = {
            "job": self.job.fingerprint(self.split),
            "history": self.history,
            "best_epoch": self.best_epoch,
        }
        checkpoint.save_checkpoint(self.job.run, checkpoint.Checkpoint(self.epoch, tensors, state))
        logs.write_logs(self.job.run, self.history)
        logs.write_events(self.job.run, self.history[-1])

    def _resume(self) -> None:
        found = checkpoint.load_checkpoint(self.job.run)
        if found is None:
            log.info("nothing to resume; starting from the beginning")
            return
        refuse_other(self.job.run, self.job.fingerprint(self.split), found.state["job"])
        self.student.load_state_dict(_part(found.tensors, "student."))
        self.head.load_state_dict(_part(found.tensors, "head."))
        self.best = {name: value.to(self.device) for name, value in _part(found.tensors, "best.").items()}
        checkpoint.restore_optimiser(self.optimiser, self._named(), found.tensors)
        self.epoch, self.history = found.epoch, list(found.state["history"])
        self.best_epoch = int(found.state["best_epoch"])

    def _named(self) -> dict[str, nn.Parameter]:
        named = {f"student.{name}": parameter for name, parameter in self.student.named_parameters()}
        return named | {f"head.{name}": parameter for name, parameter in self.head.named_parameters()}

    def _finish(self) -> Trained:
        """Chooses alpha on the validation photographs: what forgets strangers is not worth what it gains."""
        if self.validator is None:
            return Trained({}, self.dim, 1.0, self.best_epoch, self.history, None, None, {})
        if not self.validator.possible:
            alpha = DEFAULT_ALPHA if self.recipe.alphas else 1.0
            state = between(self.start, self.best, alpha)
            return Trained(state, self.dim, alpha, self.best_epoch, self.history, None, None, {})
        untrained = self._untrained()
        found: dict[float, Validation] = {}
        for alpha in tqdm(
            sorted({0.0, *(self.recipe.alphas or (1.0,))}), desc="choosing alpha", unit="alpha", leave=False
        ):
            self.student.load_state_dict(between(self.start, self.best, alpha))
            found[alpha] = self.validator.score(self.student, mirrored=True)
        untrained = untrained or found[0.0]
        candidates = self.recipe.alphas or (1.0,)
        if self.recipe.alphas:
            candidates = tuple(one for one in candidates if not found[one].forgets(untrained)) or (min(candidates),)
        alpha = max(candidates, key=lambda one: (found[one].score, -one))
        state = between(self.start, self.best, alpha)
        by_alpha = {one: validation.score for one, validation in found.items()}
        return Trained(state, self.dim, alpha, self.best_epoch, self.history, untrained, found[alpha], by_alpha)

    def _untrained(self) -> Validation | None:
        """What the weights that nothing was learnt by are worth; None where this recipe starts from them."""
        if not (self.job.origin and self.validator):
            return None
        module = student_of(self._start(self.job.origin), self.recipe.dropout)
        module = module.to(self.device).to(memory_format=torch.channels_last)
        return self.validator.score(module, mirrored=True)


def _score(row: Mapping[str, Any]) -> float:
    return float(row["clean"] + row["degraded"]) / 2


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
