"""What Prometheus is told besides what was counted: how the store and its trail stand (4.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, func, select

from authz import __version__, clock, exposition, measures
from authz.audit.tables import AuditCheckpoint, AuditHead
from authz.audit.tree import size
from authz.config import Settings
from authz.errors import AuthzError
from authz.service import delivery
from authz.service.database import reading
from authz.service.journals import waiting

Value = tuple[tuple[str, ...], float]


class Gauge(NamedTuple):
    """Something that is looked at when it is asked for."""

    name: str
    about: str
    look: Callable[[Engine, Settings], Sequence[Value]]
    labels: tuple[str, ...] = ()


def text(store: Engine, settings: Settings) -> str:
    """All metrics in the text format of Prometheus, version 0.0.4.

    A part of the store that does not answer is left out, and ``authz_store_up`` is 0.
    """
    lines = exposition.counted(measures.COUNTED)
    up = 1
    for gauge in GAUGES:
        try:
            values = gauge.look(store, settings)
        except AuthzError:
            up = 0
            continue
        lines += exposition.head(gauge.name, gauge.about, "gauge")
        lines += [exposition.line(gauge.name, gauge.labels, *value) for value in values]
    lines += [*exposition.head(UP, UP_ABOUT, "gauge"), exposition.line(UP, (), (), up)]
    return "\n".join(lines) + "\n"


def checkpoint_age(connection: Connection) -> tuple[float, int] | None:
    """How many seconds ago the newest checkpoint was signed, and its size; none before it."""
    row = connection.execute(
        select(AuditCheckpoint.time, AuditCheckpoint.size)
        .order_by(AuditCheckpoint.size.desc(), AuditCheckpoint.time.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return (clock.now() - datetime.fromisoformat(row.time)).total_seconds(), row.size


def _one(look: Callable[[Connection], float | None]) -> Callable[..., Sequence[Value]]:
    def looked(store: Engine, _: Settings) -> Sequence[Value]:
        with reading(store) as connection:
            value = look(connection)
        return [] if value is None else [((), value)]

    return looked


def _age(connection: Connection) -> float | None:
    found = checkpoint_age(connection)
    return None if found is None else max(0.0, found[0])


def _signed(connection: Connection) -> float | None:
    found = checkpoint_age(connection)
    return None if found is None else found[1]


def _heads(connection: Connection) -> int:
    return int(connection.scalar(select(func.coalesce(func.sum(AuditHead.sequence), 0))) or 0)


def _chains(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(AuditHead)).scalar_one()


def _waiting(store: Engine, _: Settings) -> Sequence[Value]:
    return [((), waiting(store))]


def _lags(store: Engine, settings: Settings) -> Sequence[Value]:
    return [((lag.name,), lag.records) for lag in delivery.lags(store, settings)]


def _failures(store: Engine, settings: Settings) -> Sequence[Value]:
    return [((lag.name,), lag.failures) for lag in delivery.lags(store, settings)]


def _build(_: Engine, __: Settings) -> Sequence[Value]:
    return [((__version__,), 1)]


UP: Final = "authz_store_up"
UP_ABOUT: Final = "Whether the database answered all that was looked at for this answer."
GAUGES: Final = (
    Gauge("authz_build_info", "The version that runs; always 1.", _build, ("version",)),
    Gauge("authz_audit_stored_records", "Records in the database, of all chains.", _one(_heads)),
    Gauge("authz_audit_chains", "Chains that have records in the database.", _one(_chains)),
    Gauge("authz_audit_tree_records", "Records in the tree.", _one(size)),
    Gauge(
        "authz_audit_unsequenced_records",
        "Records in the database that are not in the tree yet.",
        _one(lambda connection: _heads(connection) - size(connection)),
    ),
    Gauge("authz_audit_signed_records", "Records under the newest checkpoint.", _one(_signed)),
    Gauge("authz_audit_checkpoint_age_seconds", "Age of the newest checkpoint.", _one(_age)),
    Gauge(
        "authz_audit_backlog_bytes",
        "Bytes of full journals of this node that wait to be moved to the database.",
        _waiting,
    ),
    Gauge("authz_receiver_lag_records", "Records a receiver is behind.", _lags, ("receiver",)),
    Gauge(
        "authz_receiver_failing",
        "How often a receiver did not take the batch that it gets next.",
        _failures,
        ("receiver",),
    ),
)
"""What is looked at when it is asked for; the rest is counted (:mod:`authz.measures`)."""
