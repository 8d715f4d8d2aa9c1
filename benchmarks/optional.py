"""The engines we are measured against: a folder of their own, never the environment we serve from.

``make bench`` installs the group ``peers`` there. One of them ships a package named ``tests``, and
none of them is wanted where the service runs. Importing this module makes them importable, after
everything else.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VAR = ROOT / "var" / "bench"
"""Where everything that the benchmarks make is kept: engines, directories, results."""
FOLDER = VAR / "peers"
PACKAGES = ("pycasbin", "vakt", "gordon-to-regorus", "cedarpy", "pemba")
"""What is measured. Regorus is not on the registry under its own name: this is its build there."""

if FOLDER.is_dir() and str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))


def versions() -> dict[str, str]:
    """The version of each engine, or that it is not available."""
    return {name: version(name) for name in PACKAGES}


def version(name: str) -> str:
    """The version of an installed package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not available"


def why(error: Exception) -> str:
    """What a report says of an engine that could not be made or asked."""
    if isinstance(error, ImportError):
        return "not available (make bench installs it)"
    return f"fails: {type(error).__name__}: {error}".replace("\n", " ")[:160]
