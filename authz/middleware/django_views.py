"""Which declaration a view of a Django site has, and what is wrong with those of all routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.urls import ResolverMatch, URLResolver, get_resolver
from django.views import View

from authz.middleware import marks
from authz.middleware.declare import Declaration, Needs
from authz.middleware.exchange import ANSWERED

VERBS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READING: Final = frozenset({"GET", "HEAD"})
Named = Mapping[str, Declaration]
"""Declarations of views that carry none: by a route's name, or of all in a namespace."""


def faults(known: Named) -> Iterator[str]:
    """What is wrong with the declarations of all routes of the site."""
    yield from _faults(known, get_resolver().url_patterns, "/", ())


def declaration_of(
    known: Named, match: ResolverMatch, view: Any, method: str
) -> Declaration | None:
    """What this view says that it uses, where it was found so; None where it says nothing."""
    found = _named(known, match.url_name or "", match.namespaces)
    if not isinstance(found, Needs) or _by_itself(view, method):
        return found or _of_view(view, method)
    return found if _only(view) == {marks.AUTOMATIC.get(method, method)} else None


def _faults(known: Named, patterns: Any, place: str, namespaces: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        here = place + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, *([pattern.namespace] if pattern.namespace else []))
            yield from _faults(known, pattern.url_patterns, here, inner)
        else:
            view, named = pattern.callback, _named(known, pattern.name or "", namespaces)
            wrong = marks.faults_named(named, _verbs(view)) if named else _undeclared(view)
            yield from (f"{here}: {fault}" for fault in wrong)


def _undeclared(view: Any) -> Iterator[str]:
    return marks.faults(view, _verbs(view))


def _of_view(view: Any, method: str) -> Declaration | None:
    """The declaration of a view for a method.

    A function is run for every method there is, so that one without ``methods`` is for reading.
    """
    if getattr(view, "view_class", None) is None and not marks.actions_of(view):
        known = {mark.methods for mark in getattr(view, marks.MARKS, ())}
        return (
            None if known == {marks.ANY} and method not in READING else marks.chosen(view, method)
        )
    return ANSWERED if _by_itself(view, method) else marks.chosen(view, method)


def _by_itself(view: Any, method: str) -> bool:
    """Whether Django answers this by itself, as OPTIONS of a class."""
    kind = getattr(view, "view_class", None)
    return method == "OPTIONS" and kind is not None and kind.options is View.options


def _only(view: Any) -> set[str]:
    """The methods that a declaration by name is for: one, of a function that of reading."""
    return {marks.AUTOMATIC.get(verb, verb) for verb in _verbs(view)}


def _verbs(view: Any) -> list[str]:
    """The methods that a view answers: of a function those that its declarations name."""
    kind = getattr(view, "view_class", None)
    if actions := marks.actions_of(view):
        return sorted(actions)
    if kind is None:
        named = {method for mark in getattr(view, marks.MARKS, ()) for method in mark.methods}
        return sorted(named) or ["GET"]
    automatic = {"OPTIONS"}
    return [verb for verb in VERBS if hasattr(kind, verb.lower()) and verb not in automatic]


def _named(known: Named, name: str, namespaces: Any) -> Declaration | None:
    if not known:
        return None
    path = ":".join([*namespaces, name])
    wider = [":".join(namespaces[: place + 1]) + ":" for place in range(len(namespaces))]
    return next((known[each] for each in (path, *wider) if each in known), None)
