"""Check an embedder or a zoo before trusting a score.

In: an embedder or a zoo. Out: a list of findings, each passed or failed with its reason.
May import: ``embedders`` and below.
Private: ``fingerprint``, ``memory``.
"""
