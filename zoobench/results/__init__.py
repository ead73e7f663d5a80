"""Records in files, intervals of scores, and the paper's numbers to compare them with.

In: predictions and scores. Out: a ``Record`` on disk, with the predictions behind its scores.
May import: ``task``.
"""
