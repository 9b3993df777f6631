"""What the core refuses, in the reader's language: its sentences are known here by their pattern.

The core speaks English and knows no page. A message is read sentence by sentence; one that holds a sentence that is not
known here stays English as a whole, so that nothing is ever half translated.
"""

from __future__ import annotations

import re
import string
from functools import cache

from reid.ui.text import number_text, t

_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")

SENTENCES = (
    "{name} cannot be read.", "It is not a file.", "Name a photograph in it or another path.",
    "It is larger than {size} GB.", "Make it smaller and add it.", "There is no such file.",
    "Check its name and folder.", "The file is empty.", "Copy it again and add it.", "It is not a photograph.",
    "Add a {formats} file.", "It does not fit into this machine's memory.", "Export it again and add it.",
    "It has no pixels.", "The file ends early.", "The file is damaged.",
    "It is painted more than {most} times over, which no camera does.",
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
    "{name} cannot be opened as a zip: it is damaged or something else.", "Pack the folder again.",
    "{name} holds {files} files, more than {most}.", "Divide it into several.",
    "{name} would unpack to {size} GB, more than {most} GB.", "A CSV alone brings no photographs.",
    "Put it into the folder or zip with them.", "There is no file.", "Send a zip of the photographs.",
    "{name} is neither a folder, a zip nor a CSV.", "Pack the photographs into a zip.", "There are {tables} CSV files.",
    "Leave one of them, or none to go by the folders.", "{name} holds no photographs.",
    "It needs one folder for each person, named as the person.", "{name} has no column {column}, only {others}.",
    "Name it in the first line.", "{name} lists no photographs.", "Add a line for each below its header.",
    "{name} is empty.", "It needs a header line with image_path and gt.", "{name} cannot be read as CSV ({why}).",
    "Save it as comma-separated UTF-8.", "Its path leads out of the archive.", "Its path leaves the root folder.",
    "Correct it in the CSV.", "It is a link or a device, not a photograph.",
    "Put the photograph itself into the archive.", "It is locked by a password.", "Pack the folder again without one.",
    "It is larger than {size} MB.", "It would unpack to more than a photograph can hold.", "Pack it again.",
    "Its content in the archive is damaged.", "It is not in the archive.", "Correct the path.",
    "Correct the path in the CSV.", "It stands twice in the archive.", "Only the first one counts.",
    "It is enrolled already.", "The same photograph stands more than once for this person.", "It counts once.",
    "It cannot be read.", "No face found.", "{remarks}. It would find the person less often.",
    "{faces} faces found; the largest was taken.", "{faces} faces found; the most central was taken.",
    "This account may not open it.", "Change its permissions and add it.", "{name} cannot be read: {why}.",
    "Check the path and its permissions.", "There is no file {name}.", "Check the path.",
    "The gallery {name} was closed.", "Open it again.", "The gallery {name} holds a face that was altered.",
    "Restore it from a backup.", "{name} cannot be written ({why}).", "Make room, or name another place.",
    "{name} is a .npy gallery, which is read-only.", "Use a .db to change it.",
    "{name} is a .npy gallery, which keeps no faces of strangers.", "Use a .db to keep them.",
    "The gallery {name} was brought to the space {space} while {other} was in use.",
    "The gallery {name} was given another key while it was in use.", "Start ByteFace again.",
    "An embedding in the gallery is damaged.", "Restore the gallery from a backup.",
    "A name or an id holds half a character, which cannot be stored.", "Type it again.",
    "One new person was given two names.", "Enrol them one after the other.",
    "Beside this gallery no other can be made.", "Start with a .db file.",
    "A gallery's name has up to 60 letters, digits, spaces, dots and hyphens.", "Choose another.",
    "There is a gallery {name} already.", "Choose it, or another name.",
    "The gallery is read-only here, so no face can be kept.", "These faces are not kept any more.",
    "Faces cannot be kept for {days} days.", "Choose between 1 and {most}.", "People cannot be held for {days} days.",
    "Choose between 1 and {most}, or 0 for no end.", "{name} is over already.", "Choose a later day.",
    "This person is not in the gallery any more.", "Choose somebody else.", "{name} is not restored: {why}.",
    "The backup is not restored: {why}.", "Nothing was changed; take another copy of it.", "Take another copy of it.",
    "{name} was made by a newer version of ByteFace.", "Update ByteFace to restore it.",
    "{name} holds faces of the space {space}, not {other}; they cannot be compared.",
    "Restore it as a gallery of its own: byteface restore.", "{size} MB are needed beside {name}.", "Make room there.",
    "{name} is not a .db gallery, so it is neither exported nor restored here.",
    "Bring it into one with `byteface migrate`.", "Copy the file itself instead.",
    "{people} erased people are still in the backup.", "Do not restore it; report this.",
    "A false alarm rate of {rate} makes no sense.", "Give one between 0 and 1, such as 0.01.",
    "A share of {share} makes no sense.", "Give one between 0 and 1, such as 0.1.",
    "The right person scores no higher than a wrong one here.",
    "Check that photographs of one person are enrolled under one name.", "{name} is no time.",
    "Write it as 2027-11-24 or 2027-11-24T13:00:00+01:00.",
    "The audit log {name} cannot be used ({why}), and nothing is done that it does not record.",
    "Make room or check its permissions, or name another file with BYTEFACE_AUDIT.",
    "The gallery {name} is encrypted.", "Give its key with BYTEFACE_KEY_FILE or BYTEFACE_KEY.",
    "The gallery {name} is encrypted with another key.", "Give the one that it was made with.",
)  # fmt: skip
"""The sentences of the core's errors that reach a page, with what differs in braces. Each is in every catalogue."""

CAUSES = (
    "it does not say what it holds", "it is of another format", "what it says of itself cannot be read",
    "it holds other files than it states", "its content is not as it states", "its pages are damaged",
    "its tables are not a gallery's", "photographs of nobody are in it", "it cannot be read",
    "it is no backup, or is cut off", "its content has another SHA-256 than it states",
    "a face in it has not the numbers of its space", "a face in it has values that are no numbers",
    "a face in it is not of length 1", "a kept face in it has no time", "a kept face in it is none",
    "a person in it has not the photographs that are counted", "a person in it is not the mean of the photographs",
    "a person's record in it is none", "a photograph in it is none", "a text in it is none",
    "it does not say how long faces are kept", "it does not say how long people are held",
    "it does not say which faces it compares",
)  # fmt: skip
"""What may stand for `{why}` in a sentence; anything else there, such as the system's own words, stays as it is."""

REMARKS = (
    "Too small: {value} px, needs {limit}", "Blurred", "Turned away {value}°", "Too dark or too bright",
)  # fmt: skip
"""What may stand for `{remarks}`: one or more of them, with commas between."""


def in_words(message: str) -> str:
    """A message of the core in the reader's language, unchanged where a part of it is not known."""
    said: list[str] = []
    rest = message
    while rest:
        for sentence, pattern in _patterns():
            found = pattern.match(rest)
            if found:
                values = {field: _value(field, value) for field, value in found.groupdict().items()}
                said.append(t(sentence, **values) if values else t(sentence))
                rest = rest[found.end() :]
                break
        else:
            return message
    return " ".join(said)


def _value(field: str, value: str) -> str:
    """What stands in a sentence's braces, in the reader's language too where it is known or a number."""
    if field == "why":
        return t(value) if value in CAUSES else value
    if field == "remarks":
        return ", ".join(_remarks(value))
    return number_text(int(value.replace(",", ""))) if _THOUSANDS.fullmatch(value) else value


def _remarks(text: str) -> list[str]:
    """Remarks about a face; the rest of the text as it is where one is not known."""
    for words in REMARKS:
        found = re.match(f"(?:{_regex(words)})(?:, |$)", text)
        if found:
            values = found.groupdict()
            return [t(words, **values) if values else t(words), *_remarks(text[found.end() :])]
    return [text] if text else []


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Those with the least left open first, so that a name never swallows a sentence that is known."""
    made = [(sentence, re.compile(_regex(sentence) + r"(?: +|$)", re.DOTALL)) for sentence in SENTENCES]
    return tuple(sorted(made, key=lambda one: one[0].startswith("{")))


def _regex(sentence: str) -> str:
    pieces = []
    for literal, field, _, _ in string.Formatter().parse(sentence):
        pieces.append(re.escape(literal))
        if field:
            pieces.append(f"(?P<{field}>.+?)")
    return "".join(pieces)
