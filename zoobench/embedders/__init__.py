"""Embedders: found by name, run where they see no label, cached by content.

In: a name, a file or an object. Out: embeddings of every split, and a stamp of the code.
May import: ``results`` and below.
Private: ``scikit``.
"""
