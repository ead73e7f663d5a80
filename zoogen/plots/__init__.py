"""Draw pictures of a zoo.

In: a ``Zoo``. Out: PNG files in its folder, shown on its card.
May import: ``load`` and below.
Private: ``colouring``.
"""
