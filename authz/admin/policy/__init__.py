"""The policy for who lives under it: the matrix, its versions, trials, notices (N-23, N-52)."""

from typing import Final

from authz.admin.opening import Screen
from authz.admin.policy import announcements, matrix, notices, versions

SCREENS: Final[tuple[Screen, ...]] = (
    *matrix.SCREENS,
    *versions.SCREENS,
    *notices.SCREENS,
    *announcements.SCREENS,
)
