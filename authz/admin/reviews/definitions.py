"""The forms that define a review (N-46)."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from authz import clock
from authz.admin.context import here
from authz.admin.reviews.common import bench, changed, me, offered, page, reach, shown, why
from authz.review.definition import Definition, Scope, Stage, from_dict
from authz.review.item import RefusedError
from authz.review.words import Kind, NoAnswer, Reviewers, Wrong
from authz.service.database import reading
from authz.service.reviews import campaigns, defining, schools
from authz.vocabulary import GRANTABLE_ROLES

MOST_STAGES = 3


def new() -> ResponseReturnValue:
    """The form of a definition."""
    return _form(None, None, {})


@shown
def edit(campaign: str) -> ResponseReturnValue:
    """The form of a review that was not started."""
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, reach())
    return _form(row, from_dict(row.members), {})


def _form(row: Any, definition: Definition | None, sent: Any, problem: str = "") -> str:
    within = reach()
    with reading(here().store) as connection:
        tree = schools.read(connection, clock.now())
    places = [
        (ident, name) for ident, name in tree.names.items() if within is None or ident in within
    ]
    return page(
        "define",
        row=row,
        definition=definition,
        sent=sent,
        problem=problem,
        schools=places,
        people=offered(),
        everywhere=within is None,
        roles=sorted(GRANTABLE_ROLES),
        kinds=[kind.value for kind in Kind if kind is not Kind.USE],
        stages=MOST_STAGES,
    )


def _definition() -> Definition:
    """The definition of the form; RefusedError where it is none."""
    form = request.form
    kinds = tuple(Kind(each) for each in form.getlist("kind") if each in set(Kind))
    try:
        stages = tuple(
            Stage(
                Reviewers(form[f"reviewers_{number}"]),
                int(form.get(f"days_{number}") or 14),
                form.get(f"named_{number}", "") if form[f"reviewers_{number}"] == "named" else "",
            )
            for number in range(1, MOST_STAGES + 1)
            if form.get(f"reviewers_{number}")
        )
        unused, undo = int(form.get("unused") or 0), int(form.get("undo") or 7)
        reminders = tuple(int(each) for each in form.get("reminders", "").replace(",", " ").split())
        silence = NoAnswer(form.get("no_answer", "escalate"))
    except ValueError as error:
        raise RefusedError(Wrong.DATES) from error
    scope = Scope(
        kinds=kinds,
        organisation=form.get("organisation", ""),
        roles=tuple(form.getlist("role")),
        contract=form.get("contract", "").strip(),
        unused_days=unused,
        new=form.get("new") == "yes",
    )
    fallbacks = dict.fromkeys((form.get("fallback", ""), form.get("fallback_2", "")))
    return Definition(
        name=form.get("name", "").strip(),
        scope=scope,
        stages=stages,
        fallbacks=tuple(each for each in fallbacks if each),
        no_answer=silence,
        reminders=reminders,
        undo_days=undo,
    )


@changed("/reviews/campaigns/new")
def define() -> ResponseReturnValue:
    """Put a definition on file, and go on to its preview."""
    try:
        campaign = defining.define(bench(), _definition(), me(), why(), reach())
    except RefusedError as error:
        return _form(None, None, request.form, error.wrong.value), 400
    return redirect(url_for("campaign_preview", campaign=campaign))


@changed("/reviews/campaigns/{campaign}/edit")
def redefine(campaign: str) -> ResponseReturnValue:
    """Change a review that was not started."""
    defining.redefine(bench(), campaign, _definition(), me(), why(), reach())
    return redirect(url_for("campaign_preview", campaign=campaign))
