"""The reviews that one runs: define, preview, start, watch, close, undo, report (N-46, N-47)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz import clock
from authz.admin import names
from authz.admin.context import here
from authz.admin.opening import Screen, allowed, change
from authz.admin.reviews.closing_reports import report, report_csv, report_json, report_pdf
from authz.admin.reviews.common import (
    bench,
    changed,
    me,
    names_items,
    offered,
    page,
    reach,
    shown,
    why,
)
from authz.admin.reviews.definitions import define, edit, new, redefine
from authz.review import campaign as steps
from authz.review.definition import from_dict
from authz.review.item import RefusedError
from authz.review.words import State, Wrong
from authz.service.database import reading
from authz.service.reviews import (
    campaigns,
    closing,
    defining,
    detail,
    ending,
    handing,
    listing,
    previewing,
    remedies,
    starting,
)
from authz.service.reviews.listing import Order
from authz.service.reviews.records import text

ORPHANS, ENDS = 10, 50
"""How many items without a reviewer, and that would end, a preview shows."""


def everything() -> ResponseReturnValue:
    """The reviews within reach."""
    with reading(here().store) as connection:
        found = listing.campaigns(connection, reach(), after=request.args.get("after", ""))
    return page("campaigns", found=found)


@changed("/reviews/campaigns")
def preview(campaign: str) -> ResponseReturnValue:
    """What the review would be, were it started now."""
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, reach())
    if State(row.state) not in steps.PLANNED:
        return redirect(url_for("campaign", campaign=campaign))
    seen = previewing.preview(bench(), campaign, me(), reach())
    orphans, ends = seen.orphans[:ORPHANS], seen.ends[:ENDS]
    planned = (*orphans, *ends)
    names.shows((each.reviewer for each in seen.loads), (each.right.holder for each in planned))
    return page(
        "preview",
        orphans=orphans,
        ends=ends,
        campaign=row,
        seen=seen,
        definition=from_dict(row.members),
    )


@changed("/reviews/campaigns/{campaign}/preview")
def start(campaign: str) -> ResponseReturnValue:
    """Freeze what is under review, and ask the reviewers."""
    starting.start(bench(), campaign, me(), why(), reach())
    flash(_("The review is started. Its reviewers see their items from now on."), "good")
    return redirect(url_for("campaign", campaign=campaign))


@shown
def show(campaign: str) -> ResponseReturnValue:
    """How far a review is."""
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, reach())
        progress = listing.progress(connection, campaign)
        reviewers = listing.by_reviewer(connection, campaign)
        verdicts = listing.verdicts(connection, campaign)
    names.shows(each.reviewer for each, _progress in reviewers)
    over = row.due_at is not None and row.due_at <= (text(clock.now()) or "")
    return page(
        "campaign",
        campaign=row,
        definition=from_dict(row.members),
        progress=progress,
        reviewers=reviewers,
        verdicts=verdicts,
        closable=State(row.state) in steps.RUNNING and (over or not progress.open),
        cancellable=State(row.state) in steps.PLANNED,
        endable=State(row.state) in steps.RUNNING and bool(row.definition),
        reported=State(row.state) in steps.OVER and row.started_at is not None,
        may=allowed("campaigns", "update"),
    )


@shown
def items(campaign: str) -> ResponseReturnValue:
    """All items of a review."""
    verdict, state = request.args.get("verdict", ""), request.args.get("state", "")
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, reach())
        found = listing.items(
            connection,
            campaign,
            order=Order.FLAT,
            verdict=verdict,
            state=state,
            after=request.args.get("after", ""),
        )
        progress = listing.progress(connection, campaign)
        verdicts = listing.verdicts(connection, campaign)
    names_items(found.rows)
    return page(
        "all_items",
        campaign=row,
        found=found,
        verdict=verdict,
        state=state,
        progress=progress,
        verdicts=verdicts,
    )


@shown
def item(campaign: str, number: int) -> ResponseReturnValue:
    """One item, for whoever runs the review."""
    found = detail.of_manager(bench(), campaign, number, reach())
    undo_until = found.campaign.undo_until or ""
    undoable = found.item.before is not None and found.item.state == "applied"
    undoable = undoable and undo_until > (text(clock.now()) or "")
    return page("item", found=found, people=offered(found), managing=True, undoable=undoable)


@changed("/reviews/campaigns/{campaign}/items/{number}")
def reassign(campaign: str, number: int) -> ResponseReturnValue:
    """Give an item to another reviewer."""
    handing.reassign(
        bench(),
        campaign,
        [number],
        request.form.get("to", "").strip(),
        me(),
        why(),
        managing=True,
        reach=reach(),
    )
    flash(_("The item is given on. Both names are recorded."), "good")
    return redirect(url_for("campaign_item", campaign=campaign, number=number))


@changed("/reviews/campaigns/{campaign}/items/{number}")
def undo(campaign: str, number: int) -> ResponseReturnValue:
    """Put back what an item took away."""
    remedies.undo(bench(), campaign, number, me(), why(), reach())
    flash(_("It is as it was before the review. That counts from the next decision."), "good")
    return redirect(url_for("campaign_item", campaign=campaign, number=number))


@changed("/reviews/campaigns/{campaign}")
def close(campaign: str) -> ResponseReturnValue:
    """Close a review whose time is over."""
    state = closing.close(bench(), campaign, me(), why(), reach())
    if state in steps.RUNNING:
        flash(_("The fallback reviewer is asked about what nobody answered."), "good")
    elif state is State.CLOSED:
        flash(_("More than a tenth would end: a second person must confirm it."), "good")
    else:
        flash(_("The review is closed, and its verdicts are in effect."), "good")
    return redirect(url_for("campaign", campaign=campaign))


@changed("/reviews/campaigns/{campaign}")
def confirm(campaign: str) -> ResponseReturnValue:
    """Apply what the guard held back, or let it all stand."""
    step = closing.decline if request.form.get("do") == "decline" else closing.confirm
    step(bench(), campaign, me(), why(), reach())
    flash(_("The review is closed, and its verdicts are in effect."), "good")
    return redirect(url_for("campaign", campaign=campaign))


@changed("/reviews/campaigns/{campaign}")
def again(campaign: str) -> ResponseReturnValue:
    """A further review of the same definition."""
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, reach())
    following = defining.again(bench(), row.definition, me(), why(), reach())
    return redirect(url_for("campaign_preview", campaign=following))


@changed("/reviews/campaigns/{campaign}/preview")
def cancel(campaign: str) -> ResponseReturnValue:
    """Call off a review that was not started."""
    ending.cancel(bench(), campaign, me(), why(), reach())
    flash(_("The review is cancelled. It stays on file."), "good")
    return redirect(url_for("campaign", campaign=campaign))


@changed("/reviews/campaigns/{campaign}")
def end(campaign: str) -> ResponseReturnValue:
    """End a review that is running; the form says whether what was submitted counts."""
    asked = request.form.get("do", "")
    if asked not in {"apply", "drop"}:
        raise RefusedError(Wrong.NOTHING_CHOSEN)
    state = ending.end_early(bench(), campaign, me(), why(), reach(), applied=asked == "apply")
    if state is State.CANCELLED:
        flash(_("The review is ended. Nothing was changed by it; what was said is kept."), "good")
    elif state is State.CLOSED:
        flash(_("More than a tenth would end: a second person must confirm it."), "good")
    else:
        flash(_("The review is ended, and what was submitted is in effect."), "good")
    return redirect(url_for("campaign", campaign=campaign))


def _read(path: str, endpoint: str, view: Any, action: str = "read") -> Screen:
    full = f"/reviews/campaigns{path}"
    return Screen(path=full, endpoint=endpoint, view=view, category="campaigns", action=action)


def _change(path: str, endpoint: str, view: Any) -> Screen:
    return change(f"/reviews/campaigns{path}", endpoint, view, "campaigns")


SCREENS = (
    _read("", "campaigns", everything),
    _read("/new", "campaign_new", new, "update"),
    _change("/new", "campaign_define", define),
    _read("/<campaign>", "campaign", show),
    _read("/<campaign>/edit", "campaign_edit", edit, "update"),
    _change("/<campaign>/edit", "campaign_redefine", redefine),
    _read("/<campaign>/preview", "campaign_preview", preview, "update"),
    _change("/<campaign>/start", "campaign_start", start),
    _read("/<campaign>/items", "campaign_items", items),
    _read("/<campaign>/items/<int:number>", "campaign_item", item),
    _change("/<campaign>/items/<int:number>/reassign", "campaign_reassign", reassign),
    _change("/<campaign>/items/<int:number>/undo", "campaign_undo", undo),
    _change("/<campaign>/close", "campaign_close", close),
    _change("/<campaign>/confirm", "campaign_confirm", confirm),
    _change("/<campaign>/cancel", "campaign_cancel", cancel),
    _change("/<campaign>/end", "campaign_end", end),
    _change("/<campaign>/again", "campaign_again", again),
    _read("/<campaign>/report", "campaign_report", report),
    _read("/<campaign>/report.csv", "campaign_report_csv", report_csv),
    _read("/<campaign>/report.json", "campaign_report_json", report_json),
    _read("/<campaign>/report.pdf", "campaign_report_pdf", report_pdf),
)
