"""The inbox of a review of 5,000 items beside its bare query: ``python -m benchmarks.reviews``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from statistics import median
from time import perf_counter

from authz import clock
from authz.service.database import reading
from authz.service.reviews import listing
from tests.admin.kit import PRIVILEGED, build, serve
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

        def query() -> None:
            with reading(kit.store) as connection:
                who = listing.standing_for(connection, PRIVILEGED["head"], clock.now())
                listing.progress(connection, campaign, who)
                listing.items(connection, campaign, reviewers=who)

        def page() -> None:
            assert get(client, f"/reviews/{campaign}").status_code == HTTPStatus.OK

        bare, whole = [], []
        for _ in range(ROUNDS):
            bare.append(_milliseconds(query))
            whole.append(_milliseconds(page))
        server.shutdown()
        server.server_close()
        kit.store.dispose()
    one, other = median(bare), median(whole)
    print(f"query {one:.1f} ms, page {other:.1f} ms: {other / one:.1f} x")


def _milliseconds(step: Callable[[], None]) -> float:
    began = perf_counter()
    step()
    return (perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
