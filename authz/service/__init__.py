"""The use cases: one function each, with its transaction and its audit record (3.1)."""
