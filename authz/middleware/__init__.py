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
    from authz.middleware.embedded import EmbeddedPoint
    from authz.middleware.guard import AsyncGuard, Guard
    from authz.middleware.identity import Identity
    from authz.middleware.lists import permitted, permitted_async
    from authz.middleware.obligations.duties import Duties, Duty
    from authz.middleware.obligations.pseudonyms import PseudonymKey
    from authz.middleware.options import Endpoints, Keeping, Limits, Options, Patience
    from authz.middleware.permitted import Permitted
    from authz.middleware.point import AsyncPoint, Point
    from authz.middleware.question import Question
    from authz.middleware.remote import RemotePoint
    from authz.middleware.remote_async import AsyncRemotePoint
    from authz.middleware.shape import Shape
    from authz.middleware.threads import InThreads

__all__ = [
    "Answer",
    "AsyncGuard",
    "AsyncPoint",
    "AsyncRemotePoint",
    "Duties",
    "Duty",
    "EmbeddedPoint",
    "Endpoints",
    "Guard",
    "Identity",
    "InThreads",
    "Keeping",
    "Limits",
    "Needs",
    "Options",
    "Patience",
    "Permitted",
    "Point",
    "PseudonymKey",
    "Public",
    "Question",
    "RemotePoint",
    "Shape",
    "permitted",
    "permitted_async",
]

_WHERE = {
    "Answer": "answer",
    "AsyncGuard": "guard",
    "AsyncPoint": "point",
    "AsyncRemotePoint": "remote_async",
    "Duties": "obligations.duties",
    "Duty": "obligations.duties",
    "EmbeddedPoint": "embedded",
    "Endpoints": "options",
    "Guard": "guard",
    "Identity": "identity",
    "InThreads": "threads",
    "Keeping": "options",
    "Limits": "options",
    "Needs": "declare",
    "Options": "options",
    "Patience": "options",
    "Permitted": "permitted",
    "Point": "point",
    "PseudonymKey": "obligations.pseudonyms",
    "Public": "declare",
    "Question": "question",
    "RemotePoint": "remote",
    "Shape": "shape",
    "permitted": "lists",
    "permitted_async": "lists",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
