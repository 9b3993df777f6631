"""The audit log as a table with filters and pages. Knows rows and names, no log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup

from reid.audit.reading import Filters
from reid.audit.rows import Row
from reid.ui.components.audit_words import ACTIONS, action_words, gist
from reid.ui.markup import button, icon, join
from reid.ui.text import count, number_text, t

PAGE = 25


@dataclass(frozen=True, slots=True)
class LogPage:
    """What is shown of the log.

    Attributes:
        rows: the newest first.
        total: how many the filters leave.
        person: what was typed to find somebody; `filters` has their id.
        names: of people who are still enrolled, by the id that is in the log.
    """

    rows: Sequence[Row]
    total: int
    number: int
    filters: Filters
    person: str
    actors: Sequence[str]
    actions: Sequence[str]
    names: Mapping[str, str]


def log_page(page: LogPage) -> Markup:
    """Filters, table and pager."""
    label = t("Audit log")
    return Markup(
        '<section class="bf-card bf-audit" aria-label="{label}"><div class="bf-row bf-row--apart bf-row--wrap '
        'bf-audit__h"><h2 class="bf-h2">{label}</h2><div class="bf-bar__a">{check}{csv}</div></div>{form}{table}{pager}'
        "</section>"
    ).format(
        label=label,
        check=button(t("Check the log"), "check", icon_name="check", style="sm"),
        csv=Markup('<a class="bf-btn bf-btn--sm" href="audit/log.csv?{}" download>{}{}</a>').format(
            urlencode(asdict(page.filters)), icon("download"), t("All of it as CSV")
        ),
        form=_form(page),
        table=_table(page) if page.rows else _nothing(),
        pager=_pager(page),
    )


def _form(page: LogPage) -> Markup:
    filters = page.filters
    return Markup(
        '<form class="bf-audit__f" data-act-form="filter" aria-label="{label}">{who}{what}{since}{until}{person}'
        '<button class="bf-btn">{icon}{show}</button></form>'
    ).format(
        label=t("Filters"),
        who=_select(t("Who"), "who", filters.actor, [(one, one) for one in page.actors]),
        what=_select(
            t("What"), "what", filters.action,
            sorted(((one, t(ACTIONS.get(one, one))) for one in page.actions), key=lambda pair: pair[1].casefold()),
        ),
        since=_field(t("From day"), "since", filters.since, "date"),
        until=_field(t("To day"), "until", filters.until, "date"),
        person=_field(t("About, name or id"), "person", page.person, "text"),
        icon=icon("search"),
        show=t("Show"),
    )  # fmt: skip


def _select(words: str, name: str, chosen: str, options: Sequence[tuple[str, str]]) -> Markup:
    entries = join(
        Markup('<option value="{}"{}>{}</option>').format(value, Markup(" selected") if value == chosen else "", shown)
        for value, shown in [("", t("Everything") if name == "what" else t("Everybody")), *options]
    )
    return Markup(
        '<label><span class="bf-label">{}</span><select class="bf-input" name="{}">{}</select></label>'
    ).format(words, name, entries)


def _field(words: str, name: str, value: str, kind: str) -> Markup:
    return Markup(
        '<label><span class="bf-label">{}</span><input class="bf-input" name="{}" type="{}" value="{}" '
        'autocomplete="off"></label>'
    ).format(words, name, kind, value)


def _nothing() -> Markup:
    return Markup('<p class="bf-quiet bf-audit__none">{}</p>').format(t("Nothing of that kind is in the log."))


def _table(page: LogPage) -> Markup:
    heads = (t("When"), t("Who"), t("What"), t("About"), t("Details"), t("Purpose"))
    return Markup(
        '<div class="bf-scroll-x" tabindex="0" role="region" aria-label="{}"><table class="bf-table bf-table--stack">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(
        t("Audit log"),
        join(Markup("<th>{}</th>").format(one) for one in heads),
        join(_row(row, page.names) for row in page.rows),
    )


def _row(row: Row, names: Mapping[str, str]) -> Markup:
    return Markup(
        '<tr><td><time class="bf-num" datetime="{at}">{when}</time></td><td><b>{who}</b> <span '
        'class="bf-quiet">{role}</span></td><td>{what}</td><td>{about}</td><td>{gist}</td><td>{purpose}</td></tr>'
    ).format(
        at=row.at,
        when=_when(row.at),
        who=row.actor,
        role=t(row.role),
        what=action_words(row),
        about=_about(row, names),
        gist=_details(row),
        purpose=row.purpose,
    )


def _when(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


_NAMED = 3


def _about(row: Row, names: Mapping[str, str]) -> Markup:
    ids = row.subject_ids
    shown = [
        Markup('<a href="?tab=gallery&amp;person={0}" data-person="{0}"><bdi>{1}</bdi></a>').format(one, names[one])
        if one in names
        else Markup('<span class="bf-mono" title="{}">{}…</span>').format(one, one[:8])
        for one in ids[:_NAMED]
    ]
    more = [Markup("+{}").format(number_text(len(ids) - _NAMED))] if len(ids) > _NAMED else []
    return Markup(", ").join([*shown, *more])


def _details(row: Row) -> Markup:
    """The gist, and behind a press everything that is written, with the row's number and digest."""
    words = gist(row)
    return Markup(
        '<details class="bf-audit__d"><summary>{words}</summary><dl><dt>{number}</dt><dd class="bf-num">{seq}</dd>'
        '<dt>{gallery_word}</dt><dd>{gallery}</dd><dt>{digest}</dt><dd class="bf-mono">{hash}</dd></dl><pre '
        'class="bf-mono" tabindex="0">{facts}</pre></details>'
    ).format(
        words=words or t("Details"),
        number=t("Row"),
        seq=row.seq,
        gallery_word=t("Gallery"),
        gallery=f"{row.gallery} · {row.revision}" if row.revision >= 0 else row.gallery,
        digest=t("Digest"),
        hash=row.hash,
        facts=row.details,
    )


def _pager(page: LogPage) -> Markup:
    pages = max(1, math.ceil(page.total / PAGE))
    asked = {"who": page.filters.actor, "what": page.filters.action, "since": page.filters.since,
             "until": page.filters.until, "person": page.person}  # fmt: skip

    def turn(words: str, to: int) -> Markup:
        return button(words, "page", style="sm", disabled=not 1 <= to <= pages, number=to, **asked)

    return Markup(
        '<div class="bf-pager bf-audit__p"><span class="bf-num">{total}</span><span class="bf-num">{at}</span><nav '
        'aria-label="{label}">{back}{on}</nav></div>'
    ).format(
        total=count(page.total, "row", "rows"),
        at=t("page {number} of {pages}", number=number_text(page.number), pages=number_text(pages)),
        label=t("Pages"),
        back=turn(t("Newer"), page.number - 1),
        on=turn(t("Older"), page.number + 1),
    )
