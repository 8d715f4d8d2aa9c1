"""Every measurement side by side: ``python -m benchmarks [SECTION …] [--quick]``.

Each section is a process of its own, bounded in time; one that fails is reported and the
others go on. All write into ``benchmarks/RESULTS.md``; sections that are not asked for keep
what their last run found. ``--report`` only writes the page anew.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
import traceback

from benchmarks import report
from benchmarks.optional import ROOT
from benchmarks.results import Section, forget, kept, machine

SECTIONS = (
    "engines",
    "pack",
    "growth",
    "people",
    "lists",
    "http",
    "middleware",
    "client",
    "gateway",
    "verify",
)
LIMIT = 600
"""Seconds that a section may take before it is stopped."""


def main() -> int:
    """Run the sections and write the report; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=" ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="smaller data, about two minutes")
    parser.add_argument("--report", action="store_true", help="only write the report anew")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = set(given.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    chosen = [name for name in SECTIONS if name in given.sections or not given.sections]
    if given.here:
        return _here(chosen[0], quick=given.quick)
    failed = [] if given.report else [n for n in chosen if not _run(n, quick=given.quick)]
    report.written(found for name in SECTIONS if (found := kept(name)))
    print(f"written: {report.RESULTS.relative_to(ROOT)}")
    return 1 if failed else 0


def _run(name: str, *, quick: bool) -> bool:
    """One section in a process of its own; whether it came to its end."""
    forget(name)
    print(f"{name} …", flush=True)
    command = [sys.executable, "-m", "benchmarks", name, "--here", *(["--quick"] if quick else [])]
    began = time.monotonic()
    try:
        status = subprocess.run(command, cwd=ROOT, check=False, timeout=LIMIT).returncode
        problem = f"the section ended with status {status}" if status else ""
    except subprocess.TimeoutExpired:
        problem = f"the section was stopped after {LIMIT} s"
    found = kept(name)
    if problem and (found is None or not found.problems):
        found = found or Section(name, name, "", machine=machine(), quick=quick)
        found.problems.append(problem)
        found.keep()
    for line in found.problems if found else ():
        print(f"  {line}", flush=True)
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return not problem


def _here(name: str, *, quick: bool) -> int:
    """The section in this process; what it has is kept, however it ends."""
    module = importlib.import_module(f"benchmarks.sections.{name}")
    section: Section = module.SECTION
    section.machine, section.quick = machine(), quick
    began = time.monotonic()
    try:
        module.run(section, quick=quick)
    except Exception as error:  # noqa: BLE001 (whatever it is, the report tells it)
        traceback.print_exc()
        section.problems.append(f"the section failed: {type(error).__name__}: {error}")
        return 1
    finally:
        section.took = time.monotonic() - began
        section.keep()
    return 0


if __name__ == "__main__":
    sys.exit(main())
