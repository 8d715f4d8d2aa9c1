"""Coded errors: one base, one class per kind, each with what a person can do next.

Naming rule of codes: ``snake_case``, the thing first, then what is wrong with it
(``roster_row``, ``audit_unavailable``). A code never changes its meaning. The one table
that maps kinds to HTTP statuses is :data:`HTTP_STATUS`; exit statuses of the command
line follow :attr:`AuthzError.exit_status` (page 4.2).
"""

from __future__ import annotations

from typing import ClassVar


class AuthzError(Exception):
    """The base of every error that `authz` raises on purpose.

    ``message`` is a sentence for a person; ``hint`` says what to do next; ``where``
    names the file, line or field at fault, and is empty where there is none.
    """

    code: ClassVar[str] = "internal"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class MalformedError(AuthzError):
    """A request that is no question: ``where`` is the path of the field (400)."""

    code = "malformed"
    exit_status = 2


class TooLargeError(AuthzError):
    """A body, batch or nesting over its limit (413)."""

    code = "too_large"
    exit_status = 2


class UnauthenticatedError(AuthzError):
    """The caller has no valid credential (401)."""

    code = "unauthenticated"


class KeysError(UnauthenticatedError):
    """There are no keys to verify a token by, so that nobody is believed (503)."""

    code = "keys_unavailable"


class ForbiddenError(AuthzError):
    """The caller is known, but its token lacks the scope (403)."""

    code = "forbidden"


class NotFoundError(AuthzError):
    """What was named does not exist (404)."""

    code = "not_found"


class MethodNotAllowedError(AuthzError):
    """The route is there, and answers other methods (405)."""

    code = "method_not_allowed"


class NotReadyError(AuthzError):
    """The database, its tables or the audit trail cannot be used yet (503)."""

    code = "not_ready"


class TooManyError(AuthzError):
    """Somebody tries too often (429); ``wait`` says for how many seconds they must not."""

    code = "too_many"

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message, hint=f"Try again in {wait} seconds.")
        self.wait = wait


class ConflictError(AuthzError):
    """The change does not fit what is on file (409)."""

    code = "conflict"


class SeparationError(ConflictError):
    """A role that the person must not hold beside another of theirs (409, N-44)."""

    code = "separation_of_duties"


class PolicyError(AuthzError):
    """A policy pack with a defect; such a pack does not start (page 3.3)."""

    code = "policy_invalid"
    exit_status = 2


class RosterError(AuthzError):
    """A roster that cannot be imported; nothing of it was (page 4.2)."""

    code = "roster_invalid"
    exit_status = 2


class MassChangeError(RosterError):
    """A roster that would end more people, or other rows, than the guard allows (page 4.2)."""

    code = "roster_mass_change"
    exit_status = 1


class FactError(AuthzError):
    """A facts or entities file that cannot be imported; nothing of it was."""

    code = "fact_invalid"
    exit_status = 2


class SettingError(AuthzError):
    """A setting that cannot be used; the service does not start."""

    code = "setting_invalid"
    exit_status = 2


class AuditUnavailableError(AuthzError):
    """The record could not be written, so there is no answer (page 2.8, N-49)."""

    code = "audit_unavailable"


class AuditDamagedError(AuthzError):
    """The chain of records does not verify; ``where`` names the first bad record."""

    code = "audit_damaged"


class CheckpointRefusedError(AuditDamagedError):
    """The tree does not go on from the last checkpoint, so no further one is signed."""

    code = "checkpoint_refused"


class StoreUnavailableError(AuthzError):
    """The database does not answer: no facts, no permit (page 3.5)."""

    code = "store_unavailable"


class RoutesError(AuthzError):
    """A ``routes.toml`` with a defect; the gateway, or ``/forward-auth``, does not start."""

    code = "routes_invalid"
    exit_status = 2


class UpstreamError(AuthzError):
    """The application behind the gateway fails, or its answer is not to be trusted (502)."""

    code = "upstream_failed"


class UpstreamTimeoutError(UpstreamError):
    """The application behind the gateway does not answer in time (504)."""

    code = "upstream_timeout"


class RefusedError(AuthzError):
    """The data must not be used: refused by the point, or for want of an answer (2.6).

    ``reason`` is the neutral code, ``text`` the point's sentence for a person, if it told one,
    ``decision_id`` the place of the record. Who is not signed in is refused with
    UnauthenticatedError instead.
    """

    code = "refused"

    def __init__(
        self, message: str, *, reason: str = "refused", text: str = "", decision_id: str = ""
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.text = text
        self.decision_id = decision_id


class ObligationError(RefusedError):
    """The permit obliges to what the application does not do, which makes it a refusal (2.7)."""

    code = "obligation_not_carried_out"


class PointUnavailableError(RefusedError):
    """The decision point does not answer, or not as it should: a refusal (503)."""

    code = "point_unavailable"


class DeclarationError(AuthzError):
    """A route without a declaration, or with a wrong one; the application does not start."""

    code = "declaration_invalid"
    exit_status = 2


HTTP_STATUS: dict[type[AuthzError], int] = {
    MalformedError: 400,
    TooLargeError: 413,
    UnauthenticatedError: 401,
    KeysError: 503,
    ForbiddenError: 403,
    RefusedError: 403,
    ObligationError: 403,
    PointUnavailableError: 503,
    DeclarationError: 500,
    NotFoundError: 404,
    MethodNotAllowedError: 405,
    NotReadyError: 503,
    TooManyError: 429,
    ConflictError: 409,
    SeparationError: 409,
    PolicyError: 500,
    RosterError: 422,
    MassChangeError: 409,
    FactError: 422,
    SettingError: 500,
    AuditUnavailableError: 503,
    AuditDamagedError: 500,
    StoreUnavailableError: 503,
    RoutesError: 500,
    UpstreamError: 502,
    UpstreamTimeoutError: 504,
    AuthzError: 500,
}


def http_status(error: AuthzError) -> int:
    """The HTTP status of an error, by the nearest class of the table."""
    return next(HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS)
