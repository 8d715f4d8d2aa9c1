"""The engines that are asked with the rules of a pack, generated into their language.

They answer yes or no; ours also says the rules, the reason and the obligations.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from authz.engine.policy import Policy
from benchmarks import optional  # noqa: F401 (makes the engines importable)
from benchmarks.pack.languages import cedar, python, rego
from benchmarks.pack.terms import ASKED, Pack, Policed, translated
from benchmarks.pack.views import View

Ask = Callable[[View], bool]


def regorus_vm(pack: Pack) -> Ask:
    """Regorus' virtual machine; it reads each question as JSON, which is part of the time."""
    import regorus

    entry = "data.school.allow"
    program = regorus.Program.compile_from_modules("{}", [("school.rego", rego(pack))], [entry])
    machine = regorus.Rvm()
    machine.load_program(program)

    def ask(view: View) -> bool:
        machine.set_input_json(json.dumps(view))
        return bool(machine.execute() == "true")

    return ask


def cedarpy_(pack: Pack) -> Ask:
    """Cedar, with the policies parsed once."""
    import cedarpy

    policies = cedarpy.PolicySet.from_str(cedar(pack))
    nobody = cedarpy.Entities.from_json_str("[]")
    subject, person = {"type": "User", "id": "subject"}, {"type": "User", "id": "person"}

    def ask(view: View) -> bool:
        action = {"type": "Action", "id": view["action"]}
        request = {"principal": subject, "action": action, "resource": person, "context": view}
        return bool(cedarpy.is_authorized(request, policies, nobody).allowed)

    return ask


def vakt_(pack: Pack) -> Ask:
    """The guard of vakt; each test is one rule object with a Python function, its fastest form."""
    from vakt import Guard, Inquiry, MemoryStorage, PolicyAllow, PolicyDeny, RulesChecker
    from vakt.rules import Any as Anything
    from vakt.rules import In
    from vakt.rules.base import Rule

    class Holds(Rule):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            self.test = eval(f"lambda v: {text}")  # noqa: S307 (our own generated text)

        def satisfied(self, what: Any, _inquiry: Any = None) -> bool:
            return bool(self.test(what))

    class Held(Rule):  # type: ignore[misc]
        def __init__(self, role: str) -> None:
            self.role = role

        def satisfied(self, what: Any, _inquiry: Any = None) -> bool:
            return self.role in what

    def policy(kind: Any, one: Policed) -> Any:
        asked = f"{ASKED!r} in v['views'] and " if one.slot == ASKED else ""
        return kind(
            one.id,
            actions=[In(*one.actions) if one.actions else Anything()],
            subjects=[Anything() if one.role == "any" else Held(one.role)],
            resources=[In(*one.categories) if one.categories else Anything()],
            context={"view": Holds(asked + python(one.test))},
        )

    store = MemoryStorage()
    for kind, policies in ((PolicyAllow, pack.permits), (PolicyDeny, pack.refusals)):
        for one in policies:
            store.add(policy(kind, one))
    guard = Guard(store, RulesChecker())

    def ask(view: View) -> bool:
        inquiry = Inquiry(view["category"], view["action"], view["roles"], {"view": view})
        return bool(guard.is_allowed_check(inquiry))

    return ask


PEERS: dict[str, Callable[[Pack], Ask]] = {
    "vakt": vakt_,
    "regorus (RVM)": regorus_vm,
    "cedarpy": cedarpy_,
}


def engines(policy: Policy, names: dict[str, Callable[[Pack], Ask]] = PEERS) -> dict[str, Any]:
    """Each peer made of the pack, or the exception that says why there is none."""
    pack, made = translated(policy), dict[str, Any]()
    for name, make in names.items():
        try:
            made[name] = make(pack)
        except Exception as error:  # noqa: BLE001 (whatever it is, the others are measured)
            made[name] = error
    return made
