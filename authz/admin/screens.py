"""All screens. A new one is added here, or it is not there."""

from __future__ import annotations

from typing import Final

from authz.admin import (
    directory,
    explorer,
    home,
    incidents,
    language,
    policy,
    profile,
    provider,
    reports,
    rights,
    second_factor,
    sign_in,
    trail,
    unused,
    users,
)
from authz.admin.opening import Screen
from authz.admin.reviews import campaigns, inbox

SCREENS: Final[tuple[Screen, ...]] = (
    *sign_in.SCREENS,
    *provider.SCREENS,
    *language.SCREENS,
    *second_factor.SCREENS,
    *profile.SCREENS,
    *home.SCREENS,
    *unused.SCREENS,
    *users.SCREENS,
    *directory.SCREENS,
    *explorer.SCREENS,
    *trail.SCREENS,
    *reports.SCREENS,
    *inbox.SCREENS,
    *campaigns.SCREENS,
    *rights.SCREENS,
    *policy.SCREENS,
    *incidents.SCREENS,
)
