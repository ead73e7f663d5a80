"""Adam, SGD with momentum and RMSprop on flat weights, equal to ``torch.optim`` term by term."""

import math
from typing import no_type_check

import numpy as np
from numba import njit

from zoogen.train.kernels.registers import fma

NAMES = ("adam", "sgd", "rmsprop")
ADAM, SGD, RMSPROP = range(len(NAMES))
F = np.float32


@njit(error_model="numpy")
@no_type_check
def update(kind, weights, gradient, mean, square, powers, rates, decays, momentum):
    """Take one step.

    Args:
        kind: Index in ``NAMES``.
        weights: Weights; changed in place.
        gradient: Gradient of the loss; the gradient of the penalty is added to it.
        mean: Running mean of the gradients, or SGD's velocity; changed in place.
        square: Running mean of the squared gradients; changed in place.
        powers: Adam's betas to the power of the steps taken, in float64; changed in place.
        rates: Learning rate of each weight.
        decays: Coupled L2 penalty of each weight.
        momentum: Momentum of SGD.
    """
    n = len(weights)
    for i in range(n):
        gradient[i] = fma(decays[i], weights[i], gradient[i])
    if kind == ADAM:
        powers[0] *= 0.9
        powers[1] *= 0.999
        correction = math.sqrt(1 - powers[1])
        step, epsilon = F(-correction / (1 - powers[0])), F(1e-8 * correction)
        for i in range(n):
            g = gradient[i]
            mean[i] = fma(g - mean[i], F(0.1), mean[i])
            square[i] = fma(g * g, F(0.001), square[i] * F(0.999))
            weights[i] = fma(step * rates[i], mean[i] / (np.sqrt(square[i]) + epsilon), weights[i])
    elif kind == SGD:
        for i in range(n):
            mean[i] = fma(momentum, mean[i], gradient[i])
            weights[i] = fma(-rates[i], mean[i], weights[i])
    else:
        for i in range(n):
            g = gradient[i]
            square[i] = fma(g * g, F(0.01), square[i] * F(0.99))
            weights[i] = fma(-rates[i], g / (np.sqrt(square[i]) + F(1e-8)), weights[i])
