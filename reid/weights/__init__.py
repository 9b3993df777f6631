"""Where weights come from and where they lie: asked for by name, brought when missing, checked, never run as code.

Knows no network, no picture and no gallery.
"""

from __future__ import annotations

from pathlib import Path

from reid.errors import WeightsError
from reid.weights.bundle import export_bundle, import_bundle
from reid.weights.choice import named
from reid.weights.inventory import Entry, check, inventory
from reid.weights.pretrained import ensure_pretrained, fetch_demo
from reid.weights.sources import SOURCES
from reid.weights.store import WeightsFile, read_weights, write_run

__all__ = ["SOURCES", "Entry", "WeightsFile", "check", "ensure", "export_bundle", "fetch_demo", "import_bundle",
           "inventory", "write_run"]  # fmt: skip


def ensure(source: str, models_dir: Path, *, progress: bool = True, force: bool = False) -> WeightsFile:
    """Weights by name, downloaded and converted when they are not there.

    Args:
        source: a name of `SOURCES`, a run's folder (or its name below `models_dir`), `hub:owner/name[@revision]`, or
            `auto`: the best run that is there, the pretrained weights without one.
        models_dir: where weights are kept.
        progress: bars on stderr while something is downloaded.
        force: bring it again even if it is there.

    Raises:
        WeightsError: no such source, or missing and unreachable, damaged, another file than expected.
    """
    source = named(source, models_dir)
    if source in SOURCES:
        return ensure_pretrained(SOURCES[source], models_dir, progress=progress, force=force)
    if source.startswith("hub:"):
        from reid.weights.hub import ensure_hub  # huggingface_hub, not before it is needed

        return ensure_hub(source, models_dir, progress=progress, force=force)
    for folder in (Path(source).expanduser(), models_dir / source):
        if folder.is_dir():
            return read_weights(folder, source)
    names = ", ".join(SOURCES)
    raise WeightsError(
        f"There are no weights called {source!r}. Name one of {names}, a run's folder, or hub:owner/name of the Hub."
    )
