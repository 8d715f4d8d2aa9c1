"""Who can see whom, why, until when, and what if: asked of the decision itself (3.4, N-41)."""
