"""Whatever bytes a facts or requests file holds: it is taken, or it is said what is wrong."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from authz.directory.recording.kinds import KINDS
from authz.directory.recording.lines import Fact, read
from authz.directory.recording.members import Reading
from authz.errors import FactError
from authz.service.record_facts import import_facts
from tests.world import BANGKOK, World, clear, policy

bounded = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
likely = st.sampled_from(
    [
        *("ann", "bob", "S1", "P", "A", "J", "x", "active", "deregistered", "dpo", "parent"),
        *("2026-01-01", "2026-06-01T08:00", "0001-01-01", "9999-12-31T23:59:59-11:00"),
        *("event", "service", "contact", "read", "all", "domestic", "incident", "TH"),
        *(["ann"], ["S1"], ["contact"], ["read"], ["service"], {"contact": []}, True, 7),
    ]
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line that comes near to a fact, or is none at all."""
    if not draw(st.integers(0, 9)):
        return draw(st.text(max_size=20).filter(lambda text: "\n" not in text))
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    members: dict[str, Any] = {"fact": kind.name}
    for name, member in kind.members.items():
        if member.required or draw(st.booleans()):
            members[name] = draw(st.one_of(likely, likely, likely, values))
    if not draw(st.integers(0, 9)):
        members[draw(st.sampled_from(["delete", "more", "id", "person"]))] = draw(values)
    return json.dumps(members)


def reading() -> Reading:
    return Reading(BANGKOK, policy().catalogue)


@settings(bounded, max_examples=400)
@given(st.lists(st.one_of(lines(), texts), max_size=4))
def test_any_line_is_a_fact_or_says_what_is_wrong_and_where(some: list[str]) -> None:
    """Never a traceback, whatever the line holds (Bad input; N-51)."""
    found = list(read(some, reading(), "f.jsonl"))
    assert len(found) == sum(bool(text.strip()) for text in some)
    for each in found:
        assert isinstance(each, Fact) or each.where.startswith("f.jsonl:")


@settings(bounded, max_examples=150)
@given(st.lists(st.one_of(lines(), lines(), texts), max_size=3))
def test_any_file_is_put_on_file_or_refused_whole(sqlite_store: Engine, some: list[str]) -> None:
    """A FactError or success, and nothing else, through to the store (N-51)."""
    clear(sqlite_store)
    World().school("S1").person("ann", "bob").store(sqlite_store)
    try:
        found = import_facts(
            sqlite_store,
            lambda: some,
            name="f.jsonl",
            catalogue=policy().catalogue,
            local=BANGKOK,
            by="a-test",
        )
    except FactError:
        return
    assert found.lines == sum(bool(text.strip()) for text in some)


@settings(bounded, max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_facts_or_say_what_is_wrong(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    assert all(isinstance(each, FactError | Fact) for each in read([text], reading(), "f.jsonl"))
