"""Access reviews (N-46): here, the items that the service itself opens (2.7)."""
