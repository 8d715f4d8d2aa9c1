"""Reading the trail: is it whole, what is in it, a copy of it for others (N-49)."""

from __future__ import annotations

from authz.audit.bundle import Selection, write
from authz.audit.bundle_check import verify_bundle
from authz.audit.chain import Damage, Kind, Verdict
from authz.audit.marks import Source
from authz.audit.search import Found, Page, between, conditions, forward, search
from authz.audit.verify import verify, verify_range

__all__ = [
    "Damage",
    "Found",
    "Kind",
    "Page",
    "Selection",
    "Source",
    "Verdict",
    "between",
    "conditions",
    "forward",
    "search",
    "verify",
    "verify_bundle",
    "verify_range",
    "write",
]
