"""Is everything as it must be: what `authz doctor` and `/readyz` look at (N-51)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from authz import clock
from authz.audit.tables import AuditRecord
from authz.config import Settings
from authz.errors import AuthzError
from authz.policy.load import load
from authz.service import delivery, roles, verification
from authz.service.database import current, reading, writing
from authz.service.gauges import checkpoint_age
from authz.service.journals import catch_up, folder_of, open_settings, waiting

SKEW = timedelta(minutes=5)
FAILURES = 3
"""How often a receiver may fail before it is told of."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is well, and what was seen or is to be done."""

    name: str
    well: bool
    detail: str


def examine(settings: Settings, progress: Callable[[int, int], None] | None = None) -> list[Check]:
    """Look at policy, database, guards, journals, chains, receivers, clock, keys and more."""
    store = open_settings(settings)
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("policy", lambda: _policy(settings)),
        ("database", lambda: _database(store)),
        ("migrations", lambda: _migrations(store)),
        ("journals", lambda: _journals(store, settings)),
        ("guards", lambda: roles.guarded(store)),
        ("audit", lambda: _audit(store, settings, progress)),
        ("checkpoint", lambda: _checkpoint(store, settings)),
        ("receivers", lambda: _receivers(store, settings)),
        ("clock", lambda: _clock(store)),
        ("keys", lambda: _keys(settings.key_folder)),
    )
    return [_look(name, look) for name, look in looks]


def _look(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, well=True, detail=look())
    except AuthzError as error:
        return Check(name, well=False, detail=str(error))


def _policy(settings: Settings) -> str:
    policy = load(settings.policy)
    return f"{policy.catalogue.name}, digest {policy.digest[:16]}"


def _database(store: Engine) -> str:
    with writing(store) as connection:
        connection.execute(select(1))
    return f"{store.dialect.name} answers and can be written"


def _migrations(store: Engine) -> str:
    here, newest = current(store)
    if here != newest:
        raise AuthzError(
            f"The database is at revision {here or 'none'}, and {newest} is the newest.",
            hint="Run `authz db upgrade`.",
        )
    return f"at revision {here}"


def _journals(store: Engine, settings: Settings) -> str:
    """What of the journals could not be moved to the database, and how much waits."""
    folder = folder_of(settings)
    if folder is None:
        return "none; records go to the database at once"
    shipped = catch_up(store)
    for chain, damage in shipped.damage.items():
        raise AuthzError(
            f"The journal {chain} is damaged at record {damage.sequence}: {damage.text}.",
            where=str(folder),
            hint="Keep a copy of the folder; the other journals are moved.",
        )
    return f"in {folder}, {waiting(store)} bytes wait to be moved"


def _audit(store: Engine, settings: Settings, progress: Callable[[int, int], None] | None) -> str:
    verdict = verification.verify(store, settings, progress=progress)
    if verdict.damage is not None:
        raise AuthzError(
            f"The trail is damaged: {verdict.damage.text}.",
            hint="Run `authz audit verify`, and keep a copy of the database.",
        )
    return f"whole, {verdict.records} records"


def _checkpoint(store: Engine, settings: Settings) -> str:
    """A keeper that does not run signs nothing; before the first one there is nothing old."""
    with reading(store) as connection:
        found = checkpoint_age(connection)
    if found is None:
        return "none yet"
    age, size = found
    if age > late(settings):
        raise AuthzError(
            f"The newest checkpoint is {int(age)} seconds old.",
            hint="See whether `authz audit keep` runs; `authz serve` starts it.",
        )
    return f"{int(age)} seconds old, over {size} records"


def late(settings: Settings) -> float:
    """Seconds after which a checkpoint should have been followed by the next."""
    return 3 * settings.checkpoint_seconds + SKEW.total_seconds()


def _receivers(store: Engine, settings: Settings) -> str:
    lags = delivery.lags(store, settings)
    for lag in lags:
        if lag.failures >= FAILURES:
            raise AuthzError(
                f"The receiver {lag.name} took nothing {lag.failures} times: {lag.error}",
                hint=f"It is {lag.records} records behind and will get them when it answers.",
            )
    return ", ".join(f"{lag.name} {lag.records} records behind" for lag in lags) or "none"


def _clock(store: Engine) -> str:
    """A clock set back would put new records before old ones."""
    with reading(store) as connection:
        newest = connection.scalar(select(func.max(AuditRecord.time)))
    now = clock.now()
    if newest and clock.parse(newest, now.tzinfo or clock.zone("UTC")) > now + SKEW:
        raise AuthzError(
            f"The newest record is of {newest}, which this clock has not reached.",
            hint="Set the clock, by NTP.",
        )
    return now.isoformat(timespec="seconds")


def _keys(folder: Path) -> str:
    if not folder.is_dir():
        return "none yet; made with the first token"
    for path in (folder, *sorted(folder.iterdir())):
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise AuthzError(
                "Others on this machine can read it.",
                where=str(path),
                hint="Take their rights: chmod go-rwx.",
            )
    return f"in {folder}, readable by the service only"
