"""One question to the demo school with its answer, and the book that collects them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Request = dict[str, object]


@dataclass(frozen=True, slots=True)
class Scene:
    """One question in AuthZEN's shape, and its answer.

    `shows` is the rule of 2.5, the refusal of 2.6 or the reason that the scene is about;
    `rule` is what the answer says: the one rule that permits, or the reason's code as
    `authz evaluate` tells it (over HTTP it is neutral, N-23).
    """

    id: str
    title: Mapping[str, str]
    request: Request
    decision: bool
    rule: str
    shows: str


def ask(who: str, action: str, category: str, whom: str, **more: object) -> Request:
    """A request; `class_`, `record`, `fields` describe the resource, the rest is context."""
    resource: Request = {"type": category, "id": whom}
    named = {"class_": "class", "record": "record", "fields": "fields"}
    properties = {named[key]: value for key, value in more.items() if key in named}
    context = {key: value for key, value in more.items() if key not in named}
    if properties:
        resource["properties"] = properties
    request: Request = {
        "subject": {"type": "service" if who.startswith("svc-") else "user", "id": who},
        "action": {"name": action},
        "resource": resource,
    }
    return {**request, "context": context} if context else request


class Book:
    """Collects scenes and numbers those that show the same rule in the same way."""

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.seen: Counter[str] = Counter()

    def permit(self, rule: str, en: str, th: str, request: Request) -> None:
        """A scene in which `rule` alone permits."""
        id_ = self._number(f"{rule}.permit")
        self.scenes.append(Scene(id_, _title(en, th), request, True, rule, rule))  # noqa: FBT003 (the answer that is awaited)

    def refuse(self, shows: str, reason: str, en: str, th: str, request: Request) -> None:
        """A scene in which `shows` does not permit, or is the refusal that strikes."""
        id_ = self._number(f"{shows}.refuse")
        self.scenes.append(Scene(id_, _title(en, th), request, False, reason, shows))  # noqa: FBT003 (the answer that is awaited)

    def _number(self, stem: str) -> str:
        """`stem`, then `stem-2` and so on."""
        self.seen[stem] += 1
        return stem if self.seen[stem] == 1 else f"{stem}-{self.seen[stem]}"


def _title(en: str, th: str) -> Mapping[str, str]:
    return MappingProxyType({"th": th, "en": en})
