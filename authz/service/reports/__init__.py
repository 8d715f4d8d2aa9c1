"""Reports: what the trail answers to a person, a data-protection officer, a regulator.

Each report is a file of its own that reads in constant memory and gives a
:class:`~authz.service.reports.document.Report`; :mod:`authz.service.reports.output` makes
JSON, CSV, a printable page or a PDF of any of them, in Thai or English.
"""
