"""Files of a zoo: shards of weights, a table of snapshots, a manifest and a card.

In: weights, rows and a spec. Out: complete, hashed files, and the same values read back.
May import: ``spec``.
"""
