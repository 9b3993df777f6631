"""How many passes a JPEG asks for: each paints the whole picture again and takes a few bytes. Knows markers alone.

Whoever makes one by hand can put thousands into a megabyte, hours of work for a decoder. Cameras write one, programs
for the web about ten.
"""

from __future__ import annotations

import re

MOST = 100
"""More are refused; libtiff draws the line at as many for JPEG inside of TIFF."""

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""Neither a stuffed byte of a scan (FF 00), nor a restart within it (FF D0 to D7), nor filling (FF FF)."""
_ALONE = {0x01, 0xD8}
_END, _SCAN = 0xD9, 0xDA


def too_many(jpeg: bytes) -> bool:
    """Whether a JPEG has more than `MOST` scans before its end; what follows the end, as in motion photos, is no scan.

    Source: ITU-T T.81, B.1 and B.2.
    """
    at, scans = 2, 0
    while found := _MARKER.search(jpeg, at):
        marker, at = found.group(1)[0], found.end()
        if marker == _END:
            return False
        if marker in _ALONE:
            continue
        if marker == _SCAN:
            scans += 1
            if scans > MOST:
                return True
        at += int.from_bytes(jpeg[at : at + 2], "big")
    return False
