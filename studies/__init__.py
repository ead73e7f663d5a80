"""Measurements behind the decisions in ``docs/decisions``; each can be run again."""
