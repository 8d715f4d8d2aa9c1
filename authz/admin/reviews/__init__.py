"""The screens of access reviews: one's own items, and the reviews that one runs (N-46, N-47)."""
