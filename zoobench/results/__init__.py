"""Results as files, their intervals, and the paper's numbers to read them against.

In: predictions and scores. Out: a ``Result`` on disk, with all that its scores follow from.
May import: ``task``.
"""
