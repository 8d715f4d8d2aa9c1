"""How often the gateway answers what, and why: one closed list of words, for Prometheus (4.3).

No word comes from a caller, an upstream or a decision point. A refusal by the point is
``refused`` here; the point's own reasons are counted where it decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from authz.errors import AuthzError, PointUnavailableError, UpstreamError
from authz.measures import GATEWAY
from authz.middleware.answer import FAULTS

PASSED, REFUSED, FAILED, CUT = "passed", "refused", "failed", "cut"
PUBLIC, PERMITTED, FILTERED = "public", "permitted", "filtered"
INTERNAL: Final = AuthzError.code
REASONS: Final = {
    PASSED: {
        PUBLIC: "The route is public, and asked nothing.",
        PERMITTED: "Permitted, and nothing to be filtered.",
        FILTERED: "Permitted, and only what is allowed left; of a list, which may be nothing.",
    },
    REFUSED: {
        "refused": "The decision point refused, or a record was of a class that is not permitted.",
        "unauthenticated": "No token, or none that is believed.",
        "not_found": "No route has this path, or nobody has this host.",
        "method_not_allowed": "The path is a route, the method is not.",
        "malformed": "The request has more than one reading, or a value is missing.",
        "too_large": "The request is larger than `max_body` or `max_json`.",
        "obligation_not_carried_out": "The upstream's answer cannot be filtered, or the permit "
        "obliges to what the gateway cannot do.",
    },
    FAILED: {
        "keys_unavailable": "The issuer's keys cannot be read, so that no token is believed.",
        "point_unavailable": "The decision point cannot be reached, or says that it cannot decide.",
        "point_timeout": "The decision point does not answer in time.",
        "point_rubbish": "What the decision point answers is no decision.",
        "upstream_failed": "The upstream cannot be reached, or its answer is none.",
        "upstream_timeout": "The upstream does not answer in time.",
        INTERNAL: "A fault of the gateway; its log has it.",
    },
    CUT: {
        "upstream_failed": "The upstream broke off.",
        "upstream_timeout": "The upstream fell silent.",
    },
}
"""Every outcome with its reasons, and what they mean."""


def passed(reason: str) -> None:
    """Count an answer of the upstream that is handed on."""
    GATEWAY.add(PASSED, reason)


def refused(error: Exception) -> None:
    """Count an answer that the gateway gives in place of the upstream's."""
    GATEWAY.add(*why(error, REASONS))


def why(error: Exception, reasons: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """The outcome and the reason that this error is; a fault of ours where it is none of them."""
    code = error.code if isinstance(error, AuthzError) else INTERNAL
    if isinstance(error, PointUnavailableError) and error.reason in FAULTS:
        code = error.reason
    found = (outcome for outcome in (REFUSED, FAILED) if code in reasons[outcome])
    outcome = next(found, "")
    return (outcome, code) if outcome else (FAILED, INTERNAL)


def watched(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of an answer that has begun; counted as well where they break off."""
    try:
        yield from pieces
    except UpstreamError as error:
        GATEWAY.add(CUT, error.code)
        raise
