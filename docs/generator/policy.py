"""The school pack: its rules, reasons, categories and purposes, and its matrix."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from click.testing import CliRunner

from authz.cli import cli
from authz.decision.answer import SENTENCES
from authz.decision.catalogue import Clock
from authz.decision.rule import Rule
from authz.engine.policy import Compiled, Policy
from authz.policy.load import load
from authz.vocabulary import OUTWARD_REASONS, Reason
from docs.generator.markdown import code, table, tick

PACK = Path(__file__).resolve().parents[2] / "policies" / "school"
FEW = 2
INTRO = """\
# The policy of the school pack

What is not permitted here is refused. A refusal beats a permit. `*` marks the purpose that
is taken where a request names none.
"""
REASONS = """\
## Reasons

`authz evaluate`, explanations and the audit trail give the code of the rule, or one of these
of the service itself. A caller over HTTP gets `refused` for everything that only the directory
knows; the codes marked *told* are passed on.
"""
MATRIX = """\
# The policy as a matrix

What `authz policy show` prints: which rule lets which role do what to which kind of data.
"""


@cache
def policy() -> Policy:
    """The pack, loaded as the service loads it."""
    return load(PACK)


def rules_page() -> str:
    """The page of rules, reasons, categories and purposes."""
    parts = [INTRO, _permits(), _refusals(), REASONS, _reasons(), _catalogue()]
    return "\n".join(parts)


def matrix_page() -> str:
    """The page of the matrix."""
    runner = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"})
    done = runner.invoke(cli, ["policy", "show", str(PACK)], catch_exceptions=False)
    return MATRIX + "\n" + code(done.stdout)


def _permits() -> str:
    rows = [
        (
            f"`{rule.id}`",
            f"`{rule.role}`",
            ", ".join(_actions(rule)),
            ", ".join(_categories(rule)),
            tick(rule.condition),
            ", ".join(_purposes(rule)),
        )
        for rule in (compiled.rule for compiled in policy().permits)
    ]
    head = ["rule", "role", "action", "categories (fields)", "if", "purposes"]
    return "## Permits\n\n" + table(head, rows) + "\n" + _sentences(policy().permits)


def _refusals() -> str:
    rows = [
        (
            f"`{rule.id}`",
            ", ".join(_actions(rule)),
            ", ".join(_categories(rule)),
            tick(rule.condition),
        )
        for rule in (compiled.rule for compiled in policy().refusals)
    ]
    head = ["rule", "action", "categories", "if"]
    return "## Refusals\n\n" + table(head, rows) + "\n" + _sentences(policy().refusals)


def _sentences(compiled: tuple[Compiled, ...]) -> str:
    reasons = policy().catalogue.reasons
    rows = [
        (f"`{one.rule.id}`", reasons[one.rule.id]["th"], reasons[one.rule.id]["en"])
        for one in compiled
    ]
    return table(["rule", "in Thai", "in English"], rows)


def _reasons() -> str:
    rows = [
        (f"`{reason}`", "told" if reason in OUTWARD_REASONS else "", texts["th"], texts["en"])
        for reason, texts in ((reason, SENTENCES[reason]) for reason in Reason)
    ]
    return table(["reason", "over HTTP", "in Thai", "in English"], rows)


def _catalogue() -> str:
    catalogue = policy().catalogue
    categories = [
        (f"`{name}`", ", ".join(category.fields), category.title["th"], category.title["en"])
        for name, category in catalogue.categories.items()
    ]
    purposes = [
        (
            f"`{name}`",
            purpose.basis.replace("_", " "),
            _clock(purpose.clock),
            ", ".join(map(_with_fields, purpose.needs, purpose.needs.values())),
            f"{purpose.title['th']} · {purpose.title['en']}",
        )
        for name, purpose in catalogue.purposes.items()
    ]
    return "\n".join(
        [
            "## Categories\n",
            table(["category", "fields", "in Thai", "in English"], categories),
            "## Purposes\n",
            table(["purpose", "basis", "refused from", "needs", "name"], purposes),
        ]
    )


def _clock(clock: Clock) -> str:
    if not clock.starts:
        return "never by age"
    number, unit = (clock.years, "year") if clock.years else (clock.days, "day")
    return f"{number} {unit}{'' if number == 1 else 's'} after {clock.starts.replace('_', ' ')}"


def _actions(rule: Rule) -> list[str]:
    everything = policy().catalogue.actions
    return ["any"] if rule.actions is None else [a for a in everything if a in rule.actions]


def _categories(rule: Rule) -> list[str]:
    missing = [name for name in policy().catalogue.categories if name not in rule.categories]
    if len(missing) <= FEW and not any(rule.categories.values()):
        return ["all but " + ", ".join(missing)] if missing else ["all"]
    return [_with_fields(*item) for item in rule.categories.items()]


def _with_fields(name: str, fields: tuple[str, ...]) -> str:
    return f"{name} ({', '.join(fields)})" if fields else name


def _purposes(rule: Rule) -> list[str]:
    if rule.purposes is None:
        return ["any"]
    return [f"{name}*" if name == rule.default_purpose else name for name in rule.purposes]
