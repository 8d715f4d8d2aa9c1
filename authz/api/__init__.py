"""The HTTP API (4.3): translation only; every decision is made in :mod:`authz.service`."""

from authz.api.application import create_app

__all__ = ["create_app"]
