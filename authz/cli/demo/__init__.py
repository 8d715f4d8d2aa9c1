"""The demo school of `make run`: a OneRoster folder, facts, and the questions to ask of them."""
