"""Find embedders, run them where they see no label, and cache their embeddings.

In: a name, a file or an object. Out: embeddings of every split, and a stamp of the embedder.
May import: ``results`` and below.
Private: ``scikit``.
"""
