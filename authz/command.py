"""Where the ``authz`` command begins: it says what to install where only the client is."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of the service; exit status 2 where it is not installed."""
    try:
        from authz.cli import main as run  # noqa: PLC0415 (not installed with the client)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("authz"):
            raise
        print(  # noqa: T201 (there is no click to say it with)
            f"authz: {error.name} is missing; the service needs: pip install 'authz[server]'",
            file=sys.stderr,
        )
        sys.exit(2)
    run()
