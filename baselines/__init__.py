"""Embedders to compare with, one file each."""
