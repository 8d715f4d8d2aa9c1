"""Requests of any shape, by the document that the service gives of itself."""

from __future__ import annotations

from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Client

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def ask_of_any_shape(
    client: Client,
    route: tuple[str, str],
    mode: GenerationMode,
    token: str,
    *,
    examples: int = 40,
) -> None:
    """Each answer is one that the document tells of; always the same requests.

    ``route`` is a method and a path.
    """
    method, path = route
    schema = schemathesis.openapi.from_wsgi("/openapi.json", client.app)

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(schema[path][method].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    ask()
