"""The layers of small fully connected networks side by side, one model per lane.

All lanes go through the same operations, so a model has the same bits next to any other models.
"""

from typing import no_type_check

import numpy as np
from numba import njit

from zoogen.train.kernels.elementary import exp
from zoogen.train.kernels.mask import draw
from zoogen.train.kernels.registers import number
from zoogen.train.kernels.tiles import (
    add_products,
    add_products_to,
    add_scaled,
    load_tile,
    store_tile,
)
from zoogen.train.kernels.widths import LANES

MODELS = 16
"""Number of models side by side."""
TILE = MODELS // LANES
F = np.float32


@njit(error_model="numpy")
@no_type_check
def dense(weights, at, biased, units, read, inputs, out, outputs):
    """Multiply a layer's weights with the units it reads.

    Args:
        weights: Weights of all models, a row for each place in the flat vector.
        at: Row of the layer's first weight.
        biased: Whether biases follow the weights.
        units: Units of all layers, a row each.
        read: Row of the first unit it reads.
        inputs: Number of units it reads.
        out: Row of its own first unit.
        outputs: Number of its own units.
    """
    bias = at + inputs * outputs
    for j in range(outputs):
        if biased:
            sums = load_tile(weights, (bias + j) * MODELS, 1, TILE, 0, LANES)
        else:
            sums = load_tile(ZEROS, 0, 1, TILE, 0, LANES)
        for i in range(inputs):
            row = (at + j * inputs + i) * MODELS
            sums = add_products(sums, weights, row, units, (read + i) * MODELS)
        store_tile(sums, units, (out + j) * MODELS, TILE, 0, LANES)


@njit(error_model="numpy")
@no_type_check
def dense_shared(weights, biased, images, image, inputs, units, outputs):
    """Multiply every model's first layer with the same image."""
    bias = inputs * outputs
    for j in range(outputs):
        if biased:
            sums = load_tile(weights, (bias + j) * MODELS, 1, TILE, 0, LANES)
        else:
            sums = load_tile(ZEROS, 0, 1, TILE, 0, LANES)
        for i in range(inputs):
            pixel = number(images, image * inputs + i)
            sums = add_scaled(sums, pixel, weights, (j * inputs + i) * MODELS, 1, 0)
        store_tile(sums, units, (inputs + j) * MODELS, TILE, 0, LANES)


ZEROS = np.zeros(MODELS, np.float32)


@njit(error_model="numpy")
@no_type_check
def dense_backward(weights, gradient, at, biased, units, slopes, read, inputs, out, outputs, hand):
    """Add a layer's gradient, and pass slopes back to the units it read if ``hand``."""
    bias = at + inputs * outputs
    for j in range(outputs):
        slope = load_tile(slopes, (out + j) * MODELS, 1, TILE, 0, LANES)
        if biased:
            add_products_to(gradient, (bias + j) * MODELS, slope, ONES, 0)
        for i in range(inputs):
            row = (at + j * inputs + i) * MODELS
            add_products_to(gradient, row, slope, units, (read + i) * MODELS)
    if hand:
        for i in range(inputs):
            sums = load_tile(ZEROS, 0, 1, TILE, 0, LANES)
            for j in range(outputs):
                row = (at + j * inputs + i) * MODELS
                sums = add_products(sums, weights, row, slopes, (out + j) * MODELS)
            store_tile(sums, slopes, (read + i) * MODELS, TILE, 0, LANES)


ONES = np.ones(MODELS, np.float32)


@njit(error_model="numpy")
@no_type_check
def differentiate(logits, slopes, labels, scale, top, best, right):
    """Write the gradient of ``scale`` times each model's cross-entropy; count correct images."""
    classes = len(logits)
    find_largest(logits, top, best)
    for k in range(classes):
        for m in range(MODELS):
            slopes[k, m] = exp(logits[k, m] - top[m])
    for m in range(MODELS):
        top[m] = slopes[0, m]
    for k in range(1, classes):
        for m in range(MODELS):
            top[m] += slopes[k, m]
    for m in range(MODELS):
        top[m] = scale / top[m]
    for k in range(classes):
        for m in range(MODELS):
            slopes[k, m] *= top[m]
    for m in range(MODELS):
        slopes[labels[m], m] -= scale
        right[m] += best[m] == labels[m]


@njit(error_model="numpy")
@no_type_check
def find_largest(logits, top, best):
    """Find each model's largest logit, the first of equals, and its class."""
    for m in range(MODELS):
        top[m] = logits[0, m]
        best[m] = 0
    for k in range(1, len(logits)):
        for m in range(MODELS):
            more = logits[k, m] > top[m]
            top[m] = logits[k, m] if more else top[m]
            best[m] = np.int32(k) if more else best[m]


@njit(error_model="numpy")
@no_type_check
def drop(units, derivatives, numbers, streams, bounds, kept):
    """Drop units of each model and scale the others, and so the derivatives; see ``mask.drop``."""
    for pair in range(len(numbers)):
        for m in range(MODELS):
            bits = draw(numbers[pair], streams[m])
            factor = kept[m] if np.int16(bits) >= bounds[m] else F(0)
            units[2 * pair, m] *= factor
            derivatives[2 * pair, m] *= factor
        if 2 * pair + 1 < len(units):
            for m in range(MODELS):
                bits = draw(numbers[pair], streams[m]) >> np.uint32(16)
                factor = kept[m] if np.int16(bits) >= bounds[m] else F(0)
                units[2 * pair + 1, m] *= factor
                derivatives[2 * pair + 1, m] *= factor
