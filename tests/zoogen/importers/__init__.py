"""Importers, on files that follow the published formats to the letter."""
