"""Zoos that others published, converted to ours.

In: the folder, archive or file of a known format. Out: a zoo in our format, checked.
May import: ``load`` and below.
Private: all but ``zoo`` and ``checks``.
"""
