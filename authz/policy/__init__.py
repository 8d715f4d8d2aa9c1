"""Policy packs, the reading side: loading, lint, policy tests, matrix, diff (3.3)."""
