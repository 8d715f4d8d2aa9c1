"""A verification leaves what the screens say of it: when, who, how much, and whether whole."""

from __future__ import annotations

from sqlalchemy import Engine, text

from authz.audit import log, trail
from authz.service import usage, verified
from authz.service.database import reading
from authz.service.verification import verify_range
from tests.stores.test_audit_support import entries, unguard


def test_the_last_verification_of_the_whole_trail_is_told(store: Engine) -> None:
    log.record(store, entries(3))
    assert usage.state(store).verified is None
    with reading(store) as connection:
        verdict = trail.verify(connection)
    verified.note(store, verdict, by="op", asked={"since": ""})
    part = verify_range(store, "main", first=1, last=2)
    verified.note(store, part, by="op", asked={"chain": "main", "first": 1, "last": 2})
    found = usage.state(store).verified
    assert found is not None
    assert (found.who, found.whole, found.records, found.asked) == ("op", True, 3, {})
    some = verified.last(store, whole=False)
    assert some is not None
    assert some.asked == {"chain": "main", "first": 1, "last": 2}


def test_damage_that_was_found_is_told_by_its_kind(store: Engine) -> None:
    log.record(store, entries(3))
    with store.begin() as connection:
        unguard(connection)
        connection.execute(text("UPDATE audit_record SET reason = 'x' WHERE sequence = 2"))
    with reading(store) as connection:
        verdict = trail.verify(connection)
    assert not verdict.whole
    verified.note(store, verdict, by="op", asked={})
    found = verified.last(store)
    assert found is not None
    assert verdict.damage is not None
    assert (found.whole, found.damage) == (False, verdict.damage.kind)
