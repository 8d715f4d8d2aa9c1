"""Who may open the home and their own account: everybody."""

from __future__ import annotations

from tests.admin.kit import ORDINARY, PRIVILEGED

_ALL = frozenset({*PRIVILEGED, *ORDINARY})
OPENINGS = {
    "home": ("/admin/", _ALL),
    "profile": ("/admin/profile", _ALL),
    "new_password": ("/admin/profile/password", _ALL),
    "change_password": ("/admin/profile/password", _ALL),
    "second_factor": ("/admin/second-factor", _ALL),
    "recovery_codes": ("/admin/second-factor/codes", _ALL),
    "recovery_codes_renew": ("/admin/second-factor/codes", _ALL),
    "second_factor_set": ("/admin/second-factor", _ALL),
}
