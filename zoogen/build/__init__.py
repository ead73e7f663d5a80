"""A zoo built, shard by shard, on the cores of one machine or of a cluster.

In: a spec and a folder. Out: a sealed zoo in that folder; an interrupted build goes on.
May import: ``train`` and below.
Private: ``resume``, ``seal``, ``workers``.
"""
