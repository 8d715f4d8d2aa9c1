"""Truth that is not known yet: what must be so of two people for a rule to hold (3.4).

A formula is what is left of a rule's condition once everything that the question says has
been put in. Whoever can look at the people (the directory, in SQL) finds out the rest.
Pure values; the constructors :func:`both`, :func:`either` and :func:`negated` fold what is
known, so that nothing is asked that cannot matter.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Related:
    """A relation of the vocabulary holds between the two, for a use with this purpose."""

    name: str
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    """The subject holds this role towards the person, itself and not by inheritance."""

    role: str


@dataclass(frozen=True, slots=True)
class Contracted:
    """A contract covers the use for this purpose and allows one of these fields (2.4)."""

    purpose: str | None
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that only the engine can tell, of one pair at a time."""

    text: str


Atom = Related | Holds | Contracted | Opaque


@dataclass(frozen=True, slots=True)
class Not:
    """The atom is not so; other formulas are negated by pushing it inwards."""

    atom: Atom


@dataclass(frozen=True, slots=True)
class All:
    """Every part is so."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One part is so."""

    parts: tuple[Formula, ...]


Formula = bool | Related | Holds | Contracted | Opaque | Not | All | Any


def both(parts: Iterable[Formula]) -> Formula:
    """All of them; what is known to be so falls away, and what another part decides."""
    found: dict[Formula, None] = {}
    for part in parts:
        inner = part.parts if isinstance(part, All) else (part,)
        found.update(dict.fromkeys(inner))
    left = [_given(part, found) for part in found]
    if any(part is False for part in left):
        return False
    kept = tuple(dict.fromkeys(part for part in left if part is not True))
    if not kept:
        return True
    return All(kept) if len(kept) > 1 else kept[0]


def _given(part: Formula, others: Container[Formula]) -> Formula:
    """The part, where the others are so: an alternative among them decides it."""
    if isinstance(part, Any):
        if any(each in others for each in part.parts):
            return True
        kept = tuple(each for each in part.parts if negated(each) not in others)
        return kept[0] if len(kept) == 1 else Any(kept) if kept else False
    return part is not False and (negated(part) in others) is False and part


def either(parts: Iterable[Formula]) -> Formula:
    """One of them; what is known not to be so falls away."""
    return negated(both(negated(part) for part in parts))


def negated(formula: Formula) -> Formula:
    """The opposite, with every negation at an atom."""
    if isinstance(formula, bool):
        return not formula
    if isinstance(formula, Not):
        return formula.atom
    if isinstance(formula, All):
        return Any(tuple(negated(part) for part in formula.parts))
    if isinstance(formula, Any):
        return All(tuple(negated(part) for part in formula.parts))
    return Not(formula)


def some(formulas: Iterable[Formula]) -> Formula:
    """One of them, with what they all ask asked once."""
    found = [f.parts if isinstance(f, All) else (f,) for f in formulas]
    if not found:
        return False
    shared = [part for part in found[0] if all(part in parts for parts in found)]
    rests = (both(part for part in parts if part not in shared) for parts in found)
    return both([*shared, either(rests)])


def atoms(formula: Formula) -> Iterator[Atom]:
    """Every atom that the formula asks about."""
    if isinstance(formula, All | Any):
        for part in formula.parts:
            yield from atoms(part)
    elif isinstance(formula, Not):
        yield formula.atom
    elif not isinstance(formula, bool):
        yield formula


def without(formula: Formula, absent: Container[Atom]) -> Formula:
    """What is left of it where these atoms are known not to be so."""
    if isinstance(formula, All):
        return both(without(part, absent) for part in formula.parts)
    if isinstance(formula, Any):
        return either(without(part, absent) for part in formula.parts)
    if isinstance(formula, Not):
        return True if formula.atom in absent else formula
    return formula if isinstance(formula, bool) else formula not in absent and formula
