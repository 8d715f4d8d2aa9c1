"""The policy's versions, and what a new one would change over last week's decisions (3.3)."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from authz import clock
from authz.admin.context import here
from authz.admin.opening import Screen, change, open_places
from authz.errors import PolicyError
from authz.service import policies

SHOWN = 200


def show() -> ResponseReturnValue:
    """The packs that the service started with."""
    found, after = policies.versions(here().point, request.args.get("after", ""))
    return render_template(
        "policy_versions.html",
        found=found,
        after=after,
        current=here().point.policy.digest,
        may="policy" in open_places(["policy"], "update"),
    )


def form() -> ResponseReturnValue:
    """The policy in force, to be changed in a box."""
    return _page(policies.text(here().settings.policy))


def try_it() -> ResponseReturnValue:
    """What the text in the box would change; nothing is changed by it."""
    text = request.form.get("text") or policies.text(here().settings.policy)
    try:
        found = policies.trial(here().point, here().settings.policy, text, clock.now())
    except PolicyError as error:
        return _page(text, problem=error), 400
    return _page(text, found=found)


def _page(
    text: str, *, found: policies.Trial | None = None, problem: PolicyError | None = None
) -> str:
    return render_template(
        "policy_trial.html",
        text=text,
        found=found,
        problem=problem,
        shown=SHOWN,
        most=policies.MOST,
        catalogue=here().point.policy.catalogue,
    )


SCREENS = (
    Screen(path="/policy/versions", endpoint="policy_versions", view=show, category="policy"),
    Screen(
        path="/policy/trial", endpoint="policy_trial", view=form, category="policy", action="update"
    ),
    change("/policy/trial", "try_policy", try_it, "policy"),
)
