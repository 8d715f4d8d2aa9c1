"""From each obligation to what keeps it and to the tests that show it.

An obligation is kept where its id is cited in the code or in a policy pack, and shown by
the tests whose name or docstring cites it. A place is named by its function or rule, not
by its line, so that the page changes when the citation does and not with every edit.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from docs.generator.markdown import table
from docs.generator.obligations import TITLES

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "authz" / "cli" / "demo"  # makes data to look at, keeps no promise
CLAUSE = re.compile(r"\b([NE])[-_](\d\d)\b", re.IGNORECASE)
Place = tuple[Path, str]
Citation = tuple[Place, str]
INTRO = """\
# From promise to proof

Each row is a promise of the two published notices. *Kept by* names the code and the rules
that cite it; *shown by* names the tests that cite it. "Not yet" means that nothing does.
"""


def clauses(text: str) -> set[str]:
    """The ids that a text cites."""
    return {f"{letter.upper()}-{number}" for letter, number in CLAUSE.findall(text)}


def page() -> str:
    """The page of all obligations."""
    kept, shown = _index(_kept()), _index(_shown())
    rows = [(id_, title, _cite(kept[id_]), _cite(shown[id_])) for id_, title in TITLES.items()]
    done = sum(bool(kept[id_] and shown[id_]) for id_ in TITLES)
    count = f"{done} of {len(TITLES)} are both kept and shown.\n"
    return f"{INTRO}\n{count}\n" + table(["id", "promise", "kept by", "shown by"], rows)


def unknown() -> dict[str, set[Place]]:
    """Cited ids that no obligation has, with where."""
    cited = _index([*_kept(), *_shown()])
    return {id_: places for id_, places in cited.items() if id_ not in TITLES}


def _index(citations: Iterable[Citation]) -> dict[str, set[Place]]:
    index: dict[str, set[Place]] = defaultdict(set)
    for place, text in citations:
        for id_ in clauses(text):
            index[id_].add(place)
    return index


def _cite(places: set[Place]) -> str:
    """The places, each file once with its functions or rules."""
    files: dict[str, list[str]] = defaultdict(list)
    for path, name in sorted(places):
        files[path.relative_to(ROOT).as_posix()] += [f"`{name}`"] if name else []
    links = [f"[{file}](../{file}) {', '.join(names)}".strip() for file, names in files.items()]
    return "<br>".join(links) or "not yet"


def _kept() -> Iterator[Citation]:
    for path in sorted((ROOT / "authz").rglob("*.py")):
        if DEMO not in path.parents:
            yield from _python(path)
    for path in sorted((ROOT / "authz").rglob("*.html")):
        yield (path, ""), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "policies").glob("*/*.*")):
        yield from _policy(path)


def _shown() -> Iterator[Citation]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, text in _functions(path):
            if name.rsplit(".", 1)[-1].startswith("test_"):
                yield (path, name), f"{name.replace('test_', '')} {text}"
    for folder in ("tests", "policies"):
        for path in sorted((ROOT / folder).rglob("*.yaml")):
            yield (path, ""), path.read_text(encoding="utf-8")


def _functions(path: Path) -> Iterator[tuple[str, str]]:
    """Each function's qualified name and docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from _definitions(tree, "")


def _definitions(node: ast.AST, owner: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{owner}{child.name}"
            yield name, ast.get_docstring(child) or ""
            yield from _definitions(child, f"{name}.")


def _python(path: Path) -> Iterator[Citation]:
    """Each line of a module with the function or class it stands in."""
    text = path.read_text(encoding="utf-8")
    spans = list(_spans(ast.parse(text), ""))
    for number, line in enumerate(text.splitlines(), 1):
        around = [name for first, last, name in spans if first <= number <= last]
        yield (path, around[-1] if around else ""), line


def _spans(node: ast.AST, owner: str) -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{owner}{child.name}"
            yield child.lineno, child.end_lineno or child.lineno, name
            yield from _spans(child, f"{name}.")


def _policy(path: Path) -> Iterator[Citation]:
    """Each line of a pack's file with its rule, or its table of the catalogue.

    A comment speaks of all that comes after it, up to an empty line.
    """
    waiting: list[str] = []
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("#"):
            waiting.append(text)
            continue
        if not text:
            waiting, name = [], ""
        if path.suffix == ".csv" and "," in text:
            kind, name = (word.strip() for word in text.split(",")[:2])
            name = name if kind == "p" else ""
        elif path.suffix == ".toml" and text.startswith("["):
            name = text.strip("[] ").partition("]")[0].partition(".")[0]
        yield (path, name), " ".join([*waiting, line])
    yield (path, ""), " ".join(waiting)
