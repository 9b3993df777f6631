"""Tensors -> the bytes of a .safetensors file, the same for the same tensors with every version of every library.

The digest of a network's file is part of an embedding space's id, so two machines that convert the same download must
write the same bytes. Reading is the library's business.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def serialise(state_dict: Mapping[str, torch.Tensor]) -> bytes:
    """The file's content: header length, JSON header padded to 8 bytes, the data; widest types first, then by name.

    Source: the format's description in the safetensors repository.

    Raises:
        KeyError: a tensor of another type than float64, float32, float16, bfloat16, int64 or uint8.
    """
    import torch

    codes = {torch.float64: "F64", torch.int64: "I64", torch.float32: "F32", torch.float16: "F16",
             torch.bfloat16: "BF16", torch.uint8: "U8"}  # fmt: skip
    tensors = {name: value.detach().cpu().contiguous() for name, value in state_dict.items()}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    blocks: list[bytes] = []
    start = 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].element_size(), codes[tensors[name].dtype], name)):
        tensor = tensors[name]
        block = np.asarray(tensor.reshape(-1).view(torch.uint8).numpy()).tobytes()
        span = [start, start + len(block)]
        header[name] = {"dtype": codes[tensor.dtype], "shape": list(tensor.shape), "data_offsets": span}
        blocks.append(block)
        start += len(block)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *blocks])
