"""Who may do what with which data, drawn from the pack; each cell opens its rules (N-23)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from authz.admin.context import here
from authz.admin.languages import spoken
from authz.admin.opening import Screen
from authz.admin.words import ACTIONS
from authz.policy import matrix
from authz.service import policies

LEADING: Final = "เแโใไ"


def show() -> ResponseReturnValue:
    """The matrix: categories down, roles across."""
    policy = here().point.policy
    cells = {(cell.category, cell.role): cell for cell in matrix.matrix(policy)}
    return render_template(
        "policy.html",
        policy=policy,
        roles=matrix.roles(policy),
        cells=cells,
        letters=_letters(matrix.letters(policy.catalogue)),
    )


def _letters(actions: Iterable[str]) -> dict[str, str]:
    """A letter for each action: the first of its word in the reader's language that is free.

    A Thai vowel that is written before its consonant begins no word.
    """
    found: dict[str, str] = {}
    for action in actions:
        word = str(ACTIONS.get(action, action))
        taken = [*found.values(), *LEADING]
        found[action] = next((each for each in word if each.isalpha() and each not in taken), "·")
    return found


def cell() -> ResponseReturnValue:
    """The rules of one role and one category, and the refusals that beat them."""
    found = here()
    policy, folder = found.point.policy, found.settings.policy
    role, category = request.args.get("role", ""), request.args.get("category", "")
    if (not role and not category) and policy.permits:
        role, category = _first()
    if category not in policy.catalogue.categories or role not in matrix.roles(policy):
        abort(404)
    held = policy.closure(frozenset({role}))
    permits = tuple(compiled for compiled in policy.permits if compiled.rule.role in held)
    return render_template(
        "policy_cell.html",
        policy=policy,
        role=role,
        category=policy.catalogue.categories[category],
        permits=policies.told(policy, folder, permits, category, spoken()),
        refusals=policies.told(policy, folder, policy.refusals, category, spoken()),
    )


def _first() -> tuple[str, str]:
    """The first cell that permits something."""
    first = matrix.matrix(here().point.policy)[0]
    return first.role, first.category


SCREENS = (
    Screen(path="/policy", endpoint="policy", view=show, category="policy"),
    Screen(path="/policy/cell", endpoint="policy_cell", view=cell, category="policy"),
)
