"""The Threshold tab's card about the right person's share: the curve, the assumption, what both rest on."""

from __future__ import annotations

from markupsafe import Markup

from reid.probability import ScoreOdds, chance_at
from reid.ui.chance_words import SHARES, basis_words, chance_words, share_words
from reid.ui.markup import button, glyph, join
from reid.ui.refusals import in_words
from reid.ui.text import decimal, number_text, t

_STEPS = 100


def right_person(odds: ScoreOdds | str | None, value: float, people: int) -> Markup:
    """The card; without a fit it says why and offers to make one.

    Args:
        odds: what the gallery keeps.
        value: the threshold that is looked at.
        people: enrolled now.
    """
    if isinstance(odds, ScoreOdds):
        body = Markup(
            '{curve}<p class="bf-odds">{words}</p>{shares}<p class="bf-quiet bf-xs">{basis}</p>{grown}'
        ).format(
            curve=curve(odds, value, people),
            words=t("At the threshold:") + " " + chance_words(odds, value, people),
            shares=_shares(odds.share),
            basis=basis_words(odds),
            grown=_grown(odds, people),
        )
    else:
        body = Markup("{}{}{}").format(
            Markup('<p class="bf-quiet">{}</p>').format(
                t(
                    "A similarity says little by itself: this works out how often such a score was right on this "
                    "gallery."
                )
            ),
            Markup('<div class="bf-note bf-note--warn">{}<span><b>{}</b> {}</span></div>').format(
                glyph("warn"), t("Too few to say."), in_words(odds)
            )
            if odds
            else "",
            _fit(t("Work it out again") if odds else t("Work it out")),
        )
    return Markup(
        '<section class="bf-card bf-card__body bf-stack bf-stack--3 bf-chance"><h2 class="bf-h2">{}</h2>{}</section>'
    ).format(t("How often the nearest person was right"), body)


def _fit(words: str) -> Markup:
    return Markup("<div>{}</div>").format(button(words, "fit"))


def _shares(share: float) -> Markup:
    """The assumption that no score can tell, as buttons."""
    shares = sorted({*SHARES, share})
    return Markup(
        '<div><p class="bf-label">{}</p><div class="bf-seg bf-seg--sm bf-seg--wrap" role="group" aria-label="{}">{}'
        "</div></div>"
    ).format(
        t("Of the people you search, so many are enrolled"),
        t("Of the people you search, so many are enrolled"),
        join(
            Markup('<button type="button" data-act="share" data-share="{}" aria-pressed="{}">{}</button>').format(
                one, "true" if abs(one - share) < 1e-9 else "false", share_words(one)
            )
            for one in shares
        ),
    )


def _grown(odds: ScoreOdds, people: int) -> Markup:
    if people <= odds.gallery_size:
        return Markup("")
    words = t(
        "The gallery had {then} people then and has {now} now, which is reckoned in.",
        then=number_text(odds.gallery_size),
        now=number_text(people),
    )
    if odds.source == "strangers":
        return Markup('<div class="bf-note bf-note--warn" role="status">{}<span>{}</span></div>').format(
            glyph("warn"), words + " " + t("Calibrate again with the strangers' photographs.")
        )
    return Markup('<div class="bf-note bf-note--warn" role="status">{}<span>{}</span></div>{}').format(
        glyph("warn"), words, _fit(t("Work it out again"))
    )


def curve(odds: ScoreOdds, value: float, people: int) -> Markup:
    """Share of right persons against similarity, with its interval as a band and the threshold as a dashed line."""
    w, h, x0, x1, y0, y1 = 400, 250, 66, 388, 208, 12

    def x(similarity: float) -> float:
        return x0 + (x1 - x0) * min(max(similarity, 0.0), 1.0)

    def y(share: float) -> float:
        return y0 - (y0 - y1) * share

    found = [(step / _STEPS, chance_at(odds, step / _STEPS, people)) for step in range(_STEPS + 1)]
    levels = join(
        Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            x0, y(level), x1, x0 - 7, y(level) + 4, words
        )
        for level, words in ((0.0, t("none")), (0.5, t("half")), (1.0, t("all")))
    )
    axis = join(
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x(i / 5), y0 + 18, decimal(i / 5, 1))
        for i in range(6)
    )
    upper = [f"{x(s):.1f},{y(one.high):.1f}" for s, one in found]
    lower = [f"{x(s):.1f},{y(one.low):.1f}" for s, one in reversed(found)]
    return Markup(
        '<svg class="bf-plot" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{levels}{axis}<polygon '
        'class="band" points="{band}"/><polyline class="curve" points="{line}"/><path class="tl tl--dashed" '
        'd="M{t:.1f} {y1}V{y0}"/>'
        '<text x="{mx}" y="{h2}" text-anchor="middle">{xl}</text></svg>'
    ).format(
        w=w,
        h=h,
        label=t("How often the nearest person was right"),
        levels=levels,
        axis=axis,
        band=" ".join(upper + lower),
        line=" ".join(f"{x(s):.1f},{y(one.value):.1f}" for s, one in found),
        t=x(value),
        y0=y0,
        y1=y1,
        mx=(x0 + x1) / 2,
        h2=h - 4,
        xl=t("Similarity"),
    )
