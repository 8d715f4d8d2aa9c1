"""A condition narrowed to its relations says what the whole condition says, errors too (3.4, 3.5).

Conditions are written at random in the language of a pack; what is known of the question is
put in by :func:`~authz.engine.narrow.of_relations`, and told as tokens to the condition itself.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authz.engine.candidates import UnderTest
from authz.engine.expression import compile_rule
from authz.engine.narrow import of_relations

TOKENS = ("r_sub", "r_act", "r_res", "r_rel", "r_pair")
MATCHER = "held(r_sub.roles, p_role) && listed(r_act.name, p_action) && eval(p_condition)"
RELATIONS = ("self", "guardian", "minor")
ATOMS = st.sampled_from(
    [
        *(f"r.rel.{name}" for name in (*RELATIONS, "broken")),
        'listed(r.act.name, "read|export")',
        'listed(r.res.type, "all but contact")',
        'listed(r.pair.rule, "any")',
        'held(r.sub.roles, "parent")',
        'r.act.name == "read"',
        '"consent" != r.pair.basis',
        "r.pair.purpose in r.sub.roles",
        "r.pair.needed",
        "r.pair.no_fields",
        "r.pair.needed == True",
        "r.act.name > 3",
        '"a" in r.pair.needed',
        "(r.rel.self && r.pair.rule) == r.pair.rule",
        "(r.pair.rule && r.act.name) == r.act.name",
        "True",
        "False",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
    ),
    max_leaves=8,
)
PAIRS = st.builds(
    UnderTest,
    rule=st.sampled_from(["", "parent-read"]),
    purpose=st.sampled_from(["", "service", "teacher"]),
    basis=st.sampled_from(["", "consent", "contract"]),
    needed=st.booleans(),
    no_fields=st.booleans(),
)
WORDS = st.sampled_from(["read", "export", "contact", "grade"])
ROLES = st.frozensets(st.sampled_from(["parent", "teacher", "public"]))


class Related(SimpleNamespace):
    """Relations, of which one cannot be told."""

    @property
    def broken(self) -> bool:
        raise LookupError("a fact was asked that was not read")


def outcome(asked: Callable[[], Any]) -> bool | type[Exception]:
    try:
        return bool(asked())
    except Exception as error:  # noqa: BLE001 (whatever it is, both must raise it)
        return type(error)


@settings(max_examples=600)
@given(
    condition=CONDITIONS,
    columns=st.tuples(st.sampled_from(["any", "parent"]), st.sampled_from(["any", "read|grade"])),
    pair=PAIRS,
    words=st.tuples(WORDS, WORDS),
    roles=ROLES,
    related=st.fixed_dictionaries({name: st.booleans() for name in RELATIONS}),
)
def test_what_is_narrowed_says_what_the_whole_says(
    condition: str,
    columns: tuple[str, str],
    pair: UnderTest,
    words: tuple[str, str],
    roles: frozenset[str],
    related: dict[str, bool],
) -> None:
    lines = {"p_role": columns[0], "p_action": columns[1], "p_condition": condition}
    whole = compile_rule(MATCHER, TOKENS, lines, condition)
    relations = Related(**related)
    tokens = {
        "r_sub": SimpleNamespace(roles=roles),
        "r_act": SimpleNamespace(name=words[0]),
        "r_res": SimpleNamespace(type=words[1]),
        "r_rel": relations,
        "r_pair": pair,
    }
    narrowed = of_relations(whole.body, {**pair.known(*words), "r_sub.roles": roles})
    expected = outcome(lambda: whole.holds(*tokens.values()))
    if narrowed is not None:
        assert outcome(lambda: narrowed(relations)) == expected


def test_a_condition_that_asks_more_than_relations_is_not_narrowed() -> None:
    text = "r.rel.self && r.sub.level > 3"
    found = compile_rule("eval(p_condition)", TOKENS, {"p_condition": text}, text)
    assert of_relations(found.body, {}) is None


def test_what_is_known_need_not_be_asked() -> None:
    text = 'r.rel.self && listed(r.act.name, "read") && r.pair.needed'
    found = compile_rule("eval(p_condition)", TOKENS, {"p_condition": text}, text)
    narrowed = of_relations(found.body, {"r_act.name": "read", "r_pair.needed": True})
    assert narrowed is not None
    assert narrowed.__code__.co_names == ("self",)
