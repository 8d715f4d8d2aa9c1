"""What of a model and policy Casbin itself would evaluate, with file and line (issue 3, 3.3).

:class:`authz.engine.CompiledEnforcer` answers everything as Casbin does, and compiles what it
can. The rest is no defect: it costs what Casbin costs, and whoever wrote it may want to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import casbin
from casbin.model import Model
from casbin.persist import load_policy_line
from casbin.persist.adapters import StringAdapter

from authz.engine import CompiledEnforcer
from authz.engine.enforcer import Uncompiled
from authz.engine.functions import FUNCTIONS
from authz.errors import PolicyError
from authz.policy.model import joined_lines
from authz.policy.source import MODEL, POLICY, text_of


@dataclass(frozen=True, slots=True)
class Note:
    """A matcher or a rule that is not compiled: where it stands, how it reads, and why."""

    file: str
    line: int
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: left to Casbin: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """The note for ``--json``."""
        return {"file": self.file, "line": self.line, "text": self.text, "reason": self.reason}


def uncompiled(folder: Path) -> tuple[Note, ...]:
    """The notes on the model and policy in a folder, a pack's or any that Casbin reads.

    PolicyError where Casbin cannot read them.
    """
    model, policy = text_of(folder / MODEL), text_of(folder / POLICY)
    try:
        enforcer = CompiledEnforcer(casbin.Enforcer.new_model(text=model), StringAdapter(policy))
        for name, function in FUNCTIONS.items():
            enforcer.add_function(name, function)
        found = enforcer.uncompiled()
    except Exception as error:
        raise PolicyError(
            f"Casbin cannot read it: {error}.",
            where=str(folder),
            hint="See Casbin's documentation.",
        ) from error
    return tuple(note for one in found for note in _notes(folder, model, policy, one))


def _notes(folder: Path, model: str, policy: str, one: Uncompiled) -> Iterator[Note]:
    """One for the matcher, or one for each line of a rule."""
    if not one.columns:
        line = next(n for n, text in joined_lines(model) if _key(text) == one.matcher)
        yield Note(str(folder / MODEL), line, one.text, one.reason)
        return
    for number, columns in _lines(model, policy):
        if set(one.columns) <= set(columns):
            yield Note(str(folder / POLICY), number, ", ".join(one.columns), one.reason)


def _lines(model: str, policy: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The lines of rules, each with its columns as Casbin splits them."""
    scratch = Model()
    scratch.load_model_from_text(model)
    for number, text in enumerate(policy.split("\n"), 1):
        kind = _key(text, ",")
        if kind in scratch.model["p"]:
            load_policy_line(text.strip(), scratch)
            yield number, tuple(scratch.model["p"][kind].policy[-1])


def _key(text: str, mark: str = "=") -> str:
    return text.partition(mark)[0].strip()
