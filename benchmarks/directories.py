"""Directories of any size: a roster made, imported by the commands, and kept for the next run.

Everything goes through ``authz`` as an operator would call it, so that a change of the inside
changes nothing here. A directory is kept under the state of what it was made by.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from authz import clock
from benchmarks.optional import ROOT, VAR
from benchmarks.rosters import ROOMS, SCHOOL, generate

LOCAL = clock.zone("Asia/Bangkok")
SCHOOLS = 200
"""So many schools' facts are loaded where a decision is measured."""
KINDS = ("parent", "teacher", "admin", "student", "stranger")
DISABLED, UNBORN = 500, 100
"""The roster's accounts that are off, and pupils without a birth date: one in so many."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A database with so many students, and what its making took."""

    students: int
    url: str
    people: int
    rows: int
    generated: float
    imported: float
    megabytes: float
    import_megabytes: float

    @property
    def path(self) -> Path:
        """The file of the database."""
        return Path(self.url.removeprefix("sqlite:///"))


@dataclass(frozen=True, slots=True)
class Case:
    """One question of the directory, what a peer without one must be told, and the answer."""

    kind: str
    subject: str
    person: str
    school: str
    klass: str
    permit: bool

    def request(self) -> dict[str, Any]:
        """The AuthZEN request."""
        return {
            "subject": {"type": "user", "id": self.subject},
            "action": {"name": "read"},
            "resource": {"type": "assessment_result", "id": self.person},
            "context": {"purpose": "service"},
        }


def directory(students: int) -> Directory:
    """The directory of this size: the one that is kept, or a new one."""
    folder = VAR / "directories" / f"{students}-{_state()}"
    told = folder / "told.json"
    if told.exists():
        return Directory(**json.loads(told.read_text("utf-8")))
    for older in folder.parent.glob(f"{students}-*"):
        shutil.rmtree(older)
    folder.mkdir(parents=True)
    made = _made(folder, students)
    told.write_text(json.dumps(asdict(made)), "utf-8")
    return made


def _state() -> str:
    """What a directory depends on: the tables, the roster, this file, and the school year."""
    files = sorted((ROOT / "authz/migrations/versions").glob("*.py"))
    files += [Path(__file__), Path(__file__).with_name("rosters.py")]
    text = b"".join(path.read_bytes() for path in files) + f"{clock.now():%Y-%m}".encode()
    return hashlib.sha256(text).hexdigest()[:12]


def _made(folder: Path, students: int) -> Directory:
    url, roster = f"sqlite:///{folder}/authz.db", folder / "roster"
    began = time.monotonic()
    rows = generate(roster, students=students, today=clock.now().astimezone(LOCAL).date())
    generated = time.monotonic() - began
    (folder / "cases.json").write_text(json.dumps([asdict(c) for c in _cases(roster)]), "utf-8")
    facts = folder / "facts.jsonl"
    facts.write_text("\n".join(json.dumps(fact) for fact in _facts(students)) + "\n", "utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    authz(url, "db", "upgrade")
    began = time.monotonic()
    authz(url, "import", "oneroster", str(roster))
    took = time.monotonic() - began
    authz(url, "import", "facts", str(facts))
    shutil.rmtree(roster)
    return Directory(
        students=students,
        url=url,
        people=rows["users"],
        rows=sum(rows.values()),
        generated=generated,
        imported=took,
        megabytes=(folder / "authz.db").stat().st_size / 1e6,
        import_megabytes=max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1e3,
    )


def environment(url: str, folder: Path | None = None) -> dict[str, str]:
    """The settings of a process that uses this database; its files go into ``folder``."""
    here = folder or Path(url.removeprefix("sqlite:///")).parent
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AUTHZ_DATABASE_URL": url,
        "AUTHZ_KEY_FOLDER": str(here / "keys"),
        "AUTHZ_AUDIT_FOLDER": str(here / "audit"),
        "AUTHZ_CHECKPOINT_FOLDER": str(here / "checkpoints"),
        "AUTHZ_POLICY": str(ROOT / "policies" / "school"),
    }


def authz(url: str, *arguments: str, folder: Path | None = None) -> str:
    """What the command prints; its complaint is ours."""
    done = subprocess.run(
        [sys.executable, "-m", "authz.cli", *arguments],
        cwd=ROOT,
        env=environment(url, folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"authz {' '.join(arguments[:2])}: {done.stderr.strip()[-400:]}")
    return done.stdout


def cases(of: Directory) -> list[Case]:
    """The questions about this directory, of five kinds by turns."""
    found = json.loads((of.path.parent / "cases.json").read_text("utf-8"))
    return [Case(**one) for one in found]


def _facts(students: int) -> Iterator[dict[str, Any]]:
    """What no roster says: who administers a school."""
    for number in range(-(-students // SCHOOL)):
        school = f"school-{number:04d}"
        yield {
            "fact": "grant",
            "person": f"{school}/head",
            "role": "school_admin",
            "organisation": school,
            "from": "2020-01-01",
            "granted_by": f"{school}/head",
            "reason": "benchmark",
        }


def _cases(roster: Path, most: int = 400) -> list[Case]:
    """Pupils from all over the directory, and who asks about them."""
    pupils = list(_pupils(roster))
    step = max(1, len(pupils) // most)
    found = []
    for number, (pupil, parent) in enumerate(islice(pupils[::step], most)):
        kind = KINDS[number % len(KINDS)]
        index = int(pupil[1:])
        school, room = f"school-{index // SCHOOL:04d}", index % ROOMS
        asker = {
            "parent": parent,
            "teacher": f"{school}/t{room}",
            "admin": f"{school}/head",
            "student": pupil,
            # Every pupil of the room is in all of its classes: this one teaches another's.
            "stranger": f"{school}/t{(room + 1) % ROOMS}",
        }[kind]
        klass = f"{school}.{room}.home"
        found.append(Case(kind, asker, pupil, school, klass, kind != "stranger"))
    return found


def _pupils(roster: Path) -> Iterator[tuple[str, str]]:
    """Pupils in full rooms, with an account and a birth date, and one parent of each."""
    with (roster / "users.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            id_, agents = row["sourcedId"], row["agentSourcedIds"]
            if not (id_.startswith("S") and agents) or "/" in id_:
                continue
            number = int(id_[1:])
            if number % DISABLED and number % UNBORN:
                yield id_, agents.split(",")[0]
