"""All screens. A new one is added here, or it is not there."""

from __future__ import annotations

from typing import Final

from authz.admin import directory, home, language, policy, profile, rights, second_factor, sign_in
from authz.admin.opening import Screen

SCREENS: Final[tuple[Screen, ...]] = (
    *sign_in.SCREENS,
    *language.SCREENS,
    *second_factor.SCREENS,
    *profile.SCREENS,
    *home.SCREENS,
    *rights.SCREENS,
    *directory.SCREENS,
    *policy.SCREENS,
)
