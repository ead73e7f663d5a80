"""Build a zoo shard by shard, on one machine or on a cluster.

In: a spec and a folder. Out: a sealed zoo in that folder; an interrupted build can be resumed.
May import: ``train`` and below.
Private: ``resume``, ``seal``, ``workers``.
"""
