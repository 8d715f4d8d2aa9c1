"""Tags for Django templates: ``{% may … as … %}`` and ``{% ahead … %}``.

::

    {% load authz %}
    {% ahead "read" "assessment_result" students %}
    {% for student in students %}
      {% may "read" "assessment_result" student as allowed %}
      {% if allowed %}…{% endif %}

Name it in ``OPTIONS["libraries"]`` as ``authz``, and ``authz.middleware.django.may`` among the
context processors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def may(
    context: Mapping[str, Any], action: str, category: str, person: Any, purpose: str = ""
) -> bool:
    """May whoever is signed in do this? (:meth:`authz.middleware.pages.Page.__call__`)."""
    return bool(context["may"](action, category, person, purpose=purpose))


@register.simple_tag(takes_context=True)
def ahead(
    context: Mapping[str, Any],
    action: str,
    category: str,
    people: Iterable[Any],
    purpose: str = "",
) -> str:
    """Ask about all these people in one call (:meth:`authz.middleware.pages.Page.ahead`)."""
    return str(context["may"].ahead(action, category, people, purpose=purpose))
