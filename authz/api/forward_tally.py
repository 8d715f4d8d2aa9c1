"""How often ``/forward-auth`` answers what, and why: a closed list of words for Prometheus (4.3).

A proxy is told no more than that it must refuse; an operator reads here what was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from authz.errors import RefusedError
from authz.measures import FORWARDED
from authz.middleware.gateway.tally import FAILED, INTERNAL, PASSED, PERMITTED, PUBLIC, REFUSED, why

REASONS: Final = {
    PASSED: {
        PUBLIC: "The route is public, and asked nothing.",
        PERMITTED: "Permitted; what it is limited to is told in `X-Authz-…`.",
    },
    REFUSED: {
        "refused": "The decision point refused.",
        "proxy_unknown": "Not the proxy of the file: another network, or without its secret.",
        "unauthenticated": "No token, or none that is believed.",
        "not_found": "No route has this path.",
        "method_not_allowed": "The path is a route, the method is not.",
        "malformed": "The request has more than one reading, or a value is missing.",
        "obligation_not_carried_out": "The permit obliges to what the route does not carry out.",
    },
    FAILED: {
        "keys_unavailable": "The issuer's keys cannot be read, so that no token is believed.",
        "store_unavailable": "The database does not answer.",
        "audit_unavailable": "The record could not be written.",
        "not_ready": "The service has just been started, or its tables are not there.",
        INTERNAL: "A fault of the service; its log has it.",
    },
}
"""Every outcome with its reasons, and what they mean."""


class ProxyError(RefusedError):
    """Whoever asks is not the proxy that the file names; told as any other refusal."""


@contextmanager
def refusals() -> Iterator[None]:
    """Count what is raised inside: a refusal, or a fault."""
    try:
        yield
    except ProxyError:
        FORWARDED.add(REFUSED, "proxy_unknown")
        raise
    except Exception as error:
        FORWARDED.add(*why(error, REASONS))
        raise


def passed(*, public: bool) -> None:
    """Count a request that the proxy may hand on."""
    FORWARDED.add(PASSED, PUBLIC if public else PERMITTED)
