"""Page 2 of the specification once more, as a page of set algebra.

Written from the specification alone: nothing here is imported from `authz`, nothing is shared
with it, and only the standard library is used. Where product and oracle disagree, page 2 is read.

    school.py     the rows: a OneRoster folder, facts of 4.4, or plain dicts
    moments.py    intervals, midnights, calendar years (2.1, 2.3)
    policy.py     the tables of page 2
    question.py   the question, and what is malformed (2.1, page 5)
    relations.py  2.4
    answer.py     2.6 and 2.7
    requests.py   requests by seed; factlines.py: facts by seed; enrich.py: a roster made richer
"""
