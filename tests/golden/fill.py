"""Write the exact answers under cases that have none yet: ``python -m tests.golden.fill``.

They come from the oracle, and only where it agrees with what the case expects. With ``--anew``
those that are there are written again; what changed is then to be read, line by line.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.golden import expected
from tests.golden.cases import ANSWERED, SAME, files, load

INDENT = " " * 8
CASE = "      - name: "
WIDTH = 100


def fill(path: Path, *, anew: bool) -> int:
    """Write the answers into the file; how many cases got some."""
    golden = load(path)
    school = golden.world.oracle()
    wanted = {
        case.name: expected.of(golden, school, case)
        for case in golden.cases
        if anew or not case.answers
    }
    lines, blocks = _blocks(path.read_text(encoding="utf-8").splitlines())
    for name, own, rest in blocks:
        lines += [*_stripped(own), *_written(wanted[name])] if name in wanted else own
        lines += rest
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return len(wanted)


def _blocks(lines: list[str]) -> tuple[list[str], list[tuple[str, list[str], list[str]]]]:
    """What stands before the first case; each case with its lines and those up to the next."""
    starts = [n for n, line in enumerate(lines) if line.startswith(CASE)]
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        last = start + 1
        while last < end and lines[last].startswith(INDENT):
            last += 1
        found.append((lines[start].removeprefix(CASE), lines[start:last], lines[last:end]))
    return lines[: starts[0]], found


def _stripped(block: list[str]) -> list[str]:
    """The lines of a case without its answers."""
    kept: list[str] = []
    answers = False
    for line in block:
        if line[: len(INDENT) + 1].strip():
            answers = line.strip().partition(":")[0] in ANSWERED
        if not answers:
            kept.append(line)
    return kept


def _written(answers: dict[str, Any] | None) -> list[str]:
    written: list[str] = []
    for name, value in (answers or {}).items():
        same = name == "inward" and answers and value == answers["outward"]
        text = f"{name}: {SAME if same else json.dumps(value, ensure_ascii=False)}"
        written += textwrap.wrap(
            text, WIDTH, initial_indent=INDENT, subsequent_indent=f"{INDENT}  ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return written


def main() -> None:
    """Fill every file."""
    for path in files():
        count = fill(path, anew="--anew" in sys.argv)
        sys.stdout.write(f"{path.name}: {count} cases written\n")


if __name__ == "__main__":
    main()
