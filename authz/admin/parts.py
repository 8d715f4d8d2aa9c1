"""Parts of a page that are updated in their place, where the browser runs HTMX.

A list's filter and its pages, and the explorer's what-ifs, ask for the part alone and put it in
the place of the old one. It is the block ``part`` of the page's own template, in a layout without
a frame: so it cannot differ from the page that a browser without JavaScript gets.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, request
from markupsafe import Markup

PART: Final = "part"
"""The id of the element, which HTMX names in the header ``HX-Target``."""
_LIVE: Final = Markup(
    ' hx-boost="true" hx-target="#part" hx-swap="outerHTML show:none" hx-push-url="true"'
    ' hx-indicator="#part"'
)


def register(app: Flask) -> None:
    """Give the layout to every template."""
    app.context_processor(lambda: {"layout": "part.html" if asked() else "base.html"})
    app.jinja_env.globals.update(live=lambda: _LIVE, part_focus=_focus)


def asked() -> bool:
    """Whether the part alone is asked for; going back in the history takes the whole page."""
    said: Any = request.headers.get
    restores = said("HX-History-Restore-Request") == "true"
    return said("HX-Request") == "true" and said("HX-Target") == PART and not restores


def _focus() -> Markup:
    """Whoever reads the page aloud, or uses no mouse, goes on where it changed."""
    return Markup(' tabindex="-1" autofocus') if asked() else Markup("")
