"""Reports of results: tables of 80 columns, and pictures.

In: a ``Record``. Out: a ``Result``, text or a PNG file.
May import: ``evaluation`` and below.
"""
