"""Conditions in words: every part of the school's pack has some, in both languages."""

from __future__ import annotations

import pytest

from authz.policy.clauses import clauses
from authz.service.condition_texts import condition
from tests.world import policy

CONDITIONS = sorted({c.rule.condition for c in (*policy().permits, *policy().refusals)})


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("written", CONDITIONS)
def test_every_condition_of_the_pack_has_words(written: str, language: str) -> None:
    said = condition(written, language, policy().catalogue)
    assert said
    assert not any(sign in said for sign in ("r.", "r_", "&&", "==", "!r"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("True", "always"),
        (
            "r.rel.guardian && r.rel.minor",
            "the subject is the person's parent or guardian, and the person is a minor",
        ),
        (
            "!r.rel.minor || r.ctx.mfa",
            "it is not so that the person is a minor, or a second factor was shown",
        ),
        ('listed(r.act.name, "read|export")', "the action is one of read, export"),
        ('r.pair.basis != "consent"', "the legal basis is not consent"),
        ('r.pair.purpose == "service"', "the purpose is Run the functions"),
    ],
)  # fmt: skip
def test_a_condition_says_what_is_decided(written: str, said: str) -> None:
    assert condition(written, "en", policy().catalogue) == said


def test_a_comment_speaks_of_the_rules_right_below_it() -> None:
    """N-23."""
    lines = ["# One (N-22)", "p, a, x", "p, b, x", "# Two (E-05, N-44)", "p, c, x", "", "p, d, x"]
    text = "\n".join([*lines, "# (N-01)", "", "p, e, x"])
    assert clauses(text) == {
        "a": ("N-22",), "b": ("N-22",), "c": ("E-05", "N-44"), "d": (), "e": (),
    }  # fmt: skip
