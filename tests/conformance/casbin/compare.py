"""Two enforcers side by side: Casbin's own and ours, given the same and asked the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import casbin

from authz.engine import CompiledEnforcer

ADDRESS = re.compile(r"0x[0-9a-f]+")


class Pair:
    """Casbin's enforcer (``theirs``) and ours."""

    def __init__(self, text: str, policy: Sequence[Sequence[Any]] = ()) -> None:
        self.theirs = build(casbin.Enforcer, text, policy)
        self.ours = build(CompiledEnforcer, text, policy)

    def each(self, change: Callable[[Any], Any]) -> None:
        """Do the same to both; what came of it has to be the same."""
        assert outcome(change, self.ours) == outcome(change, self.theirs)

    def ask(self, *request: Any) -> tuple[Any, ...]:
        """Ask both; the answers or the errors have to be the same."""
        wanted = outcome(lambda e: e.enforce_ex(*request), self.theirs)
        assert outcome(lambda e: e.enforce_ex(*request), self.ours) == wanted
        answer = outcome(lambda e: e.enforce(*request), self.ours)
        assert answer == ((wanted[0], wanted[1][0]) if wanted[0] == "answer" else wanted)
        return wanted

    def allows(self, *request: Any) -> bool:
        """Ask both; no error is expected."""
        found = self.ask(*request)
        assert found[0] == "answer", found
        return bool(found[1][0])


def build(kind: Any, text: str, policy: Sequence[Sequence[Any]]) -> Any:
    """An enforcer with this model and these lines, loaded as an adapter would."""
    model = casbin.Enforcer.new_model(text=text)
    for key, *rule in policy:
        model.model[str(key)[0]][key].policy.append(list(rule))
    model.sort_policies_by_priority()
    enforcer = kind(model)
    for rm in enforcer.cond_rm_map.values():
        rm.clear()
    enforcer.build_role_links()
    if enforcer.cond_rm_map:
        enforcer.model.build_conditional_role_links(enforcer.cond_rm_map)
    return enforcer


def outcome(ask: Callable[[Any], Any], enforcer: Any) -> tuple[Any, ...]:
    """What came of it: ("answer", value) or ("error", type, message)."""
    try:
        return ("answer", ask(enforcer))
    except Exception as error:  # noqa: BLE001 (errors are what is compared)
        return ("error", type(error).__name__, ADDRESS.sub("", str(error)))
