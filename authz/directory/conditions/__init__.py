"""The second face of each relation: a SQL condition over two people (3.4).

:mod:`authz.directory.relations` tests a relation on facts, for one decision; here the same
relation is a condition over a subject and a person, each a value or a column, so that a list
costs by what it finds and not by what there is. A property test holds the two equal. One
file for each group of relations; :mod:`.render` puts a formula of the engine together.
"""
