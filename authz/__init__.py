"""Role-based and need-to-know authorization for education platforms.

The way of one request (page 3.1 of the specification): ``api`` turns bytes into a
question, ``service`` runs one use case, ``directory`` reads what is true of the two
people now, ``engine`` matches the policy, ``decision`` combines, ``audit`` records,
``api`` turns the decision into bytes.
"""

__version__ = "0.1.0"
