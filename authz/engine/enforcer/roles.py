"""The roles that somebody holds, as one set: what ``g(_, _)`` asks link by link.

A view belongs to one version of one role manager. It reads the manager only while the
enforcer's lock is held and the version is still that one; what was read is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

from casbin.rbac.default_role_manager.role_manager import DomainManagerBase

from authz.engine.enforcer.runtime import PLAIN, Outdated, Uncertain
from authz.engine.enforcer.tracked import TrackedDomainManager, TrackedRoleManager

REMEMBERED = 65_536
"""Closures kept; names come from requests, so that there has to be an end."""
WITH_DOMAIN = 3


def reason_not_to_close(manager: Any) -> str | None:
    """Why ``g`` has to ask this manager link by link; None if a set answers it."""
    if manager is None:
        return "the role links were never built"
    if type(manager) is TrackedRoleManager:
        return None if manager.matching_func is None else "it has a matching function"
    if type(manager) is not TrackedDomainManager:
        return f"{type(manager).__name__} answers for itself"
    if manager.domain_matching_func is not None:
        return "it has a domain matching function"
    plain = DomainManagerBase().matching_func
    if getattr(manager.matching_func, "__code__", None) is not plain.__code__:
        return "it has a matching function"
    return None


class RoleView:
    """The closures of one version of a role manager, found when they are asked for."""

    def __init__(
        self, manager: Any, assertion: Any, lock: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        self.manager = manager
        self.assertion = assertion
        self.version: int = manager.version
        self.in_domains = isinstance(manager, TrackedDomainManager)
        self._lock = lock
        self._known: dict[Any, frozenset[str]] = {}
        self._links: dict[str, dict[str, list[str]]] = {}

    def current(self) -> bool:
        """Whether the manager is still as this view knows it."""
        return self.manager.version == self.version and self.assertion.rm is self.manager

    def renewed(self) -> RoleView:
        """A view of what the manager holds now."""
        return self if self.current() else RoleView(self.manager, self.assertion, self._lock)

    def of(self, name: Any, domain: Any = "") -> frozenset[str]:
        """All that ``name`` is or holds there, by inheritance, as deep as the manager looks."""
        key = (name, domain) if self.in_domains else name
        known = self._known.get(key)
        return self._read(key, name, domain) if known is None else known

    def g(self, *arguments: Any) -> bool:
        """Casbin's ``g``."""
        name, role = arguments[0], arguments[1]
        if type(name) is not str or type(role) not in PLAIN:
            raise Uncertain
        if not self.in_domains:
            return role in self.of(name)
        domain = arguments[2] if len(arguments) >= WITH_DOMAIN else ""
        if type(domain) is not str:
            if type(domain) not in PLAIN:
                raise Uncertain
            domain = str(domain)
        return role in self.of(name, domain)

    def _read(self, key: Any, name: str, domain: str) -> frozenset[str]:
        with self._lock():
            if not self.current():
                raise Outdated
            depth = self.manager.max_hierarchy_level
            if not self.in_domains:
                found = _walk(name, _linked(self.manager.all_roles), depth)
            elif domain in self.manager.rm_map:
                inner = self.manager.rm_map[domain]
                found = _walk(name, _linked(inner.all_roles), inner.max_hierarchy_level)
            else:
                links = self._links_in(domain)
                found = _walk(name, lambda one: links.get(one, ()), depth)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = found
            return found

    def _links_in(self, domain: str) -> dict[str, list[str]]:
        if domain not in self._links:
            links = self.manager.all_links.get(domain, ())
            if len(set(links)) != len(links):
                # Casbin forgets a link given twice at the first removal, or not, by what
                # it was asked before. Let it be asked, as it would have been.
                raise Uncertain
            found: dict[str, list[str]] = {}
            for user, role in links:
                if type(user) is not str or type(role) is not str:
                    raise Uncertain
                found.setdefault(user, []).append(role)
            self._links[domain] = found
        return self._links[domain]


def _linked(roles: dict[str, Any]) -> Callable[[str], Collection[str]]:
    def links(name: str) -> list[str]:
        role = roles.get(name)
        return [] if role is None else [other.name for other in role.roles]

    return links


def _walk(name: str, links: Callable[[str], Collection[str]], depth: int) -> frozenset[str]:
    """What is reached in fewer than ``depth`` steps; as Casbin's search, level by level."""
    found: set[str] = set()
    level = {name}
    for _ in range(depth):
        if not level:
            break
        if any(type(one) is not str for one in level):
            raise Uncertain
        found |= level
        level = {other for one in level for other in links(one)} - found
    return frozenset(found)
