"""The values of a request that a declaration names, each read in one way only.

A name alone is an argument of the route. ``query:student``, ``header:X-Student`` and
``json:student`` (``json:pupil.id``) are read from the request, where they must stand once:
what two readers could take for two values is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from authz.errors import MalformedError
from authz.middleware.declare import Declaration, Needs
from authz.middleware.gateway import query, strict

LARGEST: Final = 1024 * 1024
"""Bytes of a JSON body of which a value is read."""
QUERY, HEADER, JSON = "query:", "header:", "json:"
_ABSENT: Final = object()


class RequestValues(Mapping[str, Any]):
    """The values of one request; what is not asked for is not read."""

    def __init__(
        self,
        arguments: Mapping[str, Any],
        *,
        raw_query: str = "",
        headers: Callable[[str], Iterable[str]] | None = None,
        body: Callable[[], bytes] | None = None,
    ) -> None:
        """``headers`` gives all values of a header, ``body`` the bytes of the body."""
        self._arguments = arguments
        self._raw_query = raw_query
        self._headers = headers
        self._body = body

    def __getitem__(self, name: str) -> Any:
        value = self._read(name)
        if value is _ABSENT:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default: what nearly every question asks for is an argument."""
        value = self._arguments.get(name, _ABSENT) if ":" not in name else self._read(name)
        return default if value is _ABSENT else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments)

    def __len__(self) -> int:
        return len(self._arguments)

    def _read(self, name: str) -> Any:
        if name.startswith(QUERY):
            wanted = name.removeprefix(QUERY)
            found = query.single(self._raw_query, query.pairs(self._raw_query), [wanted])
            return found.get(wanted, _ABSENT)
        if name.startswith(HEADER):
            return self._header(name.removeprefix(HEADER))
        if name.startswith(JSON):
            return self._member(name.removeprefix(JSON).split("."))
        return self._arguments.get(name, _ABSENT)

    def _header(self, name: str) -> Any:
        found = list(self._headers(name)) if self._headers else []
        if len(found) > 1 or any("," in value for value in found):
            raise MalformedError("The header stands there twice.", where=name)
        return found[0] if found else _ABSENT

    def _member(self, way: list[str]) -> Any:
        data = self._body() if self._body else b""
        if len(data) > LARGEST:
            raise MalformedError("The body is too large.", where=strict.WHOLE)
        value = strict.parse(data)
        for name in way:
            if not isinstance(value, dict) or name not in value:
                return _ABSENT
            value = value[name]
        return value


def reads_body(declaration: Declaration) -> bool:
    """Whether a value of the body is needed before anything runs."""
    return isinstance(declaration, Needs) and any(
        name.startswith(JSON) for name in declaration.values
    )
