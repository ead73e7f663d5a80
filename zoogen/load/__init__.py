"""A zoo in memory: its table, its weights mapped from disk, its networks on demand.

In: a name, a folder or an address on the Hub. Out: a ``Zoo`` and its parts.
May import: ``build``, ``hub`` and below.
Private: ``datasets``, ``torch_dataset``.
"""
