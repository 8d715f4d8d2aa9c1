"""Casbin's model and policy, compiled once and asked many times; pure (3.2)."""
