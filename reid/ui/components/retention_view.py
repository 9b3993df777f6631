"""How long people are held, and the older copies of galleries with the day on which each goes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.rights.backups import Copy
from reid.ui.markup import join
from reid.ui.text import day, t


def retention(days: int, copies: Sequence[Copy]) -> Markup:
    """The form and the list.

    Args:
        days: default of the gallery; 0 for no end.
    """
    return Markup(
        '<section class="bf-card bf-card__body bf-stack bf-stack--4" aria-label="{title}"><h2 '
        'class="bf-h2">{title}</h2><form class="bf-stack bf-stack--3" data-act-form="retention"><label><span '
        'class="bf-label">{label}</span><input class="bf-input bf-audit__n" name="days" type="number" min="0" '
        'max="36500" required value="{days}"></label><label class="bf-row"><input class="bf-check" type="checkbox" '
        'name="existing" value="1"><span>{existing}</span></label><p class="bf-quiet">{what}</p><div><button '
        'class="bf-btn">{save}</button></div></form>{copies}</section>'
    ).format(
        title=t("How long people are held"),
        label=t("Days from enrolment, 0 for no end"),
        days=days,
        existing=t("People without a last day get one too, from today"),
        what=t("Two weeks before, the Gallery tab lists them. The day after the last, they are erased."),
        save=t("Save"),
        copies=_copies(copies),
    )


def _copies(copies: Sequence[Copy]) -> Markup:
    """What an erasure does not reach until its day."""
    head = Markup('<h3 class="bf-h3">{}</h3>').format(t("Older copies"))
    if not copies:
        return head + Markup('<p class="bf-quiet">{}</p>').format(t("None lie beside the gallery."))
    lines = join(
        Markup('<li><bdi class="bf-mono">{}</bdi> <span class="bf-quiet">{}</span></li>').format(
            one.path.name,
            t("goes on {day}", day=day(one.goes_at.isoformat())) if one.goes_at else t("kept until you delete it"),
        )
        for one in copies
    )
    text = t("They hold people who were erased since. Restored, they lose them again.")
    return head + Markup('<p class="bf-quiet">{}</p><ul class="bf-stack bf-stack--1 bf-audit__c">{}</ul>').format(
        text, lines
    )
