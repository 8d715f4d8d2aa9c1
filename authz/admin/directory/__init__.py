"""What the directory knows of people, changed by hand: each change asks why (N-22, N-24, N-37)."""

from typing import Final

from authz.admin.directory import (
    consents,
    contracts,
    guardianships,
    imports,
    people,
    rights_requests,
)
from authz.admin.opening import Screen

SCREENS: Final[tuple[Screen, ...]] = (
    *people.SCREENS,
    *guardianships.SCREENS,
    *consents.SCREENS,
    *rights_requests.SCREENS,
    *contracts.SCREENS,
    *imports.SCREENS,
)
