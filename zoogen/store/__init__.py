"""A zoo's files: shards of weights, a table of snapshots, a manifest, a card.

In: weights, rows and a spec. Out: files that are whole and hashed, and the same values read back.
May import: ``spec``.
"""
