"""What a benchmark measured, kept as JSON for `plots.py`: figures, machine, date and command."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def keep(name: str, figures: Any) -> None:
    """Writes `results/NAME.json`, in the place of an earlier one.

    Args:
        figures: whatever JSON holds; `plots.py` knows the shape of each.
    """
    FOLDER.mkdir(exist_ok=True)
    command = shlex.join([f"benchmarks/{Path(sys.argv[0]).name}", *(_bare(word) for word in sys.argv[1:])])
    about = {
        "command": f"python {command}",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
    text = json.dumps(about | {"figures": figures}, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read(name: str) -> dict[str, Any] | None:
    """What was kept, or None."""
    path = FOLDER / f"{name}.json"
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def processor() -> str:
    """What kind it is, as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
        names = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return f"{names['model name']} (family {names['cpu family']}, model {names['model']})"
    except (OSError, KeyError):
        return platform.processor()


def _bare(word: str) -> str:
    """An argument without where it lies on this machine."""
    return Path(word).name if "/" in word else word
