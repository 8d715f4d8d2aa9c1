"""Is the trail as it was written? Of the store, of a part of it, of a bundle (N-49)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from authz import clock
from authz.audit import trail as audit
from authz.audit.note import Verifier, verifier
from authz.audit.ship import Shipped
from authz.audit.trail import Source, Verdict
from authz.config import Settings
from authz.errors import MalformedError, NotFoundError
from authz.measures import DAMAGED, WHOLE
from authz.service import audit_keys, checkpoint_files
from authz.service.database import reading
from authz.service.journals import catch_up, count
from authz.service.sharing import shared

Progress = Callable[[int, int], None]


def verify(
    store: Engine,
    settings: Settings,
    *,
    since: Path | None = None,
    against: Sequence[Path] = (),
    keys: Sequence[str] = (),
    progress: Progress | None = None,
    processes: int = 1,
) -> Verdict:
    """Whether the whole trail is as it was written, or what of it came after ``since``.

    It is held against the checkpoints of the store, of the published folder and of the
    files ``against``. One of ``keys`` (vkeys) must have signed each; one of our own if none
    are given, and before the first there are no checkpoints.
    """
    shipped = catch_up(store)
    published = checkpoint_files.published(settings.checkpoint_folder)
    copies = [source(path) for path in (*published, *against)]
    with reading(store) as connection, shared(store, connection, processes) as run:
        found = audit.verify(
            connection,
            sources=copies,
            since=source(since) if since else None,
            keys=_known(settings, keys),
            progress=progress,
            run=run,
        )
    verdict = _with_journals(found, shipped)
    if since is None:
        count(settings)
        (WHOLE if verdict.whole else DAMAGED).at(clock.now().timestamp())
    return verdict


def _with_journals(found: Verdict, shipped: Shipped) -> Verdict:
    """The verdict, or what of a journal of this node could not be moved to the store."""
    damage = next(iter(shipped.damage.values()), None)
    return found if found.damage or damage is None else replace(found, damage=damage)


def verify_range(
    store: Engine,
    chain: str,
    *,
    first: int = 1,
    last: int | None = None,
    progress: Progress | None = None,
    processes: int = 1,
) -> Verdict:
    """Whether some records of one chain are as they were written."""
    catch_up(store)
    with reading(store) as connection, shared(store, connection, processes) as run:
        return audit.verify_range(
            connection, chain, first=first, last=last, progress=progress, run=run
        )


def verify_bundle(
    path: Path,
    *,
    keys: Sequence[str],
    against: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Verdict:
    """Whether each record of an exported file is in the tree that one of the keys signed."""
    return audit.verify_bundle(
        path,
        keys=[verifier(each) for each in keys],
        copies=[source(each) for each in against],
        progress=progress,
    )


def source(path: Path) -> Source:
    """A checkpoint that somebody kept as a file."""
    try:
        return Source(str(path), path.read_bytes().decode())
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedError("It is no checkpoint.", where=str(path)) from error


def _known(settings: Settings, keys: Sequence[str]) -> Sequence[Verifier]:
    if keys:
        return [verifier(each) for each in keys]
    try:
        return audit_keys.verifiers(settings)
    except NotFoundError:
        return ()
