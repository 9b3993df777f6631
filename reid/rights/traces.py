"""What training keeps of photographs: crops and embeddings in its cache, by the photographs' SHA-256. Removes them.

The layout is the trainer's; a test of both holds that it is the same. A finished run holds a network and no row of
anybody; a run that was stopped holds the head's rows in its checkpoint, which belong to no name: finish or delete it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reid.weights.files import storage_errors, write_together


@dataclass(frozen=True, slots=True)
class Traces:
    """The cache below a folder of models."""

    models_dir: Path

    def forget(self, digests: Sequence[str]) -> int:
        """Removes crops and embeddings of photographs.

        Args:
            digests: hex SHA-256 of their bytes; empty ones mean photographs of which none was written down.

        Returns:
            how many files went or were written anew.

        Raises:
            WeightsError: the disk is full or read-only.
        """
        wanted = {digest for digest in digests if len(digest) == 64}
        if not wanted:
            return 0
        with storage_errors(self.models_dir):
            return self._crops(wanted) + self._embeddings(wanted)

    def _crops(self, wanted: set[str]) -> int:
        gone = 0
        for store in (self.models_dir / "cache" / "faces").glob("*"):
            for digest in wanted:
                for file in (store / digest[:2]).glob(f"{digest}*"):
                    file.unlink(missing_ok=True)
                    gone += 1
        return gone

    def _embeddings(self, wanted: set[str]) -> int:
        changed = 0
        for path in (self.models_dir / "cache" / "embeddings").glob("*.npz"):
            with np.load(path, allow_pickle=False) as file:
                keys, rows = file["keys"], file["rows"]
            kept = np.array([key.rpartition(":")[2] not in wanted for key in keys.tolist()], bool)
            if kept.all():
                continue
            changed += 1
            if not kept.any():
                path.unlink()
                continue
            buffer = io.BytesIO()
            np.savez(buffer, keys=keys[kept], rows=rows[kept])
            write_together(path.parent, {path.name: buffer.getvalue()})
        return changed
