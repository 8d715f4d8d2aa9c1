"""Which journals a store has: where they are, who writes them, who ships them (N-49).

The command line writes its records to the database; only who serves decisions opens a
journal. Whoever reads the trail first moves what the journals of this machine hold, so
that everybody reads what was written before.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, make_url

from authz import counters
from authz.audit import journal_files, log, ship, writers
from authz.audit.journal import Journal, refuse_strangers
from authz.audit.ship import Shipped, Shipper
from authz.config import Settings
from authz.errors import StoreUnavailableError
from authz.service.database import open_store, translated


def open_settings(settings: Settings) -> Engine:
    """The store that the settings name, and whose journals are its; nothing is connected."""
    store = open_store(
        settings.database_url,
        durability=settings.audit_durability,
        pseudonyms=settings.audit_pseudonyms,
    )
    folder = folder_of(settings)
    if folder is not None:
        store.update_execution_options(**{ship.SHIPPER: Shipper(store, folder)})
    return store


def folder_of(settings: Settings) -> Path | None:
    """Where the journals are; nothing where records go to the database at once."""
    if settings.audit_folder is not None:
        return Path(settings.audit_folder) if settings.audit_folder else None
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        return Path("var/audit")
    name = url.database or ":memory:"
    return None if name.startswith((":memory:", "file:")) else Path(name).resolve().parent / "audit"


def open_journal(store: Engine, settings: Settings) -> Journal | None:
    """From now on the records of this store go to a journal; no file is made before the first."""
    folder = folder_of(settings)
    if folder is None:
        return None
    forced = settings.audit_durability == "fsync"
    journal = Journal(store, folder, forced=forced, limit=settings.audit_backlog)
    store.update_execution_options(**{log.JOURNAL: journal})
    return journal


def journal_of(store: Engine) -> Journal | None:
    """The journal that the records of this store go to."""
    journal: Journal | None = store.get_execution_options().get(log.JOURNAL)
    return journal


def catch_up(store: Engine) -> Shipped:
    """Move what the journals of this machine hold into the store; damage is told, not raised."""
    shipper: Shipper | None = store.get_execution_options().get(ship.SHIPPER)
    if shipper is None:
        return Shipped()
    try:
        with translated():
            return shipper.ship()
    except OSError as error:
        raise StoreUnavailableError(
            f"The journals cannot be read ({type(error).__name__}).", where=str(shipper.folder)
        ) from error


def claim(store: Engine, settings: Settings) -> None:
    """Raise AuditUnavailableError where the folder holds the journals of another store."""
    folder = folder_of(settings)
    if folder is not None:
        with translated():
            refuse_strangers(folder, writers.identity(store))


def waiting(store: Engine) -> int:
    """Bytes of full journal files that are still to be moved."""
    shipper: Shipper | None = store.get_execution_options().get(ship.SHIPPER)
    return journal_files.backlog(shipper.folder) if shipper else 0


def count(settings: Settings) -> Path:
    """From now on this process counts where the others of the service do; the folder."""
    found = (folder_of(settings) or settings.checkpoint_folder).resolve() / "counters"
    counters.share(found)
    return found


def close(store: Engine) -> None:
    """End this process's chain in order, and let go of the journals and the store."""
    journal = journal_of(store)
    if journal is not None:
        journal.close()
    shipper: Shipper | None = store.get_execution_options().get(ship.SHIPPER)
    if shipper is not None:
        shipper.close()
    store.dispose()
