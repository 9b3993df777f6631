"""Plots of the Threshold tab as SVG: similarities with the threshold as a line to drag, and the costs as a curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from reid.ui.markup import join
from reid.ui.rates import Rate
from reid.ui.text import decimal, number_text, t

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 48, 12, 40, 34, 330
WIDE, NARROW = 820, 360
"""Widths at which the histogram is drawn, so that its letters keep their size on a phone."""


def histogram(strangers: Sequence[int], mated: Sequence[int], value: float, width: int, only: str) -> Markup:
    """Counts on a logarithmic scale; the line is a slider for keys and pointer.

    Args:
        strangers: counts of the strangers' best similarities in equal steps from 0 to 1.
        mated: of the enrolled people's own.
        width: `WIDE` or `NARROW`.
        only: class of the screens that it is drawn for.
    """
    top = max([1, *strangers, *mated])
    decades = max(1, math.ceil(math.log10(top + 1)))
    x0, x1, y0, y1 = _LEFT, width - _RIGHT, _HEIGHT - _BOTTOM, _TOP

    def height(many: float) -> float:
        return (y0 - y1) * (math.log10(many) + 0.3) / (decades + 0.3) if many >= 1 else 0.0

    grid = join(
        Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            x0, y0 - height(10**d), x1, x0 - 8, y0 - height(10**d) + 4, number_text(10**d)
        )
        for d in range(decades + 1)
    )
    axis = join(
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            x0 + (x1 - x0) * i / 5, y0 + 20, decimal(i / 5, 1)
        )
        for i in range(6)
    )
    return Markup(
        '<svg class="bf-plot {only}" viewBox="0 0 {w} {h}" role="group" aria-label="{label}"><defs><pattern '
        'id="ht" width="5" '
        'height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 '
        '0v5"/></pattern>'
        '</defs>{grid}{strangers}{mated}<path class="axis" d="M{x0} {y0}H{x1}"/>{axis}{line}</svg>'
    ).format(
        only=only,
        w=width,
        h=_HEIGHT,
        label=t("Similarities of this gallery"),
        grid=grid,
        strangers=_bars(strangers, "n", height, width) + _bars(strangers, "h", height, width),
        mated=_bars(mated, "m", height, width),
        x0=x0,
        x1=x1,
        y0=y0,
        axis=axis,
        line=_line(value, width),
    )


def _bars(counts: Sequence[int], kind: str, height: Callable[[float], float], total: int) -> Markup:
    width = (total - _RIGHT - _LEFT) / max(len(counts), 1)
    base = _HEIGHT - _BOTTOM
    style = Markup(' fill="url(#ht)"') if kind == "h" else Markup(' class="{}"').format(kind)
    return join(
        Markup('<rect{} x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            style, _LEFT + i * width + 0.5, base - height(many), width - 1, height(many)
        )
        for i, many in enumerate(counts)
        if many
    )


def _line(value: float, width: int) -> Markup:
    x0, x1, base = _LEFT, width - _RIGHT, _HEIGHT - _BOTTOM
    return Markup(
        '<g role="slider" tabindex="0" data-threshold="{x0},{x1}" aria-label="{label}" aria-valuemin="0" '
        'aria-valuemax="1" '
        'aria-valuenow="{value:.2f}" transform="translate({x:.1f} 0)"><rect class="grab" x="-14" y="0" width="28" '
        'height="{base}"/><path class="tl" d="M0 {top}V{base}"/><circle class="knob" cy="{knob}" r="7"/><rect '
        'class="flag" '
        'x="-22" y="6" width="44" height="24" rx="4"/><text class="flagt" y="23" '
        'text-anchor="middle">{value:.2f}</text></g>'
    ).format(
        x0=x0,
        x1=x1,
        label=t("Threshold"),
        value=value,
        x=x0 + (x1 - x0) * min(max(value, 0.0), 1.0),
        base=base,
        top=30,
        knob=base - 60,
    )


def trade_off(points: Sequence[tuple[Rate, Rate]], now: tuple[Rate, Rate]) -> Markup:
    """Missed people against false alarms, both logarithmic, with the interval of the missed as a band.

    Args:
        points: (false alarms, missed) at rising thresholds, with at least one alarm each.
        now: the same at the threshold.
    """
    w, h, x0, x1, y0, y1 = 400, 250, 52, 388, 208, 12

    def x(share: float) -> float:
        return x0 + (x1 - x0) * (math.log10(min(max(share, 1e-4), 1)) + 4) / 4

    def y(share: float) -> float:
        return y0 - (y0 - y1) * (math.log10(min(max(share, 1e-3), 1)) + 3) / 3

    ticks = join(
        Markup(
            '<path class="grid" d="M{0:.1f} {1}V{2}"/><text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
        ).format(x(10.0**-d), y1, y0, y0 + 18, f"{10 ** (2 - d):g}" + (" %" if d == 0 else ""))
        for d in range(5)
    ) + join(
        Markup(
            '<path class="grid" d="M{1} {0:.1f}H{2}"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
        ).format(y(10.0**-d), x0, x1, x0 - 7, y(10.0**-d) + 4, f"{10 ** (2 - d):g}" + (" %" if d == 0 else ""))
        for d in range(4)
    )
    curve = " ".join(f"{x(a.share):.1f},{y(m.share):.1f}" for a, m in points)
    upper = [f"{x(a.share):.1f},{y(m.interval[1]):.1f}" for a, m in points]
    lower = [f"{x(a.share):.1f},{y(m.interval[0]):.1f}" for a, m in reversed(points)]
    return Markup(
        '<svg class="bf-plot" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{ticks}<polygon class="band" '
        'points="{band}"/><polyline class="curve" points="{curve}"/><circle class="dot" cx="{cx:.1f}" '
        'cy="{cy:.1f}" r="6"/>'
        '<text class="strong" x="{cx:.1f}" y="{ty:.1f}" text-anchor="middle">{now}</text>'
        '<text x="{mx}" y="{h2}" text-anchor="middle">{xl}</text></svg>'
    ).format(
        w=w,
        h=h,
        label=t("Missed people against false alarms"),
        ticks=ticks,
        band=" ".join(upper + lower),
        curve=curve,
        cx=x(now[0].share),
        cy=y(now[1].share),
        ty=max(y(now[1].share) - 12, y1 + 10),
        now=t("now"),
        mx=(x0 + x1) / 2,
        h2=h - 4,
        xl=t("False alarms, share of stranger searches"),
    )
