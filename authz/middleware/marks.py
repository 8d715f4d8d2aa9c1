"""Declarations on views: ``@needs(…)`` and ``@public(…)``, and how they are found again.

A view that carries one runs only in a request that was decided for that very declaration: in an
application where nobody installed the middleware it refuses to run.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from authz.errors import DeclarationError
from authz.middleware.declare import Declaration, Needs, Public
from authz.middleware.exchange import current
from authz.middleware.shape import Shape

View = TypeVar("View", bound=Callable[..., Any])
MARKS: Final = "__authz__"
ANY: Final[frozenset[str]] = frozenset()
NO_SHAPE: Final = Shape()
AUTOMATIC: Final = {"HEAD": "GET"}
"""Methods that frameworks answer by the view of another, and that are decided as that one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A declaration of a view, for some of its methods, or for the one that it has."""

    declaration: Declaration
    methods: frozenset[str] = ANY


def needs(  # noqa: PLR0913 (each is a word of the question, named by its keyword)
    action: str,
    category: str,
    *,
    person: str,
    class_: str = "",
    record: str = "",
    purpose: str = "",
    fields: Iterable[str] | None = None,
    context: Mapping[str, str] | None = None,
    shape: Shape = NO_SHAPE,
    carries: Iterable[str] = (),
    methods: Iterable[str] = (),
) -> Callable[[View], View]:
    """Declare what a view uses, as :class:`Needs` has it; DeclarationError where it is none.

    ``person`` names an argument of the view, or ``query:student``, ``header:X-Student``,
    ``json:student``. A view with several methods has a declaration for each (``methods``).
    """
    told = stated(
        action, category, person=person, class_=class_, record=record, purpose=purpose,
        fields=fields, context=context, shape=shape, carries=carries,
    )  # fmt: skip
    return declared(told, methods)


def stated(
    action: str,
    category: str,
    *,
    fields: Iterable[str] | None = None,
    context: Mapping[str, str] | None = None,
    carries: Iterable[str] = (),
    **more: Any,
) -> Needs:
    """A declaration of its words, with lists where they are easier to write."""
    return Needs(
        action,
        category,
        fields=None if fields is None else tuple(fields),
        context=dict(context or {}),
        carries=frozenset(carries),
        **more,
    )


def public(why: str, *, methods: Iterable[str] = ()) -> Callable[[View], View]:
    """Declare that a view uses nobody's data, and say why that is so."""
    return declared(Public(why), methods)


def declared(declaration: Declaration, methods: Iterable[str] = ()) -> Callable[[View], View]:
    """Put a declaration on a view; DeclarationError where another one is in its way."""
    return marked(declaration, methods, _held)


def marked(
    declaration: Declaration, methods: Iterable[str], hold: Callable[[View], View]
) -> Callable[[View], View]:
    """Put a declaration on a view; ``hold`` makes of one without any a view that waits for it."""
    mark = Mark(declaration, frozenset(method.upper() for method in methods))

    def on(view: View) -> View:
        held = view if MARKS in vars(view) else hold(view)
        setattr(held, MARKS, (*vars(held).get(MARKS, ()), mark))
        return held

    return on


def marks_of(view: object, method: str) -> tuple[Mark, ...]:
    """The marks of a view for one method; of a class-based one those of its method."""
    own: tuple[Mark, ...] = getattr(view, MARKS, ())
    handler = _handler(view, method) or _handler(view, AUTOMATIC.get(method, method))
    return (*own, *getattr(handler, MARKS, ()))


def actions_of(view: object) -> Mapping[str, str]:
    """The actions of a view set by their methods in capitals (Django REST framework)."""
    found = getattr(view, "actions", None) if hasattr(view, "cls") else None
    return {str(each).upper(): str(name) for each, name in (found or {}).items()}


def _handler(view: object, method: str) -> object:
    """What of a class answers this method; None of a function."""
    kind = getattr(view, "view_class", None)
    if kind is not None:
        return getattr(kind, method.lower(), None)
    action = actions_of(view).get(method)
    return getattr(getattr(view, "cls", None), action, None) if action else None


def chosen(view: object, method: str) -> Declaration | None:
    """The one declaration of a view for that method; None where it has none, or several."""
    asked = AUTOMATIC.get(method, method)
    found = [
        mark.declaration
        for mark in marks_of(view, method)
        if not mark.methods or asked in mark.methods
    ]
    return found[0] if len(found) == 1 else None


def faults(view: object, methods: Iterable[str]) -> Iterator[str]:
    """What is wrong with the declarations of a view that answers these methods."""
    asked = sorted({AUTOMATIC.get(method, method) for method in methods})
    for method in asked:
        marks = marks_of(view, method)
        here = [mark for mark in marks if not mark.methods or method in mark.methods]
        if not here:
            yield f"{method} declares nothing"
        elif len(here) > 1:
            yield f"{method} declares more than one thing"
    shared = [mark for mark in getattr(view, MARKS, ()) if not mark.methods]
    if len(asked) > 1 and any(isinstance(mark.declaration, Needs) for mark in shared):
        yield f"one declaration for {' and '.join(asked)}: say methods=… in each"


def faults_named(declaration: Declaration, methods: Iterable[str]) -> Iterator[str]:
    """What is wrong with a declaration by name of a route that answers these methods."""
    asked = sorted({AUTOMATIC.get(method, method) for method in methods})
    if isinstance(declaration, Needs) and len(asked) > 1:
        yield f"one declaration for {' and '.join(asked)}: give each a route of its own"


def require(faulty: Iterable[str]) -> None:
    """DeclarationError that names every fault, where there is any."""
    listed = list(faulty)
    if listed:
        raise DeclarationError(
            f"Routes without a right declaration: {'; '.join(listed)}.",
            hint="Put @needs(…) or @public(…) under each route's own decorator.",
        )


def _held(view: View) -> View:
    """The view, which runs only where it was decided that it may."""
    if inspect.iscoroutinefunction(view):

        @functools.wraps(view)
        async def waiting(*arguments: Any, **named: Any) -> Any:
            _decided(waiting)
            return await view(*arguments, **named)

        return waiting  # type: ignore[return-value]

    @functools.wraps(view)
    def running(*arguments: Any, **named: Any) -> Any:
        _decided(running)
        return view(*arguments, **named)

    return running  # type: ignore[return-value]


def _decided(view: Any) -> None:
    declaration = current().declaration
    for mark in getattr(view, MARKS):
        if mark.declaration is declaration:
            return
    raise DeclarationError(
        "A view runs in a request that was decided for another one.",
        hint="Call what both views share, not one view from the other.",
    )
