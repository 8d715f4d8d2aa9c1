"""All screens. A new one is added here, or it is not there."""

from __future__ import annotations

from typing import Final

from authz.admin import home, language, profile, second_factor, sign_in
from authz.admin.opening import Screen
from authz.admin.reviews import campaigns, inbox

SCREENS: Final[tuple[Screen, ...]] = (
    *sign_in.SCREENS,
    *language.SCREENS,
    *second_factor.SCREENS,
    *profile.SCREENS,
    *home.SCREENS,
    *inbox.SCREENS,
    *campaigns.SCREENS,
)
