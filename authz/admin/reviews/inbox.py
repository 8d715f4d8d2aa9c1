"""What I review: my items, one by one or many at once, and their submission (N-46)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz import clock
from authz.admin import names
from authz.admin.changes import whole
from authz.admin.context import here
from authz.admin.days import of_the_common_era
from authz.admin.opening import Screen, change, within
from authz.admin.reviews.common import bench, changed, me, names_items, offered, page, shown, why
from authz.errors import NotFoundError
from authz.review.item import RefusedError
from authz.review.words import Verdict, Wrong
from authz.service.database import reading
from authz.service.reviews import answering, campaigns, detail, handing, listing
from authz.service.reviews.answering import Given
from authz.service.reviews.listing import Order


def mine() -> ResponseReturnValue:
    """The reviews in which something waits for me."""
    with reading(here().store) as connection:
        found = listing.inbox(connection, current_user.person, clock.now())
    return page("inbox", found=found)


@shown
def items(campaign: str) -> ResponseReturnValue:
    """My items of one review."""
    asked = request.args.get("order", "")
    order = Order(asked) if asked in set(Order) else Order.PERSON
    only = request.args.get("only", "")
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, None)
        reviewers = listing.standing_for(connection, current_user.person, clock.now())
        progress = listing.progress(connection, campaign, reviewers)
        if not progress.items:
            raise NotFoundError("There is no such review for you.", where=campaign)
        found = listing.items(
            connection,
            campaign,
            reviewers=reviewers,
            order=order,
            state="open" if only == "open" else "",
            flagged=only == "flagged",
            after=request.args.get("after", ""),
        )
    names_items(found.rows)
    return page("items", campaign=row, found=found, progress=progress, order=order, only=only)


@shown
def item(campaign: str, number: int) -> ResponseReturnValue:
    """One of my items, with all that is known of it."""
    found = detail.of_reviewer(bench(), campaign, number, current_user.person)
    return page("item", found=found, people=offered(found), managing=False)


@changed("/reviews/{campaign}")
def answer(campaign: str) -> ResponseReturnValue:
    """Take a verdict on the items chosen, or keep the one whose button was pressed."""
    one = request.form.get("one", "")
    asked = [one] if one else request.form.getlist("number")
    numbers = [each for text in asked if (each := whole(text)) is not None]
    said = Verdict.KEEP.value if one else request.form.get("verdict", "")
    back = within(request.form.get("back") or f"/reviews/{campaign}")
    if not numbers or said not in set(Verdict):
        flash(_("Choose one item at least, and a verdict."), "bad")
        return redirect(back)
    given = Given(Verdict(said), why(), _day(request.form.get("until", "")))
    number = answering.answer(bench(), campaign, numbers, given, me())
    flash(_("Verdicts taken: %(number)s", number=number), "good")
    following = whole(request.form.get("following", ""))
    if following is not None:
        return redirect(url_for("review_item", campaign=campaign, number=following))
    stays = "stay" in request.form
    return redirect(back if stays else url_for("review_items", campaign=campaign))


def _day(text: str) -> datetime | None:
    """The local midnight that begins a day of the form; RefusedError where it is none."""
    if not text:
        return None
    try:
        return clock.midnight(date.fromisoformat(of_the_common_era(text)), here().settings.local)
    except (ValueError, OverflowError) as error:
        raise RefusedError(Wrong.UNTIL) from error


@shown
def summary(campaign: str) -> ResponseReturnValue:
    """What I would submit."""
    with reading(here().store) as connection:
        row = campaigns.found(connection, campaign, None)
    told = answering.summary(bench(), campaign, current_user.person)
    return page("summary", campaign=row, told=told)


@changed("/reviews/{campaign}/submit")
def submit(campaign: str) -> ResponseReturnValue:
    """Make my verdicts count."""
    number = answering.submit(bench(), campaign, me())
    flash(_("Verdicts submitted: %(number)s", number=number), "good")
    return redirect(url_for("reviews"))


@changed("/reviews/{campaign}/{number}")
def hand_over(campaign: str, number: int) -> ResponseReturnValue:
    """Give one of my items to somebody else."""
    taker = request.form.get("to", "").strip()
    handing.reassign(bench(), campaign, [number], taker, me(), why())
    flash(_("The item is given on. Both names are recorded."), "good")
    return redirect(url_for("reviews"))


def delegations() -> ResponseReturnValue:
    """Who stands in for me, and for whom I stand in."""
    people, found = offered(), handing.delegations(bench(), current_user.person)
    names.shows((each.giver for each in found), (each.taker for each in found))
    return page("delegations", found=found, people=people)


@changed("/reviews/delegations")
def delegate() -> ResponseReturnValue:
    """Let somebody stand in for me for some days."""
    since, until = (_day(request.form.get(name, "")) for name in ("since", "until"))
    if since is None or until is None:
        raise RefusedError(Wrong.UNTIL)
    taker = request.form.get("to", "").strip()
    handing.delegate(bench(), me(), taker, since, until, why())
    flash(_("It is noted who stands in for you. Both names are recorded."), "good")
    return redirect(url_for("delegations"))


@changed("/reviews/delegations")
def take_back() -> ResponseReturnValue:
    """End that somebody stands in for me."""
    handing.take_back(bench(), request.form.get("delegation", ""), me())
    flash(_("From now on nobody stands in for you by it."), "good")
    return redirect(url_for("delegations"))


def waiting() -> list[Any]:
    """The reviews that wait for whoever is signed in, for the first page."""
    with reading(here().store) as connection:
        found = listing.inbox(connection, current_user.person, clock.now())
    return [(row, progress) for row, progress in found if progress.open or progress.answered]


SCREENS = (
    Screen(path="/reviews", endpoint="reviews", view=mine, category="reviews"),
    Screen(
        path="/reviews/delegations", endpoint="delegations", view=delegations, category="reviews"
    ),
    change("/reviews/delegations", "delegate", delegate, "reviews"),
    change("/reviews/delegations/end", "take_back", take_back, "reviews"),
    Screen(path="/reviews/<campaign>", endpoint="review_items", view=items, category="reviews"),
    change("/reviews/<campaign>/answer", "review_answer", answer, "reviews"),
    Screen(
        path="/reviews/<campaign>/submit",
        endpoint="review_summary",
        view=summary,
        category="reviews",
    ),
    change("/reviews/<campaign>/submit", "review_submit", submit, "reviews"),
    Screen(
        path="/reviews/<campaign>/<int:number>",
        endpoint="review_item",
        view=item,
        category="reviews",
    ),
    change("/reviews/<campaign>/<int:number>/reassign", "review_hand_over", hand_over, "reviews"),
)
