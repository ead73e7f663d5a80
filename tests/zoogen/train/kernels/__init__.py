"""Kernels train as torch does, give each model the same bits anywhere, and are kept on disk."""
