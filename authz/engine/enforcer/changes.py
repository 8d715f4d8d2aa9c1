"""Every method of ``casbin.Enforcer`` that changes what a request is answered from.

Each runs as one change: alone, and seen by readers when it is complete or not at all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import casbin

CHANGES = [
    "load_model",
    "set_model",
    "set_role_manager",
    "set_named_role_manager",
    "set_effector",
    "clear_policy",
    "init_rm_map",
    "load_policy",
    "load_filtered_policy",
    "load_increment_filtered_policy",
    "build_role_links",
    "add_named_matching_func",
    "add_named_domain_matching_func",
    "add_named_link_condition_func",
    "add_named_domain_link_condition_func",
    "set_named_link_condition_func_params",
    "set_named_domain_link_condition_func_params",
    "init_with_file",
    "init_with_adapter",
    "init_with_model_and_adapter",
    "_add_policy",
    "_add_policies",
    "_add_policies_ex",
    "_update_policy",
    "_update_policies",
    "_update_filtered_policies",
    "_remove_policy",
    "_remove_policies",
    "_remove_filtered_policy",
    "_remove_filtered_policy_returns_effects",
    "add_function",
    "add_named_policy",
    "add_named_policies",
    "add_named_policies_ex",
    "update_named_policy",
    "update_named_policies",
    "update_filtered_named_policies",
    "remove_named_policy",
    "remove_named_policies",
    "remove_filtered_named_policy",
    "add_named_grouping_policy",
    "add_named_grouping_policies",
    "add_named_grouping_policies_ex",
    "remove_named_grouping_policy",
    "remove_named_grouping_policies",
    "remove_filtered_named_grouping_policy",
    "delete_user",
    "delete_role",
]


def changing(name: str) -> Callable[..., Any]:
    """The base class's method, as one change."""
    original = getattr(casbin.Enforcer, name)

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        with self.changing():
            return original(self, *args, **kwargs)

    return method


class Watched:
    """An attribute of the enforcer whose replacement is a change (``e.model = ...``)."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return None if instance is None else instance.__dict__.get(self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        with instance.changing():
            instance.__dict__[self.name] = value
