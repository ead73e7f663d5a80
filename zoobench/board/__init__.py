"""The leaderboard: check submissions without running them, rank them, show them on a page.

In: results and their submitters. Out: submission folders, standings, a page.
May import: ``evaluation`` and below.
Private: ``aggregate``, ``details``, ``entry``, ``standings``.
"""
