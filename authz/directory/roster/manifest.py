"""``manifest.csv``: the version, bulk or delta for each file, and the source (page 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from authz.directory.roster.columns import NOT_HELD, ORDER, SDS_HEADINGS
from authz.directory.roster.problems import Findings, short
from authz.directory.roster.source import Entries, Entry
from authz.directory.roster.table import Table
from authz.errors import RosterError

DEFAULT_SOURCE = "default"
MODES = ("absent", "bulk", "delta")
_VERSION = re.compile(r"1\.[0-9]+(\.[0-9]+)?")
_SOURCE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,200}")

NO_MANIFEST = (
    "manifest.csv: missing, so this is no OneRoster 1.1 or 1.2 set (1.0 had none): "
    "nothing says whether it is the whole truth. --partial takes what is usable of it."
)


@dataclass(slots=True)
class Manifest:
    """What the set says of itself. ``modes`` has the files to read, bulk or delta."""

    version: str
    modes: dict[str, str]
    source: str = DEFAULT_SOURCE
    missing: bool = False
    notes: list[str] = field(default_factory=list)


def read_manifest(entries: Entries, problems: Findings) -> Manifest:
    """The manifest, or a guess where there is none, which is a problem then."""
    if "manifest" in entries:
        return _read(entries, problems)
    _refuse_sds(entries)
    manifest = Manifest(_guess(entries), {}, missing=True)
    manifest.modes = {name: "delta" for name in ORDER if name.lower() in entries}
    manifest.notes.append(
        f"There is no manifest.csv: read as OneRoster {manifest.version}, as a delta, "
        "so that nothing ends by being absent."
    )
    _note_others(entries, manifest)
    return manifest


def _refuse_sds(entries: Entries) -> None:
    names = {"relationships", *(name.lower() for name in ORDER)}
    for entry in [entries[name] for name in sorted(names.intersection(entries))]:
        if SDS_HEADINGS & set(_headings(entry)):
            raise RosterError(
                "This is Microsoft School Data Sync v2.1, not OneRoster: its files have "
                "the same names and other columns.",
                where=entry.name,
                hint="Export the roster as OneRoster 1.1 or 1.2.",
            )


def _headings(entry: Entry) -> list[str]:
    with Table(entry) as table:
        return table.headings


def _guess(entries: Entries) -> str:
    if "roles" in entries:
        return "1.2"
    if "users" in entries and "role" not in _headings(entries["users"]):
        return "1.2"
    return "1.1"


def _read(entries: Entries, problems: Findings) -> Manifest:
    with Table(entries["manifest"]) as table:
        properties = _properties(table)
    source = properties.get("source.systemcode", "") or DEFAULT_SOURCE
    if not _SOURCE.fullmatch(source):
        problems.add("manifest.csv: source.systemCode is too long or has control characters.")
        source = DEFAULT_SOURCE
    manifest = Manifest(_version(properties, entries), {}, source)
    for name in ORDER:
        mode = properties.get(f"file.{name.lower()}", "absent").lower()
        if mode not in MODES:
            problems.add(f"manifest.csv: file.{name}: {short(mode)} is none of {', '.join(MODES)}")
        elif mode != "absent" and name.lower() not in entries:
            problems.add(f"manifest.csv: file.{name} is {mode}, but there is no {name}.csv")
        elif mode != "absent":
            manifest.modes[name] = mode
        elif name.lower() in entries:
            manifest.notes.append(f"{name}.csv is ignored: the manifest says that it is absent.")
    _note_others(entries, manifest)
    return manifest


def _properties(table: Table) -> dict[str, str]:
    if table.headings[:2] != ["propertyName", "value"]:
        raise RosterError("The headings are not propertyName,value.", where=f"{table.name}:1")
    found: dict[str, str] = {}
    for batch in table.batches():
        for line, row in zip(batch.lines, batch.rows, strict=True):
            name, value = (*(cell.strip() for cell in row[:2]), "", "")[:2]
            if name and name.lower() in found:
                raise RosterError(
                    f"The property {short(name)} is there twice.", where=f"{table.name}:{line}"
                )
            if name:
                found[name.lower()] = value
    return found


def _version(properties: dict[str, str], entries: Entries) -> str:
    version = properties.get("oneroster.version", "")
    known = _VERSION.fullmatch(version) and version[:3] in {"1.1", "1.2"}
    if known:
        return version[:3]
    raise RosterError(
        f"oneroster.version is {short(version)}." if version else "There is no oneroster.version.",
        where=entries["manifest"].name,
        hint="Only OneRoster 1.1 and 1.2 can be imported.",
    )


def _note_others(entries: Entries, manifest: Manifest) -> None:
    not_held = {name.lower() for name in NOT_HELD}
    known = {name.lower() for name in ORDER} | {"manifest"}
    for stem, entry in entries.items():
        if stem in not_held:
            manifest.notes.append(f"{entry.name} is skipped: nothing of it is held here.")
        elif stem not in known:
            manifest.notes.append(f"{entry.name} is ignored: no file of OneRoster has that name.")
        elif stem == "roles" and manifest.version == "1.1":
            manifest.notes.append(f"{entry.name} is ignored: OneRoster 1.1 has no such file.")
            manifest.modes.pop("roles", None)
