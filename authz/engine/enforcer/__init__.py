"""Casbin's enforcer, compiled and indexed: one file for each step from text to answer."""

from authz.engine.enforcer.enforcer import CompiledEnforcer
from authz.engine.enforcer.explain import Explanation, Uncompiled

__all__ = ["CompiledEnforcer", "Explanation", "Uncompiled"]
