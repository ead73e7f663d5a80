"""An embedder scored on a zoo: embed, fit probes, predict, score, compare, tune.

In: an embedder, a zoo, tasks and a probe. Out: a ``Result``.
May import: ``probes`` and below.
"""
