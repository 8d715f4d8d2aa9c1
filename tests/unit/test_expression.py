"""The language of conditions: what it lets through, and that it means what Casbin means (3.4)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from casbin.core_enforcer import CoreEnforcer
from casbin.util import escape_assertion
from hypothesis import example, given
from hypothesis import strategies as st

from authz.engine.expression import (
    FUNCTIONS,
    MISSING,
    Bag,
    ExpressionError,
    compile_rule,
    held,
    listed,
    mentions_of,
    parse,
)

TOKENS = ("r_rel", "r_act", "r_res")


def ours(condition: str) -> Callable[..., bool]:
    return compile_rule("eval(p_condition)", TOKENS, {}, condition).holds


def stock(condition: str, *values: object) -> object:
    """What pycasbin's own evaluator says."""
    text = f"({escape_assertion(condition)})"
    expression = CoreEnforcer._get_expression(text, dict(FUNCTIONS))
    return expression.eval(dict(zip(TOKENS, values, strict=True)))


ATOMS = st.sampled_from(
    [
        "r.rel.a",
        "r.rel.b",
        "!r.rel.c",
        'r.act.name == "read"',
        'r.act.name != "read"',
        'listed(r.act.name, "read|write")',
        'listed(r.act.name, "all but read")',
        'r.res.properties.owner == "u"',
        'r.res.properties.owner.id == "u"',
        "r.res.properties.level >= 2",
        "True",
        "False",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("{} || {}".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("{} && {}".format, inner, inner),
    ),
    max_leaves=8,
)
OWNERS = st.sampled_from([None, "u", "v", {"id": "u"}, {"id": None}, {}])


@given(
    CONDITIONS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["read", "write", "x"]),
    OWNERS,
    st.sampled_from([None, 1, 2, "2"]),
)
@example("r.rel.a && !r.rel.b", True, False, False, "read", None, None)
def test_a_condition_holds_just_where_it_holds_in_casbin(
    condition: str, a: bool, b: bool, c: bool, action: str, owner: object, level: object
) -> None:
    properties = {"owner": owner, "level": level}
    values = (
        SimpleNamespace(a=a, b=b, c=c),
        SimpleNamespace(name=action),
        SimpleNamespace(properties=Bag(properties)),
    )
    try:
        expected: Any = stock(condition, *values)
    except Exception:  # noqa: BLE001 (whatever it is, ours must break too)
        with pytest.raises((TypeError, AttributeError)):
            ours(condition)(*values)
    else:
        assert bool(ours(condition)(*values)) is bool(expected)


def test_a_condition_names_what_it_asks() -> None:
    condition = '!r.rel.a && (r.act.name == "x" || r.res.properties.owner.id == "u")'
    names = {"r.rel.a", "r.act.name", "r.res.properties", "r.res.properties.owner"}
    assert mentions_of(condition, TOKENS) == names | {"r.res.properties.owner.id"}


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("any", "x", True),
        ("all", "x", True),
        ("read", "read", True),
        ("read|write", "write", True),
        ("read|write", "wri", False),
        ("read|write", "read|write", False),
        ("contact(email phone)|identity", "contact", True),
        ("contact(email phone)|identity", "email", False),
        ("service*|account", "service", True),
        ("service*|account", "service*", False),
        ("all but credentials|national_id", "credentials", False),
        ("all but credentials|national_id", "identity", True),
        ("", "", True),
        ("read", "", False),
    ],
)
def test_a_column_lists_what_it_says(text: str, value: str, expected: bool) -> None:
    assert listed(value, text) is expected


def test_any_is_held_by_everybody_and_no_other_role_is() -> None:
    assert held(frozenset(), "any")
    assert held(frozenset({"dpo"}), "dpo")
    assert not held(frozenset({"dpo"}), "dp")
    assert not held(frozenset({"any"}), "dpo")


def test_a_member_of_a_text_is_not_a_part_of_it() -> None:
    """3.5: ids are compared byte for byte, and what cannot be evaluated is not so."""
    among = ours("r.act.name in r.res.properties.owners")
    name = SimpleNamespace(name="ali")

    def asked(owners: object) -> bool:
        return among(None, name, SimpleNamespace(properties=Bag({"owners": owners})))

    assert asked(["ali"])
    assert not asked(["alice"])
    for no_list in ("alice", "ali"):
        with pytest.raises(TypeError):
            asked(no_list)
    assert Bag({"name": "ali"}).name == "ali"


def test_what_is_missing_is_equal_to_nothing() -> None:
    """Two absent owners are not the same owner."""
    one, other = Bag({}).owner, Bag({"owner": None}).owner
    assert one is MISSING
    assert one != other
    assert not one == other  # noqa: SIM201 (both operators are meant)
    assert not one
    assert Bag({}).owner.id.deeper is MISSING
    assert not listed(one, "read")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "r.rel.a.__class__",
        "().__class__",
        "[].append",
        "(lambda: 1)()",
        "r.rel.a if True else False",
        "{r.rel.a}",
        "{**r.rel}",
        "r.rel[0]",
        "f'{r.rel.a}'",
        "r.rel.a or (yield)",
        "await r.rel.a",
        "r.rel.a; r.rel.b",
        "r.rel.a\nr.rel.b",
        "1j == 1",
        "... == 1",
        "None == None",
        "r.act.name.format",
        "r.rel.func_globals",
        "listed(*r.act)",
        "listed(r.act.name, text='x')",
        "listed.__globals__",
        "eval(r.act.name)",
        "r.rel.a\x00",
        "-r.rel.a",
        "r.rel.a is True",
        "globals",
        "not_known.a",
    ],
)
def test_nothing_else_is_let_through(text: str) -> None:
    with pytest.raises(ExpressionError):
        mentions_of(text, TOKENS)
    with pytest.raises(ExpressionError):
        compile_rule("eval(p_condition)", TOKENS, {}, text)


@given(st.text(alphabet="r.ela()&|!='\"<> \\#{}[]_0Tn\u0e01", max_size=40))
def test_any_text_is_a_condition_or_an_expression_error(text: str) -> None:
    """A condition never crashes the loader."""
    with suppress(ExpressionError):
        mentions_of(text, TOKENS)


@pytest.mark.parametrize("text", ["!" * 3000 + "r.rel.a", "(" * 500 + "r.rel.a" + ")" * 500])
def test_deep_nesting_is_an_expression_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        mentions_of(text, TOKENS)


@pytest.mark.parametrize("text", ["True) || (True", "r.rel.a) or True or (False"])
def test_a_condition_does_not_reach_out_of_its_brackets(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_rule("r_rel.b && eval(p_condition)", TOKENS, {}, text)


def test_casbin_rewrites_inside_quotes_so_it_may_not_be_there() -> None:
    assert stock('r.act.name == "a&&b"', None, SimpleNamespace(name="aandb"), None) is True
    for string in ('"a&&b"', '"a||b"', '"a!b"', '"r.x"', '"p.x"', r'"\n"', '"#"'):
        with pytest.raises(ExpressionError, match="Casbin would read"):
            parse(f"r.act.name == {string}")
