"""Evaluate an embedder on a zoo: embed, fit probes, predict, score, compare, tune.

In: an embedder, a zoo, tasks and a probe. Out: a ``Record``, and the files it names.
May import: ``probes`` and below.
"""
