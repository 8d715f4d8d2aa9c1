"""A pack's files as text, and where in them something stands."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authz.errors import PolicyError

MODEL = "model.conf"
POLICY = "policy.csv"
CATALOGUE = "catalogue.toml"
LARGEST_FILE = 4 * 1024 * 1024
LINE_BREAKS = "\u0085\u2028\u2029"
"""Some tools end a line here and others do not, so that people and programs would disagree."""
JOINERS = "\u200b\u200c\u200d"
"""Thai texts may hold these; every other invisible character could hide what a rule says."""
DEEP_KEY = re.compile(r"""(?<![\w-])(?:["']?[\w-]++["']?+[ \t]*+\.[ \t]*+){32}""")
"""A name within a name, on and on: a few thousand of them keep the reader of TOML busy for good."""
MOST_CUTS = 100
"""Texts that are no TOML before the search for a line is given up."""
TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """The three files of a pack. ``digest`` names exactly this text in every record (3.3)."""

    folder: Path
    files: Mapping[str, str] = field(hash=False)
    digest: str

    def where(self, file: str, line: int = 0) -> str:
        """The place as people write it: ``policies/school/policy.csv:12``."""
        place = str(self.folder / file)
        return f"{place}:{line}" if line else place

    def problem(self, file: str, message: str, expected: str = "", line: int = 0) -> PolicyError:
        """The error for a defect at that place."""
        hint = f"Expected {expected}." if expected else ""
        return PolicyError(message, where=self.where(file, line), hint=hint)

    def member(self, message: str, expected: str, *path: str) -> PolicyError:
        """The error for a defect of the catalogue's member at ``path``."""
        line = toml_line(self.files[CATALOGUE], path) or 1
        return self.problem(CATALOGUE, message, expected, line)


def read(folder: Path) -> Source:
    """The files of the pack in ``folder``; PolicyError where one is missing or no plain text."""
    if not folder.is_dir():
        raise PolicyError(
            "There is no such policy pack.",
            where=str(folder),
            hint=f"A pack is a folder with {MODEL}, {POLICY} and {CATALOGUE}.",
        )
    files = {name: text_of(folder / name) for name in (MODEL, POLICY, CATALOGUE)}
    whole = hashlib.sha256()
    for name, text in files.items():
        whole.update(f"{name}\0{len(text)}\0{text}\0".encode())
    return Source(folder, files, whole.hexdigest())


def toml(source: Source) -> dict[str, Any]:
    """The catalogue, decoded; PolicyError names the line of what is no TOML."""
    text = source.files[CATALOGUE]
    if deep := DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise source.problem(CATALOGUE, "It is nested too deeply.", "flat tables", line)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = TOML_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        what = str(error).partition(" (at ")[0]
        raise source.problem(CATALOGUE, f"It is not TOML: {what}.", "TOML", line) from error
    except RecursionError as error:
        raise source.problem(CATALOGUE, "It is nested too deeply.", "flat tables", 1) from error
    except ValueError as error:
        raise source.problem(CATALOGUE, f"It is not TOML: {error}.", "TOML", 1) from error


def toml_line(text: str, path: Iterable[str]) -> int:
    """The line on which the member at ``path`` begins, or the nearest table that is there.

    A TOML text cut after a line is mostly TOML again, so the member begins where the
    shortest such beginning of the text holds it.
    """
    lines = text.splitlines(keepends=True)
    wanted, cuts = tuple(path), 0
    while wanted and not _holds(tomllib.loads(text), wanted):
        wanted = wanted[:-1]
    if not wanted:
        return 0
    without, having = 0, len(lines)
    while having - without > 1:
        middle, cut = (without + having) // 2, None
        while middle > without and (cut := _decoded(lines[:middle])) is None:
            middle, cuts = middle - 1, cuts + 1
            if cuts > MOST_CUTS:
                return 0
        if cut is None:
            without, having = _narrow(lines, without, having, wanted)
            break
        if _holds(cut, wanted):
            having = middle
        else:
            without = middle
    return without + 1


def _narrow(
    lines: list[str], without: int, having: int, wanted: tuple[str, ...]
) -> tuple[int, int]:
    """The same from below, where the lower half is no TOML at any cut."""
    for number in range(without + 1, having):
        cut = _decoded(lines[:number])
        if cut is not None:
            if _holds(cut, wanted):
                break
            without = number
    return without, without + 1


def _decoded(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def _holds(data: object, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


def text_of(path: Path) -> str:
    """The text of a file; PolicyError where it is missing, large, no UTF-8 or not plain."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)  # it may be a device, which has no end
    except OSError as error:
        raise PolicyError(
            f"It cannot be read: {error.strerror}.",
            where=str(path),
            hint=f"A pack is {MODEL}, {POLICY} and {CATALOGUE}.",
        ) from error
    if len(content) > LARGEST_FILE:
        raise PolicyError("It is larger than 4 MiB.", where=str(path))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PolicyError(
            "It is not UTF-8.", where=f"{path}:{line}", hint="Expected UTF-8."
        ) from error
    for number, line_text in enumerate(text.split("\n"), 1):
        for character in line_text:
            if not _plain(character):
                raise PolicyError(
                    f"It holds the invisible character U+{ord(character):04X}.",
                    where=f"{path}:{number}",
                    hint="Expected text that shows all it says.",
                )
    return text


def _plain(character: str) -> bool:
    if character in LINE_BREAKS:
        return False
    if unicodedata.category(character) in {"Cc", "Cf", "Co"}:
        return character in ("\t" + JOINERS)
    return True
