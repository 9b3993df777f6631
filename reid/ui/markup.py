"""Small pieces of HTML that every component uses: icons, glyphs, pictures, the scale.

All text goes through `Markup.format`, which escapes; components hand finished HTML to `gr.HTML` as its value, never as
a template, because Gradio evaluates `${}` in templates, even in text that `{{ }}` put there.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from reid.ui.text import decimal, t

_ICONS = {
    "light": "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9"
    "M3.2 12.8l.9-.9M11.9 4.1l.9-.9",
    "plus": "M8 3v10M3 8h10",
    "minus": "M3 8h10",
    "left": "M10 3.5L5.5 8l4.5 4.5",
    "right": "M6 3.5l4.5 4.5L6 12.5",
    "down": "M3.5 6l4.5 4.5L12.5 6",
    "info": "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.5v3.5M8 5v.2",
    "compare": "M8 1.5v13M2 3.5h4v9H2ZM10 3.5h4v9h-4Z",
    "search": "M7 12.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM11 11l3.5 3.5",
    "person": "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.5 14c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5",
    "enrol": "M6.5 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM1.5 14c.4-3 2.4-4.5 5-4.5 1.4 0 2.7.4 3.6 1.3M12.5 9.5v5M10 12h5",
    "clock": "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.5",
    "draw": "M2 5V3a1 1 0 0 1 1-1h2M11 2h2a1 1 0 0 1 1 1v2M14 11v2a1 1 0 0 1-1 1h-2M5 14H3a1 1 0 0 1-1-1v-2"
    "M8 5.5v5M5.5 8h5",
    "close": "M3.5 3.5l9 9M12.5 3.5l-9 9",
    "curtain": "M2 3h12v10H2ZM8 1.5v13M10.5 6l2 2-2 2M5.5 6l-2 2 2 2",
    "overlay": "M8 2l6 3-6 3-6-3ZM2.5 8.2L8 11l5.5-2.8M2.5 11L8 13.8 13.5 11",
    "blink": "M8 3v2M8 11v2M3 8h2M11 8h2M4.5 4.5l1.3 1.3M10.2 10.2l1.3 1.3M4.5 11.5l1.3-1.3M10.2 5.8l1.3-1.3",
    "check": "M3 8.5l3.3 3.3L13 4.5",
    "folder": "M1.8 12.5v-9h4l1.5 2h7v7Z",
    "undo": "M5.5 3L2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6",
    "upload": "M2.5 10.5v2a1.5 1.5 0 0 0 1.5 1.5h8a1.5 1.5 0 0 0 1.5-1.5v-2M5 5l3-3 3 3M8 2v8",
    "download": "M2.5 10.5v2a1.5 1.5 0 0 0 1.5 1.5h8a1.5 1.5 0 0 0 1.5-1.5v-2M5 7l3 3 3-3M8 2v8",
    "paste": "M5.5 3H4a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V4a1 1 0 0 0-1-1h-1.5M6 1.8h4v2.5H6Z",
    "camera": "M2 5.5A1.5 1.5 0 0 1 3.5 4h1.3L6 2.5h4L11.2 4h1.3A1.5 1.5 0 0 1 14 5.5v6a1.5 1.5 0 0 1-1.5 1.5h-9"
    "A1.5 1.5 0 0 1 2 11.5ZM8 10.8a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8Z",
    "live": "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM4.6 4.6a4.8 4.8 0 0 0 0 6.8M11.4 4.6a4.8 4.8 0 0 1 0 6.8"
    "M2.5 2.5a7.8 7.8 0 0 0 0 11M13.5 2.5a7.8 7.8 0 0 1 0 11",
    "stop": "M4 4h8v8H4Z",
    "image": "M2 3h12v10H2ZM2.5 11.5L6 8l2.5 2.5L10.5 8.5l3 3M10.8 6.2a.9.9 0 1 0 0-1.8.9.9 0 0 0 0 1.8Z",
    "merge": "M4 2v3.5a4 4 0 0 0 4 4M12 2v3.5a4 4 0 0 1-4 4V14M5.5 11.5L8 14l2.5-2.5",
    "trash": "M2.5 4h11M6 4V2.5h4V4M4 4l.6 9.5h6.8L12 4M6.6 7v4M9.4 7v4",
    "move": "M2 8h11M9.5 4.5L13 8l-3.5 3.5",
    "edit": "M10.5 2.8l2.7 2.7L5.5 13.2 2.5 13.5l.3-3Z",
    "link": "M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5L7.5 13a3 3 0 0 1-4.3-4.3L4.7 7.2",
    "star": "M8 2l1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5Z",
}
"""Paths on a 16 x 16 grid, drawn as lines in the text's colour."""

_GLYPHS = {
    "candidate": '<path d="M6 .8 11.2 6 6 11.2.8 6Z" fill="currentColor"/>',
    "stranger": '<circle cx="6" cy="6" r="4.3" fill="none" stroke="currentColor" stroke-width="1.8"/>',
    "unsearched": '<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="1.5" '
    'stroke-dasharray="1.8 1.7"/><path d="M3.2 6h5.6" stroke="currentColor" stroke-width="1.7"/>',
    "warn": '<path d="M6 .9 11.5 10.7H.5Z" fill="currentColor"/>'
    '<path d="M6 4.2v3M6 8.5v.8" stroke="var(--bf-surface)" stroke-width="1.5"/>',
    "danger": '<path d="M3.7.5h4.6l3.2 3.2v4.6l-3.2 3.2H3.7L.5 8.3V3.7Z" fill="currentColor"/>'
    '<path d="M6 3v3.6M6 8.2v1" stroke="var(--bf-surface)" stroke-width="1.6"/>',
}
"""A decision is never told by colour alone: diamond, circle, barred circle, triangle, octagon."""


def join(pieces: Iterable[Markup]) -> Markup:
    """Pieces one after another."""
    return Markup("").join(pieces)


def icon(name: str) -> Markup:
    """A line drawing in the text's colour, for a button or beside a sentence."""
    return Markup('<svg class="bf-i" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>').format(_ICONS[name])


def glyph(kind: str) -> Markup:
    """The shape of a decision."""
    return Markup('<svg class="bf-g" viewBox="0 0 12 12" aria-hidden="true">{}</svg>').format(Markup(_GLYPHS[kind]))


def decision(kind: str, words: str, *, wrap: bool = False) -> Markup:
    """Shape and words of a decision or a warning."""
    return Markup('<span class="bf-dec bf-dec--{kind}{wrap}">{glyph}<span>{words}</span></span>').format(
        kind=kind, wrap=" bf-dec--wrap" if wrap else "", glyph=glyph(kind), words=words
    )


def picture(source: str, alternative: str, size: str = "fill", *, extra: str = "") -> Markup:
    """A square photograph of a face; `size` is fill or a side in pixels that the style sheet knows."""
    return Markup(
        '<span class="bf-ph bf-ph--{size}"{extra}><img src="{source}" alt="{alternative}" draggable="false"></span>'
    ).format(size=size, source=source, alternative=alternative, extra=Markup(extra))


def _percent(similarity: float) -> str:
    return f"{min(max(similarity, 0.0), 1.0) * 100:.1f}%"


def scale(similarity: float, threshold: float) -> Markup:
    """A similarity as a marker on a line with the threshold: never a filled bar, which would read as a percentage."""
    return Markup(
        '<div class="bf-scale{below}" style="--t:{t};--s:{s}" role="img" aria-label="{label}">'
        '<span class="bf-scale__ml">{similarity}</span><span class="bf-scale__track"></span>'
        '<span class="bf-scale__t"></span><span class="bf-scale__m"></span>'
        '<span class="bf-scale__end bf-scale__end--0">0</span><span class="bf-scale__tl">{words}</span>'
        '<span class="bf-scale__end bf-scale__end--1">1</span></div>'
    ).format(
        below="" if similarity >= threshold else " bf-scale--below",
        t=_percent(threshold),
        s=_percent(similarity),
        similarity=decimal(similarity),
        words=t("threshold {value}", value=decimal(threshold)),
        label=t(
            "Similarity {similarity}, threshold {threshold}, on a scale from 0 to 1",
            similarity=decimal(similarity),
            threshold=decimal(threshold),
        ),
    )


def mini_scale(similarity: float, threshold: float) -> Markup:
    """The same without numbers, for a row of a list."""
    return Markup(
        '<span class="bf-scale bf-scale--mini{below}" style="--t:{t};--s:{s}" role="img" aria-label="{label}">'
        '<span class="bf-scale__track"></span><span class="bf-scale__t"></span><span class="bf-scale__m"></span></span>'
    ).format(
        below="" if similarity >= threshold else " bf-scale--below",
        t=_percent(threshold),
        s=_percent(similarity),
        label=t(
            "Similarity {similarity}, threshold {threshold}",
            similarity=decimal(similarity),
            threshold=decimal(threshold),
        ),
    )


def button(
    words: str,
    act: str,
    *,
    icon_name: str | None = None,
    style: str = "",
    label: str = "",
    disabled: bool = False,
    **data: object,
) -> Markup:
    """A button whose press reaches Python as the event `act` with its data.

    Args:
        words: what stands on it; empty for an icon alone, which then needs a `label`.
        style: `primary`, `quiet`, `danger`, `sm`, `icon`, several apart by spaces.
    """
    classes = "".join(f" bf-btn--{one}" for one in style.split())
    attributes = Markup("").join(
        Markup(' data-{}="{}"').format(name.replace("_", "-"), value) for name, value in data.items()
    )
    return Markup(
        '<button type="button" class="bf-btn{classes}" data-act="{act}"{data}{label}{off}>{icon}{words}</button>'
    ).format(
        classes=classes,
        act=act,
        data=attributes,
        label=Markup(' aria-label="{}"').format(label) if label else "",
        off=Markup(" disabled") if disabled else "",
        icon=icon(icon_name) if icon_name else "",
        words=words,
    )


def lead_line() -> Markup:
    """What stands by every result."""
    return Markup('<p class="bf-lead">{}<span><b>{}</b> {}</span></p>').format(
        icon("info"), t("A lead, not an identification."), t("Corroborate before you act.")
    )
