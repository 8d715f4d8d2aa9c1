"""A OneRoster folder made richer, so that a roster shows what facts cannot carry: enrolments of
proctors, enrolments without dates, agent links, suspended users, birth dates at the edge."""

from __future__ import annotations

import csv
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from .moments import day_plus_years

Table = list[dict[str, str]]


def enrich(source: Path, target: Path, seed: int, now: datetime) -> Path:
    """Copy the 1.1 folder `source` to `target` and return it, with more in it. The same seed
    and moment give the same files."""
    rng = Random(seed)
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    target.chmod(0o755)
    users, enrolments = _read(target / "users.csv"), _read(target / "enrollments.csv")
    born = _read(target / "demographics.csv")
    students = [row for row in users if row["role"] == "student"]
    _proctors(rng, users, enrolments)
    _agents(rng, users, students)
    for row in rng.sample(students, 4):
        row["enabledUser"] = "false"
    for row in rng.sample(enrolments, len(enrolments) // 10):
        row[rng.choice(["beginDate", "endDate"])] = ""
    today = now.astimezone(ZoneInfo("Asia/Bangkok")).date()
    for row in rng.sample(enrolments, len(enrolments) // 20):
        end = (today + timedelta(days=rng.choice([0, 1]))).isoformat()
        if row["beginDate"] < end:
            row["endDate"] = end
    for row in rng.sample(born, len(born) // 8):
        day = day_plus_years(today, -20) + timedelta(days=rng.choice([-400, -1, 0, 1, 400]))
        row["birthDate"] = day.isoformat()
    for name, rows in (("users", users), ("enrollments", enrolments), ("demographics", born)):
        _write(target / f"{name}.csv", rows)
    return target


def _proctors(rng: Random, users: Table, enrolments: Table) -> None:
    """Three people who assist in four classes each."""
    pattern = next(row for row in users if row["role"] == "teacher")
    for n in range(1, 4):
        ident = f"proctor-{n}"
        users.append({**pattern, **_name(ident), "role": "proctor"})
        for place, of in enumerate(rng.sample(enrolments, 4)):
            users[-1]["orgSourcedIds"] = of["schoolSourcedId"]
            enrolments.append({
                **of, "sourcedId": f"{ident}-{place}", "userSourcedId": ident,
                "role": "proctor", "primary": "",
            })  # fmt: skip


def _agents(rng: Random, users: Table, students: Table) -> None:
    """Twelve adults linked to students, from either side, and a link that gives nothing."""
    for n in range(1, 13):
        ident, kind = f"agent-{n}", ("parent", "guardian", "relative")[n % 3]
        child, other = rng.sample(students, 2)
        users.append({**child, **_name(ident), "role": kind, "agentSourcedIds": "", "grades": ""})
        if n % 2:
            users[-1]["agentSourcedIds"] = f"{child['sourcedId']},{other['sourcedId']}"
        else:
            known = child["agentSourcedIds"]
            child["agentSourcedIds"] = f"{known},{ident}" if known else ident
    students[0]["agentSourcedIds"] = students[1]["sourcedId"]


def _name(ident: str) -> dict[str, str]:
    return {
        "sourcedId": ident, "username": ident, "givenName": ident.title(), "familyName": "Oracle",
        "identifier": ident, "email": f"{ident}@example.test",
    }  # fmt: skip


def _read(path: Path) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(path: Path, rows: Table) -> None:
    path.chmod(0o644)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
