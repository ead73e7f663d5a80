"""Training and measuring small networks at the speed of the processor, compiled by Numba.

In come weights, images, labels and orders as arrays; out go weights and counts. How it works:
``docs/kernels.md``.
"""
