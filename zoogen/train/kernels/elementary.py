"""Functions of one number, without tables and branches: loops over them become vector code.

Each is a few fused multiply-adds and at most one division, all rounded as in IEEE 754, so it gives
the same bits on every processor. NaN stays NaN.
"""

from typing import no_type_check

import numpy as np
from numba import njit

from zoogen.train.kernels.registers import bits, fma, of_bits

F = np.float32

ROUNDER = F(1.5 * 2**23)
"""Adding it to a small number and subtracting it again rounds to the nearest whole number."""
LOG2_E, LN2_HIGH, LN2_LOW = F(1.44269504), F(0.693359375), F(-2.12194440e-4)
LOWEST, HIGHEST = F(-87.3365447), F(88.3762589)
ONE, HALF = F(1), F(0.5)
TANH_END, ERF_END = F(7.90531110763549805), F(4)
ROOT_HALF, ROOT_TWO_PI = F(0.70710678118), F(0.3989422804)
EXPONENT_OF_ONE, MANTISSA_BITS = np.int32(127), np.int32(23)


@njit(error_model="numpy")
@no_type_check
def clipped(x, low, high):
    """Clip a number to two bounds."""
    below = low if x < low else x
    return high if below > high else below


@njit(error_model="numpy")
@no_type_check
def exp(x):
    """Return e to the power of ``x``; relative error 1e-7 between -87 and 88, constant outside."""
    clip = clipped(x, LOWEST, HIGHEST)
    shifted = fma(clip, LOG2_E, ROUNDER)
    whole = shifted - ROUNDER
    rest = fma(whole, -LN2_LOW, fma(whole, -LN2_HIGH, clip))
    y = fma(F(1.9875691500e-4), rest, F(1.3981999507e-3))
    y = fma(y, rest, F(8.3334519073e-3))
    y = fma(y, rest, F(4.1665795894e-2))
    y = fma(y, rest, F(1.6666665459e-1))
    y = fma(y, rest, F(5.0000001201e-1))
    y = fma(y, rest * rest, rest) + ONE
    return y * of_bits(np.int32((bits(shifted) + EXPONENT_OF_ONE) << MANTISSA_BITS))


@njit(error_model="numpy")
@no_type_check
def log(x):
    """Return the natural logarithm of a normal positive number; absolute error 1e-7 near 1."""
    number = bits(x)
    exponent = np.int32((number - np.int32(0x3F3504F3)) >> MANTISSA_BITS)
    m = of_bits(np.int32(number - np.int32(exponent << MANTISSA_BITS))) - ONE
    e, z = F(exponent), m * m
    y = fma(F(7.0376836292e-2), m, F(-1.1514610310e-1))
    y = fma(y, m, F(1.1676998740e-1))
    y = fma(y, m, F(-1.2420140846e-1))
    y = fma(y, m, F(1.4249322787e-1))
    y = fma(y, m, F(-1.6668057665e-1))
    y = fma(y, m, F(2.0000714765e-1))
    y = fma(y, m, F(-2.4999993993e-1))
    y = fma(y, m, F(3.3333331174e-1)) * m * z
    y = fma(e, LN2_LOW, y)
    y = fma(F(-0.5), z, y) + m
    return fma(e, LN2_HIGH, y)


@njit(error_model="numpy")
@no_type_check
def tanh(x):
    """Return the hyperbolic tangent as a rational function; error at most 6 units in last place."""
    x = clipped(x, -TANH_END, TANH_END)
    y = x * x
    p = fma(y, F(-2.76076847742355e-16), F(2.00018790482477e-13))
    p = fma(p, y, F(-8.60467152213735e-11))
    p = fma(p, y, F(5.12229709037114e-08))
    p = fma(p, y, F(1.48572235717979e-05))
    p = fma(p, y, F(6.37261928875436e-04))
    p = fma(p, y, F(4.89352455891786e-03))
    q = fma(y, F(1.19825839466702e-06), F(1.18534705686654e-04))
    q = fma(q, y, F(2.26843463243900e-03))
    q = fma(q, y, F(4.89352518554385e-03))
    return x * p / q


@njit(error_model="numpy")
@no_type_check
def erf(x):
    """Return the error function as a rational function; absolute error 5e-7."""
    x = clipped(x, -ERF_END, ERF_END)
    y = x * x
    p = fma(y, F(-2.72614225801306e-10), F(2.77068142495902e-08))
    p = fma(p, y, F(-2.10102402082508e-06))
    p = fma(p, y, F(-5.69250639462346e-05))
    p = fma(p, y, F(-7.34990630326855e-04))
    p = fma(p, y, F(-2.95459980854025e-03))
    p = fma(p, y, F(-1.60960333262415e-02))
    q = fma(y, F(-1.45660718464996e-05), F(-2.13374055278905e-04))
    q = fma(q, y, F(-1.68282697438203e-03))
    q = fma(q, y, F(-7.37332916720468e-03))
    q = fma(q, y, F(-1.42647390514189e-02))
    return x * p / q


@njit(error_model="numpy")
@no_type_check
def sigmoid(x):
    """Return the logistic function."""
    return ONE / (ONE + exp(-x))


@njit(error_model="numpy")
@no_type_check
def normal_share(x):
    """Return the share of a standard normal distribution below ``x``."""
    return fma(HALF, erf(x * ROOT_HALF), HALF)


@njit(error_model="numpy")
@no_type_check
def normal_density(x):
    """Return the density of a standard normal distribution at ``x``."""
    return ROOT_TWO_PI * exp(F(-0.5) * x * x)
