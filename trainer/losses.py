"""What a step is punished for: naming the wrong person, and leaving the embedding of the clean photograph.

Every loss is this process's share of the whole step's mean, so that the processes' sum is the loss. Knows tensors only.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.arcface import ArcFaceHead


def label_loss(head: ArcFaceHead, features: Tensor, labels: Tensor, labelled_in_step: int) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the margin logits, and the share of photographs named rightly without the margin.

    Args:
        features: (B, D) before normalisation.
        labels: (B,) class numbers, -1 for a photograph of nobody known.
        labelled_in_step: how many of the whole step have one.
    """
    own = labels >= 0
    if not bool(own.any()):
        nothing = features.sum() * 0
        return nothing, nothing.detach()
    logits = head(features[own], labels[own])
    loss = F.cross_entropy(logits, labels[own], reduction="sum") / labelled_in_step
    with torch.no_grad():
        named = head.cosines(features[own]).argmax(1)
    return loss, (named == labels[own]).sum() / labelled_in_step


def same_embedding_loss(features: Tensor, wanted: Tensor, in_step: int) -> Tensor:
    """Mean of 1 - cos(student(augmented), frozen(clean)): (B, D) features before normalisation, (B, D) unit rows."""
    return (1 - F.cosine_similarity(features, wanted, dim=1)).sum() / in_step


def same_similarities_loss(features: Tensor, wanted: Tensor, in_step: int) -> Tensor:
    """Mean squared difference of the batch's similarities, for a teacher whose axes are not the student's.

    Args:
        features: (B, D) before normalisation.
        wanted: (B, T) unit rows of the teacher.

    Source: similarity-preserving distillation, arXiv 1907.09682, without its row normalisation.
    """
    unit = F.normalize(features, dim=1)
    return (unit @ unit.T - wanted @ wanted.T).square().mean() * (len(features) / in_step)
