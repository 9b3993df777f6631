"""Labels of Gradio's own components, which the browser translates: one record for the page, filled from the "
"catalogues.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from reid.ui.text import LANGUAGES, catalogue

LABELS = (
    "Probe", "Verify", "Gallery", "Enrol", "Threshold", "Audit", "Cancel", "Candidates per face", "Search a name",
    "Sort", "Name", "Newest", "Most photographs", "As it should appear",
    "Unknowns", "Keep faces that found no candidate", "Erase after", "1 day", "7 days", "14 days", "30 days", "90 days",
    "365 days",
    "One person", "Many people", "What to enrol", "Consent basis", "For people without one", "Expires",
    "YYYY-MM-DD, for people without one", "Of several faces", "The largest face", "The most central face",
    "Leave out photographs that are poor", "Import", "Check first",
    "Notes", "YYYY-MM-DD",
)  # fmt: skip

I18N = gr.I18n(**{language: {one: catalogue(language).get(one, one) for one in LABELS} for language in LANGUAGES})
"""Given to the page when it is mounted."""


def label(sentence: str) -> Any:
    """A label in whichever language the browser speaks; must be one of `LABELS`."""
    assert sentence in LABELS
    return I18N(sentence)
