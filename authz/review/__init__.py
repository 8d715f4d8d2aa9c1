"""Access reviews (N-46, N-47): what is asked, of whom, and what follows from the answers.

All but the tables is pure: it reads no clock, file, network or database.
"""
