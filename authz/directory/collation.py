"""The order of people's names, Thai first, as a text that any database sorts by its bytes.

Thai names are ordered by the Royal Institute's dictionary: a vowel written before its
consonant counts after it, and tone marks decide only between names that are otherwise alike.
The key is kept with the person, so that a page of a list is a range of an index, the same on
both databases; a test holds its order equal to that of ICU (``th-x-icu``).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 200
_END: Final = "\x01"
_MARKS: Final = "\u0e47-\u0e4e\u0300-\u036f"
_MARK: Final = re.compile(f"[{_MARKS}]")
_BASES: Final = re.compile(f"[^{_MARKS}]")
_LEADING: Final = re.compile("([\u0e40-\u0e44])([\u0e01-\u0e2e])")
_OTHER: Final = re.compile("[^\\d\u0e00-\U0010ffff]")
_AFTER_THAI: Final = 0xE000
_IGNORED: Final = re.compile("[\x00-\x20!-/:-@\\[-`{-\x7f\ud800-\udfff]+")


def name_order(given: str | None, family: str | None) -> str:
    """The key of somebody's name: by the given name, then by the family name."""
    return f"{_key(given or '')}{_END}{_key(family or '')}"


def beginning(text: str) -> str:
    """What the keys of all names begin with whose given name begins with that text."""
    return _letters(_plain(text))


def _key(name: str) -> str:
    plain = _plain(name[:LONGEST])
    tones = _BASES.sub(" ", _LEADING.sub(r"\2\1", plain)).rstrip()
    return f"{_letters(plain)}{_END}{tones}"


def _plain(name: str) -> str:
    """One spelling of what looks alike; case, spaces and punctuation decide nothing."""
    text = unicodedata.normalize("NFKD", _IGNORED.sub("", name)).casefold()
    return text.replace("\u0e4d\u0e32", "\u0e33")


def _letters(plain: str) -> str:
    """What decides first; other letters stand after the Thai ones, as a Thai list has them."""
    thai = _MARK.sub("", _LEADING.sub(r"\2\1", plain))
    return _OTHER.sub(lambda found: chr(_AFTER_THAI + ord(found[0])), thai)
