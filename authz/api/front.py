"""The short way of the decision endpoints: WSGI, in front of Flask and in its process.

A framework costs a request several times what its decision costs; a caller asks many small
questions. So what is ``POST`` to one of the two paths is answered here, and all else,
another method of the same paths included, by Flask. What is answered, and how an error is
told, is the same code for both (:mod:`authz.api.evaluation`, :mod:`authz.api.problem`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from authz.api import evaluation, plain, problem
from authz.api.context import NAME, Service

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Front:
    """Answers the decision endpoints, and leaves the rest to the application behind."""

    def __init__(self, behind: Application, here: Service) -> None:
        self._behind = behind
        self._here = here
        self.closed = False
        """Whether all is left to the application behind, which does more before an answer."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        posted = environ["REQUEST_METHOD"] == "POST"
        answering = evaluation.ANSWERS.get(environ["PATH_INFO"]) if posted else None
        if answering is None or self.closed:
            return self._behind(environ, start_response)
        asked = plain.begin(environ)
        try:
            made = answering(self._here, asked, environ)
        except Exception as error:  # noqa: BLE001 (as Flask's handler of Exception: told as 500)
            made = problem.of(error, asked)
        start_response(plain.STATUS[made.status], plain.headers(asked, made))
        return [made.body]


def register(app: Flask) -> Front:
    """Put the short way in front of the application; whoever calls it comes through here."""
    made = Front(app.wsgi_app, app.extensions[NAME])
    app.wsgi_app = made  # type: ignore[method-assign]
    return made
