"""Activations of whole maps, with their derivatives in training."""

from typing import no_type_check

import numpy as np
from numba import njit

from zoogen.train.kernels.elementary import normal_density, normal_share, sigmoid, tanh
from zoogen.train.kernels.registers import fma

NAMES = ("tanh", "relu", "sigmoid", "gelu")
TANH, RELU, SIGMOID, GELU = range(len(NAMES))
ZERO, ONE = np.float32(0), np.float32(1)


@njit(error_model="numpy")
@no_type_check
def activate(kind, units):
    """Apply an activation in place."""
    if kind == TANH:
        for i in range(len(units)):
            units[i] = tanh(units[i])
    elif kind == RELU:
        for i in range(len(units)):
            units[i] = ZERO if units[i] < ZERO else units[i]
    elif kind == SIGMOID:
        for i in range(len(units)):
            units[i] = sigmoid(units[i])
    else:
        for i in range(len(units)):
            units[i] = units[i] * normal_share(units[i])


@njit(error_model="numpy")
@no_type_check
def activate_and_differentiate(kind, units, derivatives):
    """Apply an activation in place and store its derivative."""
    if kind == TANH:
        for i in range(len(units)):
            y = tanh(units[i])
            units[i] = y
            derivatives[i] = fma(-y, y, ONE)
    elif kind == RELU:
        for i in range(len(units)):
            x = units[i]
            units[i] = ZERO if x < ZERO else x
            derivatives[i] = ONE if x > ZERO else ZERO
    elif kind == SIGMOID:
        for i in range(len(units)):
            y = sigmoid(units[i])
            units[i] = y
            derivatives[i] = fma(-y, y, y)
    else:
        for i in range(len(units)):
            x = units[i]
            share = normal_share(x)
            units[i] = x * share
            derivatives[i] = fma(x, normal_density(x), share)


@njit(error_model="numpy")
@no_type_check
def multiply(slopes, derivatives):
    """Multiply slopes by the derivatives of an activation, in place."""
    for i in range(len(slopes)):
        slopes[i] *= derivatives[i]
