"""Kept apart: only what is in this folder is on the path of the processes tests start."""
