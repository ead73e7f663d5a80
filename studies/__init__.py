"""Measurements behind the decisions in ``docs/decisions``, to be repeated at will."""
