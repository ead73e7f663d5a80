"""Tests of the importers, on files that follow the published formats exactly."""
