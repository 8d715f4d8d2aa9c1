"""Role-based and need-to-know authorization for education platforms.

The way of one request (page 3.1 of the specification): ``api`` turns bytes into a
question, ``service`` runs one use case, ``directory`` reads what is true of the two
people now, ``engine`` matches the policy, ``decision`` combines, ``audit`` records,
``api`` turns the decision into bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authz.service.permitted import permitted

__version__ = "0.1.0"
__all__ = ["permitted"]


def __getattr__(name: str) -> Any:
    """``authz.permitted``, imported when it is asked for: it needs the whole service."""
    if name != "permitted":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from authz.service.permitted import permitted  # noqa: PLC0415 (lazy on purpose)

    return permitted
