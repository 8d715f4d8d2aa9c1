"""pycasbin's own ``tests/test_enforcer.py``, with our enforcer in the place of theirs.

Their file comes from the package registry, at the version that is installed, into
``var/pycasbin``; it is not part of this project. So do their tests of the management and
role interfaces and of watchers. Two classes of ``test_enforcer.py`` test other enforcers:
``TestConfigSynced`` (``SyncedEnforcer``, run here with ours inside) and ``TestConfigAsync``
(``AsyncEnforcer``, whose methods are coroutines: it says nothing of ours and is not run).
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import types
import unittest
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import casbin
import pytest

from authz.engine import CompiledEnforcer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(__file__).with_name("casbin") / "examples"
OTHERS = {"TestConfigAsync": "AsyncEnforcer"}
"""Classes of their file that test another class only."""


def archive() -> Path:
    """The source distribution of the installed pycasbin; skips if it cannot be had."""
    name = f"pycasbin-{version('pycasbin')}"
    kept = ROOT / "var" / "pycasbin" / f"{name}.tar.gz"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            _download(name.replace("-", "==", 1), Path(folder))
            (Path(folder) / kept.name).replace(kept)  # another worker may do the same
    return kept


def _download(wanted: str, folder: Path) -> None:
    options = ["--no-deps", "--no-binary", "pycasbin", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, wanted]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"PYCASBIN'S OWN TESTS WERE NOT RUN: {wanted} is not in var/, and {error}")


def module_of(folder: Path, name: str) -> types.ModuleType:
    path = folder / "tests" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"pycasbin_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their source distribution, unpacked, with our examples in it."""
    place = tmp_path_factory.mktemp("pycasbin")
    with tarfile.open(archive()) as tar:
        tar.extractall(place, filter="data")
    [found] = place.iterdir()
    shutil.copytree(EXAMPLES, found / "examples")
    return found


@pytest.fixture(scope="session")
def theirs(folder: Path) -> types.ModuleType:
    """Their test module."""
    return module_of(folder, "test_enforcer")


def run(case: Any) -> unittest.TestResult:
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    result = unittest.TestResult()
    with warnings.catch_warnings():
        suite.run(result)
    return result


def wanted(case: Any) -> int:
    return len(unittest.defaultTestLoader.getTestCaseNames(case))


def test_every_class_of_their_file_is_accounted_for(theirs: types.ModuleType) -> None:
    cases = {
        name
        for name, value in vars(theirs).items()
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and wanted(value)
    }
    assert cases == {"TestConfig", "TestConfigSynced", *OTHERS}


def test_their_tests_pass_none_skipped(theirs: types.ModuleType) -> None:
    made: list[CompiledEnforcer] = []

    class Ours(theirs.TestConfig):  # type: ignore[misc, name-defined]
        def get_enforcer(self, model: Any = None, adapter: Any = None) -> CompiledEnforcer:
            made.append(CompiledEnforcer(model, adapter))
            return made[-1]

    result = run(Ours)
    assert result.failures == []
    assert result.errors == []
    assert result.skipped == []
    assert result.testsRun == wanted(theirs.TestConfig) >= 35
    assert len(made) >= result.testsRun


def test_their_synced_enforcer_holds_ours(theirs: types.ModuleType) -> None:
    class Ours(theirs.TestConfigSynced):  # type: ignore[misc, name-defined]
        def get_enforcer(self, model: Any = None, adapter: Any = None) -> casbin.SyncedEnforcer:
            synced = casbin.SyncedEnforcer(model, adapter)
            synced._e = CompiledEnforcer(model, adapter)
            return synced

    result = run(Ours)
    assert result.failures == []
    assert result.errors == []
    assert result.skipped == []


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("test_rbac_api", "TestRbacApi"),
        ("test_management_api", "TestManagementApi"),
        ("test_watcher_ex", "TestWatcherEx"),
        ("test_filter", "TestFilteredFileAdapter"),
    ],
)
def test_their_other_tests_of_the_same_class_pass(
    name: str,
    case: str,
    folder: Path,
    theirs: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tests.test_enforcer", theirs)
    module = module_of(folder, name)
    monkeypatch.setattr(casbin, "Enforcer", CompiledEnforcer)
    result = run(getattr(module, case))
    assert result.failures == []
    assert result.errors == []
    assert result.skipped == []
    assert result.testsRun > 0
