"""Gradio's theme variables, each pointing at a token of `assets/tokens.css`, so light and dark come from one place."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from reid.ui import roles
from reid.ui.context import ASSETS
from reid.ui.text import catalogue

SHEETS = (
    "base", "gradio", "parts", "shell", "stage", "inspector", "compare", "gallery", "person", "enrol", "threshold",
    "unknowns", "feedback", "imported", "verify", "live", "audit", "narrow",
)  # fmt: skip
"""Style sheets in the order in which they overrule each other."""

_WORDS = {
    "nothing_pasted": "There is no picture in the clipboard.",
    "paste_refused": "The browser does not let this page read the clipboard. Press Ctrl+V instead.",
    "draw_now": "Draw a box around the face. Escape leaves it.",
    "link_copied": "The link is in the clipboard.",
    "camera_refused": "The browser does not let this page use the webcam.",
    "packing": "Packing photograph",
    "sending": "Sending it to this page's server",
    "too_large": "More than 1 GB. Import it with `byteface import` on the server, or in several parts.",
    "too_often": "That is more than one user may ask in a minute. Wait a moment and go on.",
    "upload_cut": "The upload was cut off, and nothing of it was kept. Check the connection and add the files again.",
    "not_packed": "The browser cannot read a file of it. Pack the folder into a zip and drop that.",
}
"""What the script says by itself."""


def css() -> str:
    """All style sheets. The tokens are not among them: `css=` would prefix their `:root`."""
    return "\n".join((ASSETS / "css" / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS)


def head() -> str:
    """Tokens, the script's words in every language, the script."""
    words = {
        "en": _WORDS,
        "de": {key: catalogue("de").get(sentence, sentence) for key, sentence in _WORDS.items()},
    }
    tokens = (ASSETS / "tokens.css").read_text(encoding="utf-8")
    script = (ASSETS / "js" / "shell.js").read_text(encoding="utf-8")
    choose = f"{{const w={json.dumps(words)};window.bytefaceWords=w[navigator.language.slice(0,2)]||w.en}}"
    return (
        f'<meta name="referrer" content="same-origin"><style>{tokens}\n{roles.sheet()}</style>'
        f"<script>{choose}</script><script>{script}</script>"
    )


def theme() -> Any:
    """The look of Gradio's own components."""
    base = gr.themes.Base(
        font=["-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    values = {name: _resolved(value) for name, value in _VALUES.items()}
    # Base has its own values for dark: those point at the same tokens
    dark = {f"{name}_dark": value for name, value in values.items() if hasattr(base, f"{name}_dark")}
    return base.set(**values, **dark)


def _resolved(value: str) -> str:
    return f"var(--bf-{value[1:]})" if value.startswith("$") else value


_VALUES = {
    "body_background_fill": "$bg",
    "body_text_color": "$ink",
    "body_text_color_subdued": "$ink-3",
    "body_text_size": "14px",
    "background_fill_primary": "$surface",
    "background_fill_secondary": "$well",
    "border_color_primary": "$line",
    "border_color_accent": "$accent-line",
    "color_accent": "$accent",
    "color_accent_soft": "$accent-wash",
    "link_text_color": "$accent-ink",
    "link_text_color_hover": "$accent-hover",
    "link_text_color_active": "$accent-ink",
    "link_text_color_visited": "$accent-ink",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_padding": "0px",
    "block_radius": "$r-3",
    "block_shadow": "none",
    "block_label_text_color": "$ink",
    "block_label_background_fill": "transparent",
    "block_label_border_width": "0px",
    "block_title_text_color": "$ink",
    "block_title_text_size": "13px",
    "block_title_text_weight": "500",
    "block_info_text_color": "$ink-3",
    "block_info_text_size": "12px",
    "panel_background_fill": "transparent",
    "panel_border_width": "0px",
    "form_gap_width": "0px",
    "layout_gap": "16px",
    "container_radius": "$r-3",
    "input_background_fill": "$surface",
    "input_background_fill_focus": "$surface",
    "input_border_color": "$control",
    "input_border_color_focus": "$accent",
    "input_border_width": "1px",
    "input_radius": "$r-2",
    "input_padding": "6px 10px",
    "input_placeholder_color": "$ink-3",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_text_size": "14px",
    "button_border_width": "1px",
    "button_large_padding": "0 12px",
    "button_large_radius": "$r-2",
    "button_large_text_size": "13px",
    "button_large_text_weight": "500",
    "button_small_padding": "0 10px",
    "button_small_radius": "$r-2",
    "button_small_text_size": "13px",
    "button_small_text_weight": "500",
    "button_transition": "background var(--bf-fast), border-color var(--bf-fast)",
    "button_primary_background_fill": "$accent",
    "button_primary_background_fill_hover": "$accent-hover",
    "button_primary_border_color": "$accent",
    "button_primary_text_color": "$on-accent",
    "button_secondary_background_fill": "$surface",
    "button_secondary_background_fill_hover": "$hover",
    "button_secondary_border_color": "$line-strong",
    "button_secondary_text_color": "$ink",
    "button_cancel_background_fill": "$danger-solid",
    "button_cancel_background_fill_hover": "$danger-hover",
    "button_cancel_border_color": "$danger-solid",
    "button_cancel_text_color": "$on-danger",
    "checkbox_background_color": "$surface",
    "checkbox_background_color_selected": "$accent",
    "checkbox_border_color": "$control",
    "checkbox_border_color_selected": "$accent",
    "checkbox_border_radius": "4px",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_selected": "$surface",
    "checkbox_label_border_width": "0px",
    "checkbox_label_text_color_selected": "$ink",
    "checkbox_label_padding": "0 12px",
    "checkbox_label_shadow": "none",
    "slider_color": "$accent",
    "loader_color": "$accent",
    "stat_background_fill": "$accent",
    "table_border_color": "$line",
    "error_background_fill": "$danger-wash",
    "error_text_color": "$danger",
    "error_border_color": "$danger-line",
}
