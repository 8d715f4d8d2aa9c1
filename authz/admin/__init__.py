"""The screens (page 3.2): where people see why access exists, review it, and take it away."""

from authz.admin.application import create_admin

__all__ = ["create_admin"]
