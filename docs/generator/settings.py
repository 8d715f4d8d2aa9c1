"""The settings, from the settings class."""

from __future__ import annotations

from typing import Any

from authz.config import Settings
from docs.generator.markdown import table, tick

INTRO = """\
# Settings

Settings are environment variables. They are checked at start: a setting that cannot be
used stops the service with a sentence that names it. No setting turns checking or
recording off.
"""


def variables() -> dict[str, tuple[str, str, str]]:
    """Each variable's default, type and description."""
    prefix = str(Settings.model_config.get("env_prefix", ""))
    schema = Settings.model_json_schema()["properties"]
    found, known = {}, dict[str, Any]()
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data=known)
        known[name] = default
        shown = "" if default in (None, []) else str(default)
        found[(prefix + name).upper()] = (shown, _kind(schema[name]), field.description or "")
    return found


def _kind(schema: dict[str, Any]) -> str:
    """What values a setting takes."""
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    least, most = schema.get("minimum"), schema.get("maximum")
    limits = [f"from {least}"] if least is not None else []
    limits += [f"to {most}"] if most is not None else []
    return " ".join([str(schema.get("type", "")), *limits])


def page() -> str:
    """The page of all settings."""
    rows = [
        (tick(name), tick(default), kind, text)
        for name, (default, kind, text) in variables().items()
    ]
    return INTRO + "\n" + table(["variable", "default", "type", "what it does"], rows)
