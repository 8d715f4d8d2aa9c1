"""Casbin's model and policy, compiled once and asked many times; pure (3.2)."""

from authz.engine.enforcer import CompiledEnforcer

__all__ = ["CompiledEnforcer"]
