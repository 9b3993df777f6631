"""The field for what is searched for, where this ByteFace asks. What is written there is a cookie of the browser."""

from __future__ import annotations

from markupsafe import Markup

from reid.audit.log import Asking
from reid.ui.text import t


def purpose_field(asking: Asking, said: str) -> Markup:
    """Empty where nobody asks.

    Args:
        said: what stands there.
    """
    if asking == "off":
        return Markup("")
    mark = Markup(' <span class="bf-opt">{}</span>').format(t("required" if asking == "required" else "optional"))
    return Markup(
        '<label class="bf-purpose"><span class="bf-label">{label}{mark}</span><input class="bf-input" data-purpose '
        'maxlength="200" autocomplete="off" placeholder="{ask}" value="{said}"{required}><span class="bf-quiet '
        'bf-purpose__h">{hint}</span></label>'
    ).format(
        label=t("Purpose"),
        mark=mark,
        ask=t("What is this search for?"),
        said=said,
        required=Markup(' aria-required="true"') if asking == "required" else "",
        hint=t("A case number will do; no names. It is in the audit log with every search."),
    )
