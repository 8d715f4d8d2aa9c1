"""Local sign-ins: hashed, recorded, ended (N-40, N-45)."""

from __future__ import annotations

import json

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select

from authz.audit.tables import AuditRecord
from authz.errors import ConflictError, NotFoundError
from authz.service import users
from authz.service.tables import SignIn


def test_a_password_is_kept_as_its_hash_only_and_never_recorded(store: Engine) -> None:
    """N-45: no secret readable by anyone."""
    password = users.add(store, "siri", person=None, by="root", because="new officer")
    with store.connect() as connection:
        kept = connection.scalars(select(SignIn.password_hash)).one()
        bodies = connection.scalars(select(AuditRecord.body)).all()
    assert kept.startswith("$argon2id$")
    assert PasswordHasher().verify(kept, password)
    assert not any(password.encode() in body or kept.encode() in body for body in bodies)
    record = json.loads(bodies[-1])
    assert (record["event"], record["detail"]["why"]) == ("user_added", "new officer")


def test_a_name_is_given_once(store: Engine) -> None:
    users.add(store, "siri", person=None, by="root")
    with pytest.raises(ConflictError):
        users.add(store, "siri", person=None, by="root")


def test_a_sign_in_belongs_to_a_person_who_exists(store: Engine) -> None:
    with pytest.raises(NotFoundError):
        users.add(store, "siri", person="nobody", by="root")


def test_a_reset_gives_another_password(store: Engine) -> None:
    first = users.add(store, "siri", person=None, by="root")
    assert users.reset(store, "siri", by="root") != first


def test_what_is_ended_can_neither_be_reset_nor_ended_again(store: Engine) -> None:
    users.add(store, "siri", person=None, by="root")
    users.disable(store, "siri", by="root", because="left")
    for change in (users.reset, users.disable):
        with pytest.raises(NotFoundError):
            change(store, "siri", by="root")
    with store.connect() as connection:
        events = connection.scalars(select(AuditRecord.event).order_by(AuditRecord.sequence)).all()
    assert events == ["user_added", "user_disabled"]
