"""Train and measure small networks at the speed of the processor, compiled by Numba.

In: weights, images, labels and orders as arrays. Out: weights and counts. ``docs/kernels.md`` says
how it works.
"""
