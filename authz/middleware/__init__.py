"""Enforcement inside an application: ask a decision point, and do all that its answer says.

Names are imported when they are first used, so that an application brings in only the mode and
the framework that it has (3.2).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authz.middleware.answer import Answer
    from authz.middleware.declare import Needs, Public
    from authz.middleware.guard import AsyncGuard, Guard
    from authz.middleware.identity import Identity
    from authz.middleware.obligations.duties import Duties, Duty
    from authz.middleware.obligations.pseudonyms import PseudonymKey
    from authz.middleware.permitted import Permitted
    from authz.middleware.point import AsyncPoint, Point
    from authz.middleware.question import Question
    from authz.middleware.shape import Shape

__all__ = [
    "Answer",
    "AsyncGuard",
    "AsyncPoint",
    "Duties",
    "Duty",
    "Guard",
    "Identity",
    "Needs",
    "Permitted",
    "Point",
    "PseudonymKey",
    "Public",
    "Question",
    "Shape",
]

_WHERE = {
    "Answer": "answer",
    "AsyncGuard": "guard",
    "AsyncPoint": "point",
    "Duties": "obligations.duties",
    "Duty": "obligations.duties",
    "Guard": "guard",
    "Identity": "identity",
    "Needs": "declare",
    "Permitted": "permitted",
    "Point": "point",
    "PseudonymKey": "obligations.pseudonyms",
    "Public": "declare",
    "Question": "question",
    "Shape": "shape",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
