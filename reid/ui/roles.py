"""Which role each action of the page and each named endpoint needs. What stands nowhere here can be done by nobody else
than an administrator, and an endpoint that stands nowhere cannot be built. Knows roles, no handlers.
"""

from __future__ import annotations

from collections.abc import Mapping

from reid.actor import Role, acting

Needs = Role | Mapping[str, Role]
"""Of a handler: one role, or one for each `act` that an event may carry; an act that is not named needs an admin."""

_VIEWER, _OPERATOR, _ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN

TABS = {
    "probe": _VIEWER, "verify": _VIEWER, "gallery": _VIEWER, "enrol": _OPERATOR, "unknowns": _OPERATOR,
    "threshold": _VIEWER, "audit": _ADMIN,
}  # fmt: skip
"""Who may look at a tab, in the order of the bar."""

PROBE: Mapping[str, Role] = {
    "show": _VIEWER, "face": _VIEWER, "open": _VIEWER, "draw": _VIEWER, "compare": _VIEWER, "verdict": _VIEWER,
    "confirm": _OPERATOR, "reject": _OPERATOR, "withdraw": _OPERATOR, "name": _OPERATOR,
}  # fmt: skip
VERIFY: Mapping[str, Role] = dict.fromkeys(("compare", "again", "face", "clear", "against", "find", "who"), _VIEWER)
GALLERY: Mapping[str, Role] = {
    "page": _VIEWER, "look": _VIEWER, "pairs": _VIEWER, "odd": _VIEWER,
    "erase": _OPERATOR, "together": _OPERATOR, "apart": _OPERATOR, "record": _OPERATOR, "cover": _OPERATOR,
    "move": _OPERATOR, "delete": _OPERATOR, "merge": _OPERATOR, "renew": _OPERATOR, "renew_all": _OPERATOR,
    "vouch": _OPERATOR,
}  # fmt: skip
AUDIT: Mapping[str, Role] = dict.fromkeys(("page", "filter", "check", "retention"), _ADMIN)
THRESHOLD: Mapping[str, Role] = {"set": _VIEWER, "use": _ADMIN, "fit": _ADMIN, "share": _ADMIN}

ENDPOINTS = {
    "search": _VIEWER, "verify": _VIEWER, "verify_person": _VIEWER, "people": _VIEWER, "person": _VIEWER,
    "threshold": _VIEWER, "duplicates": _VIEWER, "outliers": _VIEWER, "galleries": _VIEWER,
    "enrol": _OPERATOR, "rename": _OPERATOR, "merge": _OPERATOR, "erase": _OPERATOR, "two_people": _OPERATOR,
    "unknowns": _OPERATOR, "keep_unknowns": _OPERATOR, "enrol_unknowns": _OPERATOR, "reject_unknowns": _OPERATOR,
    "ignore_unknowns": _OPERATOR, "erase_unknowns": _OPERATOR, "import_people": _OPERATOR,
    "remove_photographs": _OPERATOR,  # of several people: an administrator
    "export": _ADMIN, "restore": _ADMIN, "new_gallery": _ADMIN,
    "audit_log": _ADMIN, "audit_verify": _ADMIN, "retention": _ADMIN, "ending": _OPERATOR, "renew_person": _OPERATOR,
    "same_person": _OPERATOR,
}  # fmt: skip
"""Named endpoints, by the name of their function."""

HIDDEN: Mapping[Role, tuple[str, ...]] = {
    _OPERATOR: (
        "[data-tab=enrol]", "[data-tab=unknowns]", "[data-dialog=merge-dialog]", "[data-dialog=erase-dialog]",
        "[data-bulk]", "[data-select]", ".bf-dup__a",
        *(f"[data-act={act}]" for act in ("confirm", "reject", "withdraw", "vouch")), "[data-act-form=name]",
    ),
    _ADMIN: (
        "[data-dialog=held-dialog]", "[data-gallery-new]", "[data-exports]", "[data-dialog=restore-dialog]",
        "[data-dialog=forget-dialog]", "#bf-targets [data-act=use]", "#bf-plots [data-act=fit]",
        "#bf-plots [data-act=share]",
    ),
}  # fmt: skip
"""Selectors of what the page does not show to whoever has less than that role. It only tidies up: handlers decide."""


def may(role: Role) -> bool:
    """Whether whoever is acting has that role."""
    return acting().role >= role


def may_look(tab: str) -> bool:
    """Whether whoever is acting may see a tab."""
    return may(TABS.get(tab, Role.ADMIN))


def sheet() -> str:
    """A style sheet that hides what a role cannot use; the bar says which role is looking."""
    rules = [
        f"{_lower(needed)} {one} {{ display: none !important; }}"
        for needed, selectors in HIDDEN.items()
        for one in selectors
    ]
    # Gradio measures the bar and takes one that became shorter for one with too little room: they keep theirs, unseen
    rules += [
        f"{_lower(needed)} #bf-tabs button[data-tab-id={tab}] {{ visibility: hidden; order: 9; }}"
        for tab, needed in TABS.items()
        if needed > Role.VIEWER
    ]
    return "\n".join(rules)


def _lower(needed: Role) -> str:
    lower = ",".join(f"[data-role={role.name.lower()}]" for role in Role if role < needed)
    return f"body:has(.bf-top:is({lower}))"
