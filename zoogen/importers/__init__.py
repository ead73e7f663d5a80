"""Zoos published by others, converted to our format.

In: a folder, archive or file in a known format. Out: a checked zoo in our format.
May import: ``load`` and below.
Private: all but ``zoo`` and ``checks``.
"""
