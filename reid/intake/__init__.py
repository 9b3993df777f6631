"""Many people at once: a folder, a zip or a CSV read safely, and its photographs enrolled in batches."""

from __future__ import annotations

from reid.intake.importing import Import, Line, Resemblance, Status
from reid.intake.sources import Item, Source, open_source, open_upload

__all__ = ["Import", "Item", "Line", "Resemblance", "Source", "Status", "open_source", "open_upload"]
