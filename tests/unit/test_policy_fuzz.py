"""Whatever a pack holds, it starts or is refused with its place; it never crashes (3.3)."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import casbin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.errors import PolicyError
from authz.policy.load import load

SCHOOL = Path(__file__).resolve().parents[2] / "policies" / "school"
FILES = ("model.conf", "policy.csv", "catalogue.toml")
TEXTS = {name: (SCHOOL / name).read_text("utf-8") for name in FILES}
LETTERS = "()[]{}\"'|*,.#!&=\\ \n\t\r\0\u0e01\u200b;%-_"
WORDS = ("&&", "||", "any", "all but ", "True", "r.rel.", "r.pair.", "p, ", "g, ", "allow", "deny")
MORE = ("eval(p.condition)", "[categories.x]", "1", "1e9")
PIECES = st.sampled_from([*LETTERS, *WORDS, *MORE]) | st.text(max_size=3)
EXAMPLES = int(os.environ.get("AUTHZ_FUZZ", "100"))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, str]:
    """One file of the school pack, cut, filled or turned around in one or two places."""
    name = draw(st.sampled_from(FILES))
    text = TEXTS[name]
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 5, 20, 200]))
        moved = text[start:end] if draw(st.booleans()) else ""
        place = draw(st.integers(0, len(text)))
        text = text[:start] + draw(PIECES) + text[end:]
        text = text[:place] + moved + text[place:]
    return name, text


@settings(max_examples=EXAMPLES)
@given(damaged())
def test_a_damaged_pack_starts_or_says_where_it_is_wrong(change: tuple[str, str]) -> None:
    """And where it starts, Casbin reads the same rules."""
    name, text = change
    with TemporaryDirectory() as folder:
        for other, good in TEXTS.items():
            (Path(folder) / other).write_text(text if other == name else good, "utf-8", newline="")
        try:
            policy = load(Path(folder))
            stock = casbin.Enforcer(f"{folder}/model.conf", f"{folder}/policy.csv").get_policy()
            found = sorted((*policy.permits, *policy.refusals), key=lambda c: c.rule.line)
            assert [c.rule.id for c in found] == [columns[0] for columns in stock]
            assert [c.rule.condition for c in found] == [columns[5] for columns in stock]
        except PolicyError as error:
            file, _, line = error.where.removeprefix(folder + os.sep).partition(":")
            if file not in FILES or not line.isdigit():
                pytest.fail(f"It does not say where: {error}")
