"""Guesses at a sign-in are slowed down, from where they come (N-40).

Failures are counted for a sign-in *from a place*: a browser in which its owner has signed in
before, else the network a request comes from. So nobody locks anybody out: who guesses from
elsewhere slows only themselves, and the owner's own browser has a count of its own. A place
that guesses at many sign-ins has a count of its own too.

Guesses at the code of a second factor come from somebody who knows the password. They are
counted for the sign-in wherever they come from, or a million addresses would find six digits.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from authz.errors import TooManyError
from authz.service.tables import SignInFailure

FREE: Final = 5
"""Failures in a row that cost nothing."""
FREE_PLACE: Final = 50
"""The same for one place over all sign-ins: a school's people share an address."""
SHORTEST, LONGEST = timedelta(seconds=15), timedelta(minutes=15)
LONGEST_PLACE: Final = timedelta(minutes=1)
"""A place over all sign-ins waits no longer: somebody else there wants to sign in too."""
FORGOTTEN: Final = timedelta(hours=24)


def buckets(key: bytes, name: str, address: str, device: str | None) -> tuple[str, str]:
    """Where a guess is counted: this sign-in from this place, and this place alone."""
    place = f"device {device}" if device else f"network {_network(address)}"
    return _hash(key, f"{place}\n{name}"), _hash(key, f"{place}\n")


def codes(key: bytes, name: str, device: str | None) -> tuple[str, ...]:
    """Where a guess at a code is counted: the owner's own browser has its own count."""
    place = f"device {device}" if device else "anywhere"
    return (_hash(key, f"code {place}\n{name}"),)


def own(key: bytes, name: str) -> tuple[str, ...]:
    """Where a guess at the password is counted that comes from within a session."""
    return (_hash(key, f"session\n{name}"),)


def check(connection: Connection, counted: Sequence[str], now: datetime) -> None:
    """TooManyError, with how long to wait, where a place has guessed too often."""
    rows = connection.execute(
        select(SignInFailure.bucket, SignInFailure.failures, SignInFailure.last_at).where(
            SignInFailure.bucket.in_(counted)
        )
    )
    for bucket, failures, last_at in rows:
        one = bucket == counted[0]
        free, longest = (FREE, LONGEST) if one else (FREE_PLACE, LONGEST_PLACE)
        until = last_at + _wait(failures - free, longest)
        if failures >= free and now < until:
            seconds = int((until - now).total_seconds()) + 1
            raise TooManyError("There were too many attempts.", wait=seconds)


def failed(connection: Connection, counted: Sequence[str], now: datetime) -> None:
    """Count a failure, and forget those of long ago."""
    connection.execute(delete(SignInFailure).where(SignInFailure.last_at < now - FORGOTTEN))
    table = SignInFailure.__table__
    assert isinstance(table, Table)  # noqa: S101 (narrowing for the type checker)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    # One statement for each state of a row: guesses at the same moment count one by one. In the
    # same order each time, so that no two of them wait for each other.
    new = [{"bucket": each, "failures": 1, "last_at": now} for each in sorted(set(counted))]
    if new:
        statement = dialect.insert(table).values(new)
        more = {"failures": table.c.failures + 1, "last_at": statement.excluded.last_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["bucket"], set_=more))


def succeeded(connection: Connection, counted: Sequence[str]) -> None:
    """Forget the failures of this sign-in from this place."""
    connection.execute(delete(SignInFailure).where(SignInFailure.bucket.in_(counted[:1])))


def _wait(over: int, longest: timedelta) -> timedelta:
    """How long the next guess waits: twice as long after each, up to the longest."""
    doublings = min(max(over, 0), 10)
    return min(SHORTEST * (1 << doublings), longest)


def _network(address: str) -> str:
    """The network of an address: who has one IPv6 address has 2^64 of them."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network((known, 64 if known.version == 6 else 32), strict=False))  # noqa: PLR2004 (IP's own versions)


def _hash(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
