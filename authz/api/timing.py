"""How long the decision endpoints take to answer (4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any, TypeVar

from authz.measures import ANSWERS

Answering = TypeVar("Answering", bound=Callable[..., Any])


def timed(answers: Mapping[str, Answering]) -> Mapping[str, Any]:
    """The same, each observed under the last word of its path, whatever comes of it."""
    return {path: _timed(path.rpartition("/")[2], each) for path, each in answers.items()}


def _timed(name: str, answering: Answering) -> Callable[..., Any]:
    def observed(*arguments: Any) -> Any:
        began = perf_counter_ns()
        try:
            return answering(*arguments)
        finally:
            ANSWERS.observe(perf_counter_ns() - began, name)

    return observed
