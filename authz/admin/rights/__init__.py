"""Rights with an end (N-43, N-44): one's own, emergencies, and what others ask for."""

from typing import Final

from authz.admin.opening import Screen
from authz.admin.rights import approvals, emergency, own

SCREENS: Final[tuple[Screen, ...]] = (*own.SCREENS, *emergency.SCREENS, *approvals.SCREENS)
