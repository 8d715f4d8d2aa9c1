"""WSGI entry: ``app:app``, or the factory ``app:create_app``; no work at import (3.2).

The decision point and the screens are two applications on one store; here they become one.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def create_app() -> Any:
    """Both applications as one, with the settings of the environment."""
    from authz.admin import create_admin  # noqa: PLC0415 (no work at import)
    from authz.admin.application import mounted  # noqa: PLC0415 (no work at import)
    from authz.admin.context import Console  # noqa: PLC0415 (no work at import)
    from authz.api import create_app as create  # noqa: PLC0415 (no work at import)
    from authz.api.context import NAME  # noqa: PLC0415 (no work at import)

    api = create()
    here = api.extensions[NAME]
    return mounted(api, create_admin(Console.open(here.settings, here.point)))


def __getattr__(name: str) -> Any:
    """``app``, made when a server asks for it."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
