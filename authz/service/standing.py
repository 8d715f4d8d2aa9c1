"""What a service starts with, recorded when it is not what the last one started with (N-49).

Pack and settings are no rows of the store: nobody changes them through the service. So
each start looks at what was recorded last, and whoever finds a difference records it,
once, however many workers start.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, make_url, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from authz.audit.record import MASK, Entry, Ref
from authz.config import Settings
from authz.engine.policy import Policy
from authz.policy import diff
from authz.service import changing
from authz.service.changing import APPLICATION, By
from authz.service.database import reading, writing
from authz.service.tables import Standing
from authz.vocabulary import Event

WHY: Final = "start of the service"
POLICY: Final = "policy"
SETTINGS: Final = "settings"
SALT: Final = "salt"
ADDRESSES: Final = ("database_url", "smtp_url")
"""The settings that may hold a password as a part of what they say."""


@dataclass(frozen=True, slots=True)
class State:
    """What the service starts with, under the name of its row."""

    name: str
    digest: str
    value: Mapping[str, Any]


Make = Callable[[Mapping[str, Any]], State]
"""What a service starts with, given what was on file: the salt is kept."""


def note(store: Engine, settings: Settings, policy: Policy) -> None:
    """Record pack and settings where they are not those that were recorded last."""
    makes: Mapping[str, Make] = {
        POLICY: lambda _: State(POLICY, policy.digest, diff.described(policy)),
        SETTINGS: lambda last: configured(settings, last.get(SALT) or secrets.token_hex(16)),
    }
    with reading(store) as connection:
        known = {row.name: row for row in connection.execute(select(*Standing.__table__.c))}
    due = [
        name
        for name, make in makes.items()
        if name not in known or known[name].digest != make(known[name].value).digest
    ]
    if due:
        by = By.now(APPLICATION, WHY)
        with writing(store) as connection:
            for name in due:
                _note(connection, by, name, makes[name])


def configured(settings: Settings, salt: str) -> State:
    """The settings as a record may hold them; of a secret, a slow hash that tells a change.

    Secret is the password in an address, and whatever is typed as a secret.
    """
    values = settings.model_dump(mode="json")
    kept: dict[str, str] = {}
    for name in ADDRESSES:
        if values[name]:
            values[name], kept[name] = _address(values[name])
    for name in values:
        hidden = getattr(settings, name)
        if hasattr(hidden, "get_secret_value"):
            kept[name], values[name] = str(hidden.get_secret_value()), MASK
    hashed = {name: _slow(text, salt) for name, text in kept.items() if text}
    value = {"shown": values, "secret": hashed, SALT: salt}
    return State(SETTINGS, _digest(value), value)


def _address(address: str) -> tuple[str, str]:
    """An address as a record may hold it, and what of it is secret."""
    try:
        url = make_url(address)
    except ArgumentError:
        return MASK, address
    if "@" in (url.host or ""):  # others may read more of it as the password
        return MASK, address
    secret = {name: text for name, text in url.query.items() if "password" in name.lower()}
    shown = url.update_query_dict(dict.fromkeys(secret, MASK))
    hidden = [str(url.password or ""), *("".join(text) for text in secret.values())]
    return shown.render_as_string(hide_password=True), "\n".join(filter(None, hidden))


def _slow(text: str, salt: str) -> str:
    return hashlib.scrypt(text.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _note(connection: Connection, by: By, name: str, make: Make) -> None:
    """Put the state on file with its record, unless another worker has just done so."""
    table = Standing.__table__
    assert isinstance(table, Table)  # noqa: S101 (narrowing for the type checker)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    empty = {"name": name, "digest": "", "value": {}, "recorded_at": by.at}
    connection.execute(dialect.insert(table).values(empty).on_conflict_do_nothing())
    mine = table.c.name == name
    last = connection.execute(select(table).where(mine).with_for_update()).one()
    state = make(last.value)
    if last.digest == state.digest:
        return
    values = {"digest": state.digest, "value": state.value, "recorded_at": by.at}
    connection.execute(update(table).where(mine).values(values))
    entry = _policy if name == POLICY else _settings
    changing.record(connection, [entry(by, last.digest, last.value, state)])


def _policy(by: By, digest: str, value: Mapping[str, Any], state: State) -> Entry:
    """The digests, and every difference between the packs; the first pack has none."""
    differences = diff.as_dict(diff.compare(value, state.value)) if value else []
    return changing.changed(
        Event.POLICY_CHANGED,
        by,
        Ref("policy", state.value["pack"][next(iter(state.value["pack"]))]["name"]),
        {"digest": digest} if digest else {},
        {"digest": state.digest},
        more={"differences": differences},
    )


def _settings(by: By, _: str, value: Mapping[str, Any], state: State) -> Entry:
    """The settings that differ, by name, before and after."""
    before, after = _told(value), _told(state.value)
    names = changing.differing(before, after)
    return changing.changed(
        Event.SETTINGS_CHANGED,
        by,
        Ref("settings", APPLICATION),
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
        more={"secrets_changed": _secrets_changed(value, state.value)},
    )


def _told(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(value.get("shown", {}))


def _secrets_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The settings whose secret part is another than before; first seen is no change."""
    return changing.differing(old["secret"], new["secret"]) if old else []
