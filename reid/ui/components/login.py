"""The login page: a form that works without scripts, in the page's look. Draws; decides nothing."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup

from reid.ui.components.shell import BRAND
from reid.ui.context import ASSETS
from reid.ui.markup import glyph
from reid.ui.text import language, t


def login_page(
    *,
    root: str = "",
    there: str,
    name: str = "",
    problem: str = "",
    hub: str = "",
    form: bool = True,
    guests: bool = False,
) -> Markup:
    """The whole document.

    Args:
        root: path below which the page lives; empty for the root.
        there: where to go afterwards: a path of this page.
        name: what was typed before.
        problem: why it did not work; empty on the first visit.
        hub: address that logs in with Hugging Face; empty where that cannot be done.
        form: whether somebody has an account of this ByteFace.
        guests: whether one may look without logging in.
    """
    said = (
        Markup('<p class="bf-login__no" id="problem" role="alert">{}<span>{}</span></p>').format(
            glyph("danger"), problem
        )
        if problem
        else Markup("")
    )
    return Markup(
        '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><base href="{root}/">'
        '<link rel="icon" href="favicon.ico">'
        '<style>{style}</style></head><body class="bf-login"><main class="bf-login__card"><p class="bf-login__brand">'
        '{brand}<span>ByteFace</span></p><h1>{heading}</h1>{said}{hub}{form}{guests}<p class="bf-login__foot">'
        "{foot}</p></main></body></html>"
    ).format(
        language=language(),
        root=root,
        title=t("Log in: ByteFace"),
        style=Markup(_style()),
        brand=BRAND,
        heading=t("Log in"),
        said=said,
        hub=_hub(hub, alone=not form),
        form=_form(there, name, wrong=bool(problem)) if form else "",
        guests=Markup('<p class="bf-login__or"><a href="./">{}</a></p>').format(t("Look without logging in"))
        if guests
        else "",
        foot=t("No account yet? Ask whoever keeps the accounts of this ByteFace."),
    )


def _form(there: str, name: str, *, wrong: bool) -> Markup:
    return Markup(
        '<form method="post" action="login">'
        '<input type="hidden" name="next" value="{there}">'
        '<label for="name">{name_word}</label><input id="name" name="name" value="{name}" required maxlength="200" '
        'autocomplete="username" autocapitalize="none" spellcheck="false"{focus_name}{described}>'
        '<label for="password">{password_word}</label><input id="password" name="password" type="password" required '
        'maxlength="256" autocomplete="current-password"{focus_password}{described}>'
        '<button class="bf-login__go">{go}</button></form>'
    ).format(
        there=there,
        name_word=t("Name"),
        name=name,
        password_word=t("Password"),
        focus_name="" if name else Markup(" autofocus"),
        focus_password=Markup(" autofocus") if name else "",
        described=Markup(' aria-describedby="problem" aria-invalid="true"') if wrong else "",
        go=t("Log in"),
    )


def _hub(address: str, *, alone: bool) -> Markup:
    if not address:
        return Markup("")
    # a window of its own: on a Space this page lives in a frame, where the Hub's login refuses to appear
    link = Markup('<a class="bf-login__hub" href="{}" target="_blank" rel="noopener">{}</a>')
    made = link.format(address, t("Log in with Hugging Face"))
    other = Markup('<p class="bf-login__or">{}</p>').format(t("or with an account of this ByteFace"))
    return made if alone else made + other


@cache
def _style() -> str:
    """The tokens, whose dark half stands under a class that only the page's script sets, and the page's own rules."""
    tokens = (ASSETS / "tokens.css").read_text(encoding="utf-8")
    dark = tokens.partition(".dark {")[2].partition("\n}")[0]
    own = (ASSETS / "css" / "login.css").read_text(encoding="utf-8")
    return f"{tokens}\n@media (prefers-color-scheme: dark) {{ :root {{{dark}\n}} }}\n{own}"
