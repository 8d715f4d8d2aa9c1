"""Which fields a permit leaves: need to know, down to the field (E-01, 2.7)."""

from __future__ import annotations

from collections.abc import Collection

from authz.decision.catalogue import Catalogue
from authz.decision.rule import Rule


def allowed(
    catalogue: Catalogue,
    rule: Rule,
    category: str,
    purpose: str | None,
    *,
    own: bool,
    contracted: Collection[str] | None,
    asked: Collection[str] | None,
) -> tuple[str, ...]:
    """The fields of the category that this rule allows for this purpose, in its order.

    They are cut to what the rule lists, the purpose needs, the contract names and the
    caller asked for. A person's ``own`` use is not cut to the purpose (2.7). ``contracted``
    and ``asked`` are None where they set no limit.
    """
    limits = [rule.categories[category] or None, contracted, asked]
    if purpose is not None and not own:
        needed = catalogue.purposes[purpose].needs
        limits.append(needed[category] or None if category in needed else ())
    names: tuple[str, ...] = catalogue.fields_of(category)
    for limit in limits:
        if limit is not None:
            names = tuple(name for name in names if name in limit)
    return names


def withheld(asked: Collection[str] | None, given: Collection[str]) -> tuple[str, ...]:
    """What was asked for and is not allowed, unknown names included (page 5)."""
    return tuple(name for name in asked or () if name not in given)
