"""WSGI entry: ``app:app``, or the factory ``app:create_app``; no work at import (3.2)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


@cache
def create_app() -> Flask:
    """The application, with the settings of the environment."""
    from authz.api import create_app as create  # noqa: PLC0415 (no work at import)

    return create()


def __getattr__(name: str) -> Flask:
    """``app``, made when a server asks for it."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
