"""Classify images with one model: forward only, eight images side by side."""

from typing import no_type_check

import numpy as np
from numba import njit, types

from zoogen.train.kernels.activation import activate
from zoogen.train.kernels.convolution import FLOATS, ZERO
from zoogen.train.kernels.elementary import exp, log
from zoogen.train.kernels.registers import call, pointer
from zoogen.train.kernels.tiles import (
    convolve_images,
    larger_of_neighbours,
    larger_of_tiles,
    repeated,
    store_tile,
    transpose,
)
from zoogen.train.kernels.training import COUNTS, IMAGES, LABELS, REAL, TABLE, VECTOR, WHOLE
from zoogen.train.kernels.widths import LANES

SUMS = 12
"""Most registers of sums held at once."""
EVALUATE = types.void(FLOATS, FLOATS, FLOATS)


@no_type_check
def evaluation_kernel(layer, read, out, compiled):
    """Return the function that computes a layer's pooled map of eight images.

    Args:
        layer: The layer; its weights are read from the flat vector.
        read: Place where the map it reads begins.
        out: Place where its own map begins.
        compiled: Compiles a function with a signature.
    """
    HEIGHT, WIDTH = layer.kernel
    INPUTS, OUTPUTS, LINE = layer.inputs, layer.outputs, layer.map[1]
    ROWS, COLUMNS = layer.out
    POOL, STRIDE = layer.pool, layer.stride
    POOLED, AT_ONCE = evaluation_tile(COLUMNS, POOL, OUTPUTS)
    PLACES = POOLED * POOL
    TILES, GROUPS = -(-COLUMNS // POOLED), -(-OUTPUTS // AT_ONCE)
    LAST_PLACE, LAST_OUTPUT = COLUMNS - POOLED, OUTPUTS - AT_ONCE
    WEIGHT, KERNEL = layer.weight, HEIGHT * WIDTH * INPUTS
    BIASED, BIAS = layer.bias is not None, layer.bias or 0
    PIXEL, READ, OUT, RIGHT = INPUTS * LANES, read, out, OUTPUTS * LANES

    def evaluate(maps_read, maps, weights):
        for group in range(GROUPS):
            output = min(group * AT_ONCE, LAST_OUTPUT)
            for row in range(ROWS):
                for tile in range(TILES):
                    left = min(tile * POOLED, LAST_PLACE)
                    best = repeated(weights, BIAS, AT_ONCE, PLACES, EMPTY)
                    for line in range(POOL):
                        here = (row * POOL + line) * STRIDE * LINE + left * POOL * STRIDE
                        sums = repeated(weights, BIAS + output, AT_ONCE, PLACES, BIASED)
                        for channel in range(INPUTS):
                            kernel = WEIGHT + output * KERNEL + channel * HEIGHT * WIDTH
                            patch = READ + here * PIXEL + channel * LANES
                            for y in range(HEIGHT):
                                sums = convolve_images(
                                    sums,
                                    maps_read,
                                    patch + y * LINE * PIXEL,
                                    PIXEL,
                                    STRIDE,
                                    weights,
                                    kernel + y * WIDTH,
                                    AT_ONCE,
                                    KERNEL,
                                    WIDTH,
                                )
                        best = sums if line == 0 else larger_of_tiles(best, sums)
                    there = OUT + (row * COLUMNS + left) * RIGHT + output * LANES
                    store_tile(larger_of_neighbours(best, POOL), maps, there, POOLED, LANES, RIGHT)

    return compiled(EVALUATE, evaluate)


def evaluation_tile(columns, pool, outputs):
    """Choose how many pooled places and outputs are summed at once."""
    places = min(columns, max(1, 4 // pool))
    at_once = max(1, min(outputs, SUMS // (places * pool)))
    return places, at_once


@no_type_check
def evaluation_mean(layer, read, out, compiled):
    """Return the function that averages every channel of the maps of eight images."""
    PIXELS, CHANNELS, READ, OUT = layer.map[0] * layer.map[1], layer.inputs * LANES, read, out

    def evaluate(maps_read, maps, weights):
        for i in range(CHANNELS):
            maps[OUT + i] = ZERO
        for pixel in range(PIXELS):
            for i in range(CHANNELS):
                maps[OUT + i] += maps[READ + pixel * CHANNELS + i]
        for i in range(CHANNELS):
            maps[OUT + i] /= np.float32(PIXELS)

    return compiled(EVALUATE, evaluate)


EMPTY = False
"""Argument ``biased`` for a tile of zeros."""
MEASURING = REAL(
    *(COUNTS, TABLE, IMAGES, LABELS, WHOLE),
    *(VECTOR, WHOLE, VECTOR, VECTOR, COUNTS, COUNTS),
)


@no_type_check
def measure(
    evaluates, stages, images, labels, activation, weights, classes, shown, maps, claimed, hits
):
    """Classify images; return the sum of their cross-entropies.

    Args:
        evaluates: Memory addresses of the layers' functions.
        stages: Beginning and size of each map, and whether an activation follows.
        images: Images, one per row.
        labels: Label of each image.
        activation: Index in ``zoogen.train.kernels.activation.NAMES``.
        weights: The flat weight vector.
        classes: Number of classes.
        shown: Scratch for eight images.
        maps: Scratch for their maps.
        claimed: Number of images classified as each class; added to.
        hits: Number of these that are of the class; added to.
    """
    depth, total, last = len(evaluates), 0.0, stages[len(evaluates) - 1, 0]
    logits = maps[last : last + classes * LANES].reshape(classes, LANES)
    for first in range(0, len(labels), LANES):
        show_eight(images, first, shown)
        for layer in range(depth):
            read = maps if layer else shown
            call(evaluates[layer], pointer(read), pointer(maps), pointer(weights))
            if stages[layer, 2]:
                begin, finish = stages[layer, 0], stages[layer, 0] + stages[layer, 1]
                activate(activation, maps[begin:finish])
        for lane in range(min(LANES, len(labels) - first)):
            truth, best = labels[first + lane], 0
            for label in range(1, classes):
                if logits[label, lane] > logits[best, lane]:
                    best = label
            top, mass = logits[best, lane], np.float32(0)
            for label in range(classes):
                mass += exp(logits[label, lane] - top)
            claimed[best] += 1
            hits[best] += best == truth
            total += log(mass) + (top - logits[truth, lane])
    return total


@njit(error_model="numpy")
@no_type_check
def show_eight(images, first, shown):
    """Lay eight images side by side, pixel by pixel; if there are fewer, repeat the last one."""
    pixels, done = images.shape[1], 0
    if first + LANES <= len(images):
        done = pixels // LANES * LANES
        for pixel in range(0, done, LANES):
            transpose(images, first * pixels + pixel, pixels, shown, pixel * LANES)
    for pixel in range(done, pixels):
        for lane in range(LANES):
            image = min(first + lane, len(images) - 1)
            shown[pixel * LANES + lane] = images[image, pixel]
