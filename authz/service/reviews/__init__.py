"""Access reviews: define, preview, start, answer, close, apply, report (N-46, N-47)."""
