"""Train and measure small fully connected networks of one shape, side by side."""

from typing import no_type_check

import numpy as np
from numba import types

from zoogen.train.kernels.activation import activate, activate_and_differentiate
from zoogen.train.kernels.elementary import exp, log
from zoogen.train.kernels.lane_layers import (
    MODELS,
    F,
    dense,
    dense_backward,
    dense_shared,
    differentiate,
    drop,
    find_largest,
)
from zoogen.train.kernels.mask import stream
from zoogen.train.kernels.optimiser import update

WHOLE, FLOAT, REAL, FLAG = types.int64, types.float32, types.float64, types.boolean
ROWS, FLOATS = types.Array(FLOAT, 2, "C"), types.Array(FLOAT, 1, "C")
COUNTS, TABLE = types.Array(WHOLE, 1, "C"), types.Array(WHOLE, 2, "C")
REALS, NUMBERS = types.Array(REAL, 1, "C"), types.Array(types.uint32, 1, "C")
KEYS, BOUNDS = types.Array(types.uint64, 1, "C"), types.Array(types.int16, 1, "C")
SHOWN = types.Array(FLOAT, 2, "C", readonly=True)
LABELS = types.Array(WHOLE, 1, "C", readonly=True)
TRAINING = types.void(
    *(SHOWN, LABELS, TABLE, WHOLE, COUNTS, FLAG, WHOLE),
    *(ROWS, ROWS, ROWS, REALS, WHOLE, FLOATS, FLOATS, FLOAT),
    *(ROWS, ROWS, ROWS, ROWS, KEYS, WHOLE, NUMBERS, BOUNDS, FLOATS, FLAG, COUNTS),
)
MEASURING = types.void(SHOWN, LABELS, COUNTS, FLAG, WHOLE, ROWS, ROWS, TABLE, TABLE, REALS)


@no_type_check
def train(
    images, labels, order, batch_size,
    widths, biased, activation,
    weights, mean, square, powers, optimiser, rates, decays, momentum,
    gradient, units, slopes, derivatives,
    keys, step, numbers, bounds, kept, dropping,
    right,
):  # fmt: skip
    """Train models in place, each on images in its own order.

    Args:
        images: Images, one per row.
        labels: Label of each image.
        order: Indices of the images to show, a column for each model.
        batch_size: Images per step; the last step takes the rest.
        widths: Numbers of units of the layers, pixels first.
        biased: Whether layers have biases.
        activation: Index in ``zoogen.train.kernels.activation.NAMES``.
        weights: A row for each weight, a column for each model; changed in place.
        mean: Argument of ``zoogen.train.kernels.optimiser.update``, as the next six.
        square: Changed in place.
        powers: Changed in place.
        optimiser: Index in ``zoogen.train.kernels.optimiser.NAMES``.
        rates: Learning rate of each weight of each model.
        decays: L2 penalty of each weight of each model.
        momentum: Momentum of SGD.
        gradient: Scratch for the gradient.
        units: Scratch for the units of all layers.
        slopes: Scratch for the gradient with respect to the units.
        derivatives: Scratch for the derivatives of the activation.
        keys: Seeds of the dropout masks.
        step: Number of steps taken so far.
        numbers: Numbers of a layer's pairs of units, scattered over 32 bits.
        bounds: Draws below a model's bound are dropped.
        kept: Scale of each model's other units.
        dropping: Whether any model drops units.
        right: Number of images that each model had right when they were shown; added to.
    """
    layers = len(widths) - 1
    top, best = np.empty(MODELS, np.float32), np.empty(MODELS, np.int32)
    truth, streams = np.empty(MODELS, np.int64), np.empty(MODELS, np.uint32)
    last = len(units) - widths[layers]
    logits, of_logits = units[last:], slopes[last:]
    flat = weights.reshape(-1), gradient.reshape(-1), mean.reshape(-1), square.reshape(-1)
    for start in range(0, len(order), batch_size):
        size = min(batch_size, len(order) - start)
        scale = F(1 / size)
        step += 1
        gradient[:] = 0
        for place in range(size):
            for m in range(MODELS):
                image = order[start + place, m]
                truth[m] = labels[image]
                for i in range(widths[0]):
                    units[i, m] = images[image, i]
            at, read, out = 0, 0, widths[0]
            for layer in range(layers):
                inputs, outputs = widths[layer], widths[layer + 1]
                dense(weights, at, biased, units, read, inputs, out, outputs)
                at += (inputs + biased) * outputs
                if layer < layers - 1:
                    made, bends = units[out : out + outputs], derivatives[out : out + outputs]
                    activate_and_differentiate(activation, made.reshape(-1), bends.reshape(-1))
                    if dropping:
                        for m in range(MODELS):
                            streams[m] = stream(keys[m], step, place, layer + 1)
                        drop(made, bends, numbers[: (outputs + 1) // 2], streams, bounds, kept)
                read, out = out, out + outputs
            differentiate(logits, of_logits, truth, scale, top, best, right)
            out = last
            for layer in range(layers - 1, -1, -1):
                inputs, outputs = widths[layer], widths[layer + 1]
                at -= (inputs + biased) * outputs
                read = out - inputs
                dense_backward(
                    weights,
                    gradient,
                    at,
                    biased,
                    units,
                    slopes,
                    read,
                    inputs,
                    out,
                    outputs,
                    layer > 0,
                )
                if layer:
                    for i in range(read, out):
                        for m in range(MODELS):
                            slopes[i, m] *= derivatives[i, m]
                out = read
        update(optimiser, flat[0], flat[1], flat[2], flat[3], powers, rates, decays, momentum)


@no_type_check
def measure(images, labels, widths, biased, activation, weights, units, claimed, hits, losses):
    """Classify the same images with every model.

    Args:
        images: Images, one per row.
        labels: Label of each image.
        widths: Numbers of units of the layers, pixels first.
        biased: Whether layers have biases.
        activation: Index in ``zoogen.train.kernels.activation.NAMES``.
        weights: A row for each weight, a column for each model.
        units: Scratch for the units of all layers.
        claimed: Number of images classified as each class, a column for each model; added to.
        hits: Number of these that are of the class; added to.
        losses: Sum of each model's cross-entropies; added to.
    """
    layers = len(widths) - 1
    top, best = np.empty(MODELS, np.float32), np.empty(MODELS, np.int32)
    total = np.empty(MODELS, np.float32)
    last = len(units) - widths[layers]
    logits = units[last:]
    for image in range(len(labels)):
        truth = labels[image]
        dense_shared(weights, biased, images, image, widths[0], units, widths[1])
        at, read, out = (widths[0] + biased) * widths[1], widths[0], widths[0] + widths[1]
        for layer in range(1, layers):
            inputs, outputs = widths[layer], widths[layer + 1]
            activate(activation, units[read:out].reshape(-1))
            dense(weights, at, biased, units, read, inputs, out, outputs)
            at += (inputs + biased) * outputs
            read, out = out, out + outputs
        find_largest(logits, top, best)
        for m in range(MODELS):
            total[m] = F(0)
        for k in range(len(logits)):
            for m in range(MODELS):
                total[m] += exp(logits[k, m] - top[m])
                claimed[k, m] += best[m] == k
        for m in range(MODELS):
            losses[m] += log(total[m]) + (top[m] - logits[truth, m])
            hits[truth, m] += best[m] == truth
