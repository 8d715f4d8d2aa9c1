"""The screens of incidents: the register with its clocks, and the breach report (E-07, N-50)."""

from authz.admin.incidents import breach, register

SCREENS = (*register.SCREENS, *breach.SCREENS)
