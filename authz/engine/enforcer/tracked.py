"""Casbin's own containers, with a count of their changes.

So that a policy or a role changed behind the enforcer's back (``e.model.add_policy``,
``e.get_role_manager().add_link``) is seen at the next question, at the price of comparing
two numbers. In every other respect they are what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from casbin.rbac.default_role_manager import DomainManager, RoleManager

LONGEST_JOURNAL = 2048


class TrackedList(list[Any]):
    """A policy that counts its changes and remembers the last plain additions and removals.

    ``journal`` holds ``(added, rule)`` since version ``base``; any other change empties it.
    """

    def __init__(self, rules: list[Any]) -> None:
        super().__init__(rules)
        self.version = self.base = 0
        self.journal: list[tuple[bool, Any]] = []

    def append(self, rule: Any, /) -> None:
        """Add a line at the end."""
        super().append(rule)
        self._note(True, rule)  # noqa: FBT003 (added, or removed)

    def remove(self, rule: Any, /) -> None:
        """Remove the first line that is equal."""
        super().remove(rule)
        self._note(False, rule)  # noqa: FBT003 (added, or removed)

    def _note(self, added: bool, rule: Any) -> None:  # noqa: FBT001 (its two callers are here)
        if len(self.journal) >= LONGEST_JOURNAL:
            self.forget()
            return
        self.journal.append((added, rule))
        self.version += 1

    def forget(self) -> None:
        """A change that no journal describes: whoever follows has to read everything."""
        self.version += 1
        self.base = self.version
        self.journal = []

    def since(self, version: int) -> list[tuple[bool, Any]] | None:
        """The additions and removals after ``version``; None if they are not known."""
        return None if version < self.base else self.journal[version - self.base :]

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [rule.copy() if type(rule) is list else rule for rule in self]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


class TrackedDict(dict[str, Any]):
    """The functions of a matcher, with a count of their changes."""

    version = 0

    def forget(self) -> None:
        """Something was changed."""
        self.version += 1


class TrackedRoleManager(RoleManager):  # type: ignore[misc]
    """Casbin's role manager, with a count of its changes."""

    version = 0

    def forget(self) -> None:
        """Something was changed."""
        self.version += 1


class TrackedDomainManager(DomainManager):  # type: ignore[misc]
    """Casbin's role manager for domains, with a count of its changes."""

    version = 0

    def forget(self) -> None:
        """Something was changed."""
        self.version += 1


def _counted(base: type, name: str) -> Callable[..., Any]:
    original = getattr(base, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        finally:
            self.forget()

    method.__name__ = name
    method.__doc__ = original.__doc__
    return method


_CHANGES: dict[type, tuple[type, str]] = {
    TrackedList: (
        list,
        "extend insert pop clear sort reverse __setitem__ __delitem__ __iadd__ __imul__",
    ),
    TrackedDict: (
        dict,
        "update pop popitem clear setdefault __setitem__ __delitem__ __ior__",
    ),
    TrackedRoleManager: (
        RoleManager,
        "add_link delete_link clear add_matching_func add_domain_matching_func",
    ),
    TrackedDomainManager: (
        DomainManager,
        "add_link delete_link clear add_matching_func add_domain_matching_func",
    ),
}
for _kind, (_base, _names) in _CHANGES.items():
    for _name in _names.split():
        setattr(_kind, _name, _counted(_base, _name))


def adopt_model(model: Any) -> None:
    """Replace the policies and role managers of a model by counting ones, where they are plain."""
    sections = model.model
    for section in ("p", "g"):
        for assertion in (sections.get(section) or {}).values():
            if type(assertion.policy) is list:
                assertion.policy = TrackedList(assertion.policy)
            adopt_roles(assertion.rm)


def adopt_roles(manager: Any) -> None:
    """Let a role manager of Casbin's own count; another one stays what it is."""
    if type(manager) is RoleManager:
        manager.__class__ = TrackedRoleManager
    elif type(manager) is DomainManager:
        manager.__class__ = TrackedDomainManager


def adopt_functions(functions: Any) -> None:
    """Let the functions of a matcher be counted."""
    if type(getattr(functions, "fm", None)) is dict:
        functions.fm = TrackedDict(functions.fm)
