"""Checks before a score is believed: of an embedder, and of a zoo.

In: an embedder or a zoo. Out: a list of findings, each passed or failed with its reason.
May import: ``embedders`` and below.
Private: ``fingerprint``, ``memory``.
"""
