"""The question as it is read: what is required, what is passed over, what is malformed (2.1)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.decision.request import parse, question
from authz.errors import MalformedError
from tests.world import question as ask

GOOD = ask("mum", "read", "contact", "kid")
NO_OBJECTS: tuple[Any, ...] = (None, [], "x", 1, True)


@pytest.mark.parametrize("name", ["subject", "action", "resource"])
@pytest.mark.parametrize("value", NO_OBJECTS)
def test_each_part_is_an_object(name: str, value: Any) -> None:
    with pytest.raises(MalformedError) as error:
        parse({**GOOD, name: value})
    assert error.value.where == name


@pytest.mark.parametrize("path", ["subject.type", "subject.id", "action.name", "resource.id"])
@pytest.mark.parametrize("value", [None, 7, ["x"], {}])
def test_each_name_is_a_string_and_required(path: str, value: Any) -> None:
    part, _, name = path.partition(".")
    with pytest.raises(MalformedError) as error:
        parse({**GOOD, part: {**GOOD[part], name: value}}, "evaluations[3].")
    assert error.value.where == f"evaluations[3].{path}"


def test_a_member_that_is_null_is_absent() -> None:
    """Page 5, "Values"."""
    nulls = dict.fromkeys(("purpose", "ticket", "order", "case", "justification", "mfa"))
    asked = question(parse({**GOOD, "context": nulls}), believes_mfa=True)
    assert asked == question(parse({**GOOD, "context": nulls}), believes_mfa=False)
    assert (asked.purpose, asked.ticket, asked.mfa, asked.justified) == (None, None, False, False)


@pytest.mark.parametrize(("words", "justified"), [("flood", True), ("", False), (" \t\n", False)])
def test_a_justification_holds_more_than_white_space(words: str, justified: bool) -> None:
    """Page 5 (N-44)."""
    asked = parse({**GOOD, "context": {"justification": words}})
    assert question(asked, believes_mfa=False).justified is justified


def test_a_second_factor_is_believed_only_from_who_may_assert_it() -> None:
    """Page 5 (N-40)."""
    asked = parse({**GOOD, "context": {"mfa": True}})
    assert question(asked, believes_mfa=True).mfa
    assert not question(asked, believes_mfa=False).mfa


@given(st.dictionaries(st.text(), st.integers()))
def test_unknown_members_are_passed_over(more: dict[str, int]) -> None:
    for name in ("subject", "action", "resource", "context"):
        more.pop(name, None)
    assert parse({**more, **GOOD}) == parse(GOOD)


def test_a_field_twice_is_a_field_once_in_its_order() -> None:
    asked = parse(ask("a", "read", "contact", "b", properties={"fields": ["b", "a", "b"]}))
    assert question(asked, believes_mfa=False).fields == ("b", "a")
