"""Results for people: tables of 80 columns and pictures.

In: a ``Result``. Out: text or a PNG file.
May import: ``evaluation`` and below.
"""
