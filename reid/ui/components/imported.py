"""What an import did or would do: four numbers, and a line for each person with what was left out and why."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.intake import Import
from reid.intake.report import PersonSummary, counts_of, groups_of, people_of
from reid.ui.components.shell import pick_button
from reid.ui.markup import button, decision, icon, join
from reid.ui.refusals import in_words
from reid.ui.text import count, decimal, number_text, t

_SHOWN = 200
"""Lines on the page; all photographs are in the table to download."""

FILES = "import-files"


def import_report(done: Import, session_id: str, show: str, *, finished: bool) -> Markup:
    """Numbers and lines.

    Args:
        show: `all`, `questions` or `left`.
        finished: whether the table can be downloaded by now.
    """
    people = people_of(done)
    return Markup("{}{}").format(_numbers(done, people), _lines(done, people, session_id, show, finished))


def _numbers(done: Import, people: Sequence[PersonSummary]) -> Markup:
    counts, groups = counts_of(done), groups_of(done)
    photographs = counts["enrolled"] + counts["ready"]
    enrolled = t("Would be enrolled") if done.dry_run else t("Enrolled")
    words = count(photographs, "photograph", "photographs")
    if groups:
        words = t("{photographs}, {groups} with several faces", photographs=words, groups=number_text(groups))
    left_out = sum(one.left_out for one in people)
    numbers = (
        (enrolled, sum(bool(one.enrolled) for one in people), words),
        (t("Nothing new"), sum(_kind(one) == "known" for one in people), t("enrolled before")),
        (t("Questions"), len(done.resemblances), t("possible duplicates")),
        (t("Left out"), left_out, t("photographs, with the reason below")),
    )
    return Markup('<dl class="bf-card bf-stats">{}</dl>').format(
        join(
            Markup('<div class="bf-stat"><dt>{}</dt><dd>{}</dd><dd class="bf-stat__s">{}</dd></div>').format(
                name, number_text(number), text
            )
            for name, number, text in numbers
        )
    )


def _kind(one: PersonSummary) -> str:
    if one.resemblance and one.enrolled:
        return "question"
    if one.enrolled:
        return "enrolled"
    return "left" if one.left_out else "known"


def _lines(done: Import, people: Sequence[PersonSummary], session_id: str, show: str, finished: bool) -> Markup:
    kept = {
        "questions": [one for one in people if _kind(one) == "question"],
        "left": [one for one in people if one.left_out],
    }.get(show, people)
    chips = (
        ("all", t("All"), len(people)),
        ("questions", t("Questions"), sum(_kind(one) == "question" for one in people)),
        ("left", t("Left out"), sum(bool(one.left_out) for one in people)),
    )
    download = Markup('<a class="bf-btn bf-btn--sm" href="imports/{}/report.csv" download>{}{}</a>').format(
        session_id, icon("download"), t("Report as CSV")
    )
    more = Markup('<p class="bf-quiet bf-imported__more">{}</p>').format(
        t("The first {shown} of {all}. All of them are in the CSV.", shown=_SHOWN, all=number_text(len(kept)))
    )
    return Markup(
        '<section class="bf-card bf-imported" aria-label="{label}"><div class="bf-row bf-row--apart bf-row--wrap '
        'bf-imported__h"><div class="bf-chips">{chips}</div>{download}</div><div class="bf-scroll-x" tabindex="0" '
        'role="region" aria-label="{label}"><table class="bf-table bf-table--stack"><thead><tr><th>{result}</th>'
        "<th>{person}</th><th>{photographs}</th><th>{why}</th></tr></thead><tbody>{rows}</tbody></table></div>{more}"
        "</section>"
    ).format(
        label=t("Report"),
        chips=join(_chip(name, words, number, show) for name, words, number in chips),
        download=download if finished else "",
        result=t("Result"),
        person=t("Person"),
        photographs=t("Photographs"),
        why=t("Why"),
        rows=join(_row(done, one) for one in kept[:_SHOWN]),
        more=more if len(kept) > _SHOWN else "",
    )


def _chip(name: str, words: str, number: int, show: str) -> Markup:
    return Markup(
        '<button type="button" class="bf-chip" data-act="show" data-id="{}" aria-pressed="{}">{} <span>{}</span>'
        "</button>"
    ).format(name, "true" if name == show else "false", words, number_text(number))


def _row(done: Import, one: PersonSummary) -> Markup:
    kind = _kind(one)
    enrolled = t("Would be enrolled") if done.dry_run else t("Enrolled")
    result = {
        "enrolled": Markup('<span class="bf-dec">{}{}</span>').format(icon("check"), enrolled),
        "known": Markup('<span class="bf-dec bf-dec--unsearched">{}{}</span>').format(icon("minus"), t("Nothing new")),
        "question": decision("warn", t("Question")),
        "left": decision("danger", t("Left out")),
    }[kind]
    return Markup(
        '<tr><td>{}</td><td><b class="bf-imported__n"><bdi>{}</bdi></b></td><td class="bf-num">{}</td><td>{}</td></tr>'
    ).format(result, one.label, _photographs(one), _why(done, one))


def _photographs(one: PersonSummary) -> str:
    if one.total == one.statuses["known"]:
        return t("{known} of {total} known", known=one.total, total=one.total)
    return t(
        "{enrolled} of {photographs}", enrolled=one.enrolled, photographs=count(one.total, "photograph", "photographs")
    )


def _why(done: Import, one: PersonSummary) -> Markup:
    parts: list[Markup] = []
    if one.resemblance and one.enrolled:
        other = one.resemblance
        parts.append(
            Markup("<span>{} {}</span>").format(
                t("Resembles {name}, {similarity}.", name=other.name, similarity=decimal(other.similarity)),
                Markup("") if done.dry_run else _answers(one),
            )
        )
    if one.left_out:
        reason = in_words(one.reason)
        if one.left_out > 1:
            reason = t("{n} left out: {reason}", n=one.left_out, reason=reason)
        parts.append(Markup("<span>{}</span>").format(reason))
    known = one.statuses["known"]
    if known and known < one.total:
        parts.append(Markup("<span>{}</span>").format(t("{n} enrolled before.", n=known)))
    elif known:
        parts.append(Markup("<span>{}</span>").format(t("Run again: already enrolled.")))
    if one.statuses["repeated"]:
        parts.append(Markup("<span>{}</span>").format(t("{n} listed twice.", n=one.statuses["repeated"])))
    return Markup(" ").join(parts)


def _answers(one: PersonSummary) -> Markup:
    assert one.resemblance is not None
    return Markup(
        '<button type="button" class="bf-link" data-act="join" data-id="{}" data-to="{}">{}</button> · '
        '<a href="?tab=gallery&amp;person={}" data-person="{}">{}</a>'
    ).format(
        one.identity_id, one.resemblance.identity_id, t("Merge the two"), one.identity_id, one.identity_id, t("Look")
    )


def intake_drop() -> Markup:
    """Where a folder, a zip or a CSV is dropped, and how it should be laid out."""
    return Markup(
        '<div class="bf-drop bf-drop--many" data-many="{files}"><div class="wrap bf-empty"><span class="icon-wrap">'
        '{folder}</span><b>{drop}</b><span class="bf-quiet" data-many-words>{words}</span><div class="bf-row '
        'bf-row--wrap bf-empty__a"><button type="button" class="bf-btn" data-many-folder>{folder}{choose_folder}'
        '</button>{choose_zip}</div><input class="bf-sr" type="file" webkitdirectory multiple tabindex="-1" '
        'aria-label="{choose_folder}"></div></div>{layout}'
    ).format(
        files=FILES,
        folder=icon("folder"),
        drop=t("Drop a folder or a zip"),
        words=t("Nobody is enrolled before you press a button."),
        choose_folder=t("Choose a folder"),
        choose_zip=pick_button(t("Choose a zip"), FILES, "upload"),
        layout=_layout(),
    )


def _layout() -> Markup:
    facts = (
        (
            t("Folder, zip"),
            Markup('{} <span class="bf-mono">Ruth Adler/IMG_2210.jpg</span>').format(
                t("One folder for each person, named as the person:")
            ),
        ),
        (
            t("CSV"),
            Markup(
                '{} <span class="bf-mono">name, image_path</span> {} '
                '<span class="bf-mono">consent, expires, notes</span>'
            ).format(t("Put it at the top of the folder or zip. Columns"), t("and, if you have them,")),
        ),
        (t("Run again"), Markup("{}").format(t("Photographs that are enrolled already are passed over."))),
    )
    return Markup('<section class="bf-card bf-card__body"><h2 class="bf-h3 bf-layout__h">{}</h2><dl class="bf-facts '
                  'bf-layout">{}</dl></section>').format(
        t("How it should be laid out"),
        join(Markup("<dt>{}</dt><dd>{}</dd>").format(name, words) for name, words in facts),
    )  # fmt: skip


def intake_chosen(name: str, photographs: int, people: int, refused: int) -> Markup:
    """The archive that waits for its button."""
    facts = t(
        "{photographs} of {people}",
        photographs=count(photographs, "photograph", "photographs"),
        people=count(people, "person", "people"),
    )
    if refused:
        facts = t("{facts}, {n} cannot be used", facts=facts, n=number_text(refused))
    return Markup(
        '<div class="bf-card bf-card__body bf-chosen"><span class="icon-wrap">{icon}</span><div class="bf-grow"><b '
        'class="bf-clip"><bdi>{name}</bdi></b><p class="bf-quiet bf-num">{facts}</p></div>{remove}</div>{layout}'
    ).format(
        icon=icon("folder"),
        name=name,
        facts=facts,
        remove=button("", "remove", icon_name="close", style="quiet icon", label=t("Remove {name}", name=name)),
        layout=_layout(),
    )
