"""Pages of a review of 5,000 items beside their bare queries: ``python -m benchmarks.reviews``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from statistics import median
from time import perf_counter

from authz import clock
from authz.service.database import reading
from authz.service.reviews import campaigns, listing
from authz.service.reviews.listing import Order
from tests.admin.kit import PRIVILEGED, Kit, build, serve
from tests.admin.test_reviews import get, many, start

ITEMS, ROUNDS = 5000, 15


def main() -> None:
    """Measure, and print milliseconds and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kit, server = serve(folder, build(folder))
        client = kit.client("head")
        campaign = start(kit, client)
        many(kit, campaign, ITEMS)
        pages = {
            f"/reviews/{campaign}": lambda: _mine(kit, campaign),
            f"/reviews/campaigns/{campaign}/items": lambda: _all(kit, campaign),
        }
        for path, query in pages.items():
            bare, whole = [], []
            for _ in range(ROUNDS):
                bare.append(_milliseconds(query))
                began = perf_counter()
                assert get(client, path).status_code == HTTPStatus.OK
                whole.append((perf_counter() - began) * 1000)
            one, other = median(bare), median(whole)
            told = path.replace(campaign, "…")
            print(f"{told}: query {one:.1f} ms, page {other:.1f} ms: {other / one:.1f} x")
        server.shutdown()
        server.server_close()
        kit.store.dispose()


def _mine(kit: Kit, campaign: str) -> None:
    with reading(kit.store) as connection:
        who = listing.standing_for(connection, PRIVILEGED["head"], clock.now())
        listing.progress(connection, campaign, who)
        listing.items(connection, campaign, reviewers=who)


def _all(kit: Kit, campaign: str) -> None:
    with reading(kit.store) as connection:
        campaigns.found(connection, campaign, None)
        listing.items(connection, campaign, order=Order.FLAT)
        listing.progress(connection, campaign)
        listing.verdicts(connection, campaign)


def _milliseconds(step: Callable[[], None]) -> float:
    began = perf_counter()
    step()
    return (perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
