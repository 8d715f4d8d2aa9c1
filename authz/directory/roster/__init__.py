"""The import of OneRoster 1.1 and 1.2 rosters.

:func:`staged_roster` reads a set, to be merged later; :func:`import_roster` does both at once.

``source`` finds the files, ``manifest`` says what they are, ``table`` splits them,
``columns`` and ``rows`` check them cell by cell, ``stage`` fills the temporary tables of
``staging``, ``check`` looks at the set as a whole, ``apply`` merges it with ``merge``,
``people`` and ``links``; ``summary`` is what is left to say.
"""

from authz.directory.roster.importer import import_roster, quiet, staged_roster
from authz.directory.roster.problems import RosterProblemsError
from authz.directory.roster.summary import Listing, Summary, Tally

__all__ = [
    "Listing",
    "RosterProblemsError",
    "Summary",
    "Tally",
    "import_roster",
    "quiet",
    "staged_roster",
]
