"""The decision point's core: values in, values out; standard library only (3.2).

Nothing here reads a clock, a file, a network or a database.
"""
