"""Which functions of a package write: its code is read, and names are followed by its imports.

An edge is a name that a function uses, of its own module, imported, or of an imported module
(``module.function``), or a method of ``self``. A name that is only handed on, to a thread say,
is one too. Whoever makes an object of a class of its own module may call all its methods.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STATEMENTS = frozenset({"writing", "writing_on", "insert", "update", "delete"})
"""Functions whose call is a write, or opens a transaction that may."""
METHODS = frozenset({"insert", "begin"})
"""The same of methods, of what is no module."""


@dataclass
class _Module:
    """A module: its functions, its classes, and what each imported name stands for."""

    name: str
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)


def writers(folder: Path, package: str = "authz.service") -> set[str]:
    """The public functions that reach a write, by their names within the package.

    One that takes a connection is part of a transaction that another one owns.
    """
    modules = dict(_modules(folder, package))
    functions = {
        f"{module.name}.{name}": (module, name, function)
        for module in modules.values()
        for name, function in module.functions.items()
    }
    edges = {full: _edges(modules, *found) for full, found in functions.items()}
    found = {
        full for full, (module, _, code) in functions.items() if _writes(modules, module, code)
    }
    while grown := {full for full, to in edges.items() if to & found} - found:
        found |= grown
    return {
        full.removeprefix(f"{package}.")
        for full in found
        if _is_public(functions[full][1]) and not _takes_a_connection(functions[full][2])
    }


def _modules(folder: Path, package: str) -> Iterator[tuple[str, _Module]]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join((package, *(part for part in parts if part != "__init__")))
        module, tree = _Module(name), ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                module.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
                module.functions |= {f"{node.name}.{part.name}": part for part in methods}
                module.classes[node.name] = [f"{name}.{node.name}.{part.name}" for part in methods]
        for each in ast.walk(tree):
            module.imports |= _imported(each)
        yield name, module


def _imported(node: ast.AST) -> dict[str, str]:
    """What the names that a statement imports stand for."""
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        return {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    if isinstance(node, ast.Import):
        return {each.asname: each.name for each in node.names if each.asname}
    return {}


def _edges(
    modules: dict[str, _Module], module: _Module, name: str, function: ast.FunctionDef
) -> set[str]:
    """The functions of the package that a function uses, by their full names."""
    found = set()
    for node in ast.walk(function):
        full = _meant(modules, module, name, node)
        if full:
            found.add(full)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.update(module.classes.get(node.func.id, []))
    return found


def _meant(modules: dict[str, _Module], module: _Module, name: str, node: ast.AST) -> str:
    """The full name of the function that an expression names; empty where it names none."""
    if isinstance(node, ast.Name):
        return _followed(modules, f"{module.name}.{node.id}")
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
        return ""
    owner = node.value.id
    if owner == "self":
        return _followed(modules, f"{module.name}.{name.partition('.')[0]}.{node.attr}")
    if owner in module.classes:
        return _followed(modules, f"{module.name}.{owner}.{node.attr}")
    return _followed(modules, f"{module.imports.get(owner, '')}.{node.attr}")


def _followed(modules: dict[str, _Module], full: str) -> str:
    """A function by the name it has where it is written, whoever imports it from where."""
    for module in modules.values():
        name = full.removeprefix(f"{module.name}.")
        if name == full:
            continue
        if name in module.functions:
            return full
        if name in module.imports and module.imports[name] != full:
            return _followed(modules, module.imports[name])
    return ""


def _writes(modules: dict[str, _Module], module: _Module, function: ast.FunctionDef) -> bool:
    """Whether a function itself makes a statement that writes, or begins a transaction."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in STATEMENTS:
            if not _followed(modules, f"{module.name}.{called.id}"):
                return True
        elif isinstance(called, ast.Attribute) and called.attr in METHODS:
            owner = called.value.id if isinstance(called.value, ast.Name) else ""
            if module.imports.get(owner) not in modules:
                return True
    return False


def _takes_a_connection(function: ast.FunctionDef) -> bool:
    arguments = [each.arg for each in function.args.args if each.arg != "self"]
    return arguments[:1] == ["connection"]


def _is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))
