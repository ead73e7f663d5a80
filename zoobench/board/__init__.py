"""The leaderboard: submissions checked without running them, ranked, shown on a page.

In: results and who submits them. Out: submission folders, standings, a page.
May import: ``evaluation`` and below.
Private: ``aggregate``, ``details``, ``entry``, ``standings``.
"""
