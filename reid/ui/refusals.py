"""What the core refuses, in the reader's language: its sentences are known here by their pattern.

The core speaks English and knows no page. A message is read sentence by sentence; one that holds a sentence that is not
known here stays English as a whole, so that nothing is ever half translated.
"""

from __future__ import annotations

import re
import string
from functools import cache

from reid.ui.text import t

SENTENCES = (
    "{name} cannot be read.", "It is not a file.", "Name a photograph in it or another path.",
    "It is larger than {size} GB.", "Make it smaller and add it.", "There is no such file.",
    "Check its name and folder.", "The file is empty.", "Copy it again and add it.", "It is not a photograph.",
    "Add a {formats} file.", "It does not fit into this machine's memory.", "Export it again and add it.",
    "It has no pixels.", "The file ends early.", "The file is damaged.",
    "It is beyond the limit of {most} megapixels and {side} pixels a side.",
    "With {width} × {height} pixels it is beyond the limit of {most} megapixels and {side} pixels a side.",
    "{name}: no face found.", "Try a larger or sharper original.", "{name}: {faces} faces found.",
    "Say which one is meant, or crop it.", "{name}: no face {face}, only {faces}.", "Choose one of them.",
    "There is no face to enrol.", "Add at least one photograph with a face.",
    "That box is too small to hold a face.", "Draw it around the whole face.",
    "A name cannot be empty.", "Type at least one character.", "A name of {letters} characters is too long.",
    "Use at most {most}.", "A name cannot hold line breaks or control characters.",
    "A name cannot hold characters that change the direction of writing.", "Take them out.",
    "{name} is the answer for people who are not enrolled.", "Choose another name.",
    "'{name}' differs from the enrolled '{other}' only in capital letters.",
    "Use that spelling to add to them, or a name that can be told apart.",
    "Somebody named {name} is enrolled already.", "Add to them or choose another name.",
    "A person cannot be merged with themselves.", "Choose two.",
    "That person is not in the gallery any more.", "A photograph is not in the gallery any more.",
    "That photograph is not one of this person.", "Load the list again.",
    "The gallery {path} is read-only here.", "Open it where it can be written.",
    "{searches} searches by strangers cannot show a rate of 1 in {rate}.",
    "Bring at least {rate}, better thirty times as many.",
    "{searches} searches by {people} people of enrolled people with two photographs or more are too few for a share.",
    "{searches} searches by {people} people of strangers are too few for a share.",
    "{searches} searches by {people} people of enrolled people without their own template are too few for a share.",
    "It needs {searches} by {people}.",
    "The frame cannot be read.", "Stop and start again.",
    "This needs the role {needed}, and {name} has the role {role}.",
    "Ask whoever keeps the accounts of this ByteFace.",
    "Nobody said what this search is for.", "Write its purpose first.",
)  # fmt: skip
"""The commonest sentences of the core's errors, with what differs in braces. Each is in every catalogue."""


def in_words(message: str) -> str:
    """A message of the core in the reader's language, unchanged where a part of it is not known."""
    said: list[str] = []
    rest = message
    while rest:
        for sentence, pattern in _patterns():
            found = pattern.match(rest)
            if found:
                said.append(t(sentence, **found.groupdict()) if found.groupdict() else t(sentence))
                rest = rest[found.end() :]
                break
        else:
            return message
    return " ".join(said)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Those with the least left open first, so that a name never swallows a sentence that is known."""
    made = []
    for sentence in SENTENCES:
        pieces = []
        for literal, field, _, _ in string.Formatter().parse(sentence):
            pieces.append(re.escape(literal))
            if field:
                pieces.append(f"(?P<{field}>.+?)")
        made.append((sentence, re.compile("".join(pieces) + r"(?: +|$)", re.DOTALL)))
    return tuple(sorted(made, key=lambda one: one[0].startswith("{")))
