"""What others ask for, and the emergencies that wait for their review (N-44)."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz import clock
from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen, change, open_places
from authz.admin.users import KINDS, shown_once
from authz.admin.viewing import viewer
from authz.errors import MalformedError
from authz.service import emergencies, own_rights, rights, ways_in
from authz.service.ways_in import Given


def show() -> ResponseReturnValue:
    """The requests that wait, oldest first; the emergencies, most urgent first."""
    now, point, reach = clock.now(), here().point, changes.reach()
    waiting, after = own_rights.waiting(point, reach, now, after=request.args.get("after", ""))
    reviews = emergencies.to_review(point, reach, now)
    people = [vote.person for each in waiting for vote in each["votes"]]
    names.shows((each["person"] for each in waiting), (each.person for each in reviews))
    ways = ways_in.waiting(here().own, viewer())
    names.shows(each["person"] for each in ways)
    return render_template(
        "rights_approvals.html",
        waiting=waiting,
        after=after,
        reviews=reviews,
        names=names.people([*people, *(each["asked_by"] for each in ways)]),
        ways=ways,
        kinds=KINDS,
        providers={each.issuer: each.name for each in here().settings.oidc},
        may="approvals" in open_places(["approvals"], "update"),
        now=now,
    )


def answer() -> ResponseReturnValue:
    """Approve or refuse."""
    approves = request.form.get("answer") == "approve"
    text = _("You approved the request.") if approves else _("You refused the request.")
    changes.done(lambda: _answer(approves=approves), text)
    return redirect(url_for("approvals"))


def _answer(*, approves: bool) -> None:
    _answered()
    rights.answer_request(
        here().point,
        changes.named(),
        approves=approves,
        by=changes.me(),
        why=changes.why(),
        reach=changes.reach(),
    )


def answer_way_in() -> ResponseReturnValue:
    """Give somebody a way in, or refuse it; what opens the sign-in is shown once."""
    given: list[Given | None] = []
    approves = request.form.get("answer") == "approve"
    text = _("You approved the request.") if approves else _("You refused the request.")
    done = changes.done(lambda: given.append(_answer_way_in(approves=approves)), text)
    shown = given[0] if done else None
    if shown is not None and (shown.password or shown.invitation):
        return shown_once(shown)
    return redirect(url_for("approvals"))


def _answer_way_in(*, approves: bool) -> Given | None:
    _answered()
    console, why = here(), changes.why()
    ident = changes.named()
    return ways_in.answer(console.point, console.own, viewer(), ident, approves=approves, why=why)


def _answered() -> None:
    if request.form.get("answer") not in {"approve", "refuse"}:
        raise MalformedError("The form says neither.", where="verdict")


def review() -> ResponseReturnValue:
    """Say whether an emergency was justified."""
    changes.done(_review, _("The emergency is reviewed."))
    return redirect(url_for("approvals"))


def _review() -> None:
    emergencies.review(
        here().point,
        changes.named(),
        request.form.get("verdict", ""),
        by=changes.me(),
        why=changes.why(),
        reach=changes.reach(),
    )


SCREENS = (
    Screen(path="/approvals", endpoint="approvals", view=show, category="approvals"),
    change("/approvals/answer", "answer_right", answer, "approvals"),
    change("/approvals/way-in", "answer_way_in", answer_way_in, "approvals"),
    change("/approvals/emergency", "review_emergency", review, "approvals"),
)
