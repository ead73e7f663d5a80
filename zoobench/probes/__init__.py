"""Probes: small models that predict properties from an embedding.

In: embeddings and targets of the train and validation splits. Out: predictions of the test split.
May import: ``embedders`` and below.
Private: ``boosted``, ``linear``, ``principal_axes``.
"""
