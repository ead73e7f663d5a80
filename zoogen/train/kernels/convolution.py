"""Train one convolution on one image: forward, and backward through the winners of pooling."""

from typing import no_type_check

import numpy as np
from numba import types

from zoogen.train.kernels.geometry import TILE
from zoogen.train.kernels.registers import filled, larger, load, place_of_larger, store
from zoogen.train.kernels.tiles import (
    add_scaled,
    add_scaled_to,
    convolve_outputs,
    load_tile,
    store_tile,
)
from zoogen.train.kernels.widths import IN_A_LINE, LANES

FLOATS, PLACES = types.CPointer(types.float32), types.CPointer(types.int32)
FORWARD = types.void(FLOATS, types.int64, FLOATS, PLACES, FLOATS, FLOATS)
"""The array to read and the place in it, all maps, their winners, packed weights, scratch."""
GRADIENT_KIND = types.void(FLOATS, types.int64, FLOATS, PLACES, FLOATS)
"""The array that was read and the place in it, the slopes of all maps, their winners, the packed
gradient."""
BACK = types.void(types.int64, FLOATS, PLACES, FLOATS)
"""The place that was read, the slopes of all maps, their winners, packed weights."""
ZERO, ONE = np.float32(0), np.float32(1)
FAR = 32
"""Most registers of a kernel that are added without a loop."""


def tile_of(width: int, blocks: int, most: int) -> tuple[int, int]:
    """Choose how many places and how many blocks of outputs are summed at once."""
    places = -(-width // -(-width // most))
    return places, max(1, min(blocks, most // places))


@no_type_check
def forward_kernel(layer, offsets, out, compiled):
    """Return the function that computes a layer's pooled map and stores the winners.

    Args:
        layer: The layer.
        offsets: Places of its weights and biases.
        out: Place where its map begins.
        compiled: Compiles a function with a signature.
    """
    HEIGHT, WIDTH = layer.kernel
    CHANNELS, PITCH, OUT_PITCH = layer.inputs, layer.pitch, layer.out_pitch
    ROWS, COLUMNS = layer.out
    POOL, STRIDE, LINE = layer.pool, layer.stride, layer.line
    SECOND, STEP = layer.second if layer.first else 0, layer.stride * layer.pitch
    WIDE = COLUMNS * POOL
    PLACES, BLOCKS = tile_of(WIDE, layer.blocks, TILE)
    TILES, GROUPS = -(-WIDE // PLACES), -(-layer.blocks // BLOCKS)
    LAST_PLACE, LAST_BLOCK = WIDE - PLACES, layer.blocks - BLOCKS
    TAPS = LANES * WIDTH
    BLOCK = TAPS * CHANNELS * HEIGHT
    KERNEL, BIAS, OUT = offsets.forward, offsets.bias, out
    SCRATCH = WIDE * LANES * POOL
    NEXT_LINE = WIDE * LANES

    def forward(x, at, maps, winners, weights, scratch):
        for group in range(GROUPS):
            block = min(group * BLOCKS, LAST_BLOCK)
            for row in range(ROWS):
                for line in range(POOL):
                    top = at + (row * POOL + line) * STRIDE * LINE
                    for tile in range(TILES):
                        left = min(tile * PLACES, LAST_PLACE)
                        sums = load_tile(weights, BIAS + block * LANES, BLOCKS, PLACES, LANES, 0)
                        kernel = KERNEL + block * BLOCK
                        for y in range(HEIGHT):
                            here = top + y * LINE + left * STEP
                            for channel in range(CHANNELS):
                                first = here + channel
                                sums = convolve_outputs(
                                    sums,
                                    x,
                                    first,
                                    PITCH,
                                    STRIDE,
                                    weights,
                                    kernel,
                                    BLOCKS,
                                    BLOCK,
                                    WIDTH,
                                )
                                kernel += TAPS
                        if POOL == 1:
                            there = OUT + (row * COLUMNS + left) * OUT_PITCH + block * LANES
                            store_tile(sums, maps, there, PLACES, LANES, OUT_PITCH)
                        else:
                            there = line * NEXT_LINE + left * LANES
                            store_tile(sums, scratch, there, PLACES, SCRATCH, LANES)
                if POOL > 1:
                    for b in range(BLOCKS):
                        for column in range(COLUMNS):
                            best = load(scratch, b * SCRATCH + column * POOL * LANES)
                            winner = filled(np.int32(0))
                            for i in range(POOL * POOL):
                                down, place = i // POOL, column * POOL + i % POOL
                                begin = place * STEP
                                copy = SECOND if begin % IN_A_LINE > LANES else 0
                                patch = (row * POOL + down) * STRIDE * LINE + begin + copy
                                seen = filled(np.int32(patch))
                                value = load(
                                    scratch, b * SCRATCH + down * NEXT_LINE + place * LANES
                                )
                                winner = place_of_larger(best, value, winner, seen) if i else seen
                                best = larger(best, value)
                            there = OUT + (row * COLUMNS + column) * OUT_PITCH + (block + b) * LANES
                            store(best, maps, there)
                            store(winner, winners, there)

    return compiled(FORWARD, forward)


@no_type_check
def gradient_kernel(layer, offsets, out, compiled):
    """Return the function that adds an image's share of a layer's gradient.

    Behind max pooling only the winner of a window counts: a unit adds one scaled patch of the map
    to the gradient of its kernel.

    Args:
        layer: The layer.
        offsets: Places of its gradients.
        out: Place where its map begins.
        compiled: Compiles a function with a signature.
    """
    HEIGHT, OUT_PITCH = layer.kernel[0], layer.out_pitch
    OUTPUTS, BLOCKS, OUT = layer.outputs, layer.blocks, out
    PIXELS, LINE = layer.size // OUT_PITCH, layer.line
    CHUNKS, PART, ROW = layer.chunks, layer.chunk * LANES, layer.row
    AT_ONCE = HEIGHT if CHUNKS == 1 and HEIGHT * layer.chunk <= TILE * 3 // 4 else 1
    STEPS, SUMS = HEIGHT // AT_ONCE, AT_ONCE * layer.chunk
    GRADIENT, BIAS_GRADIENT = offsets.gradient, offsets.bias_gradient
    KERNEL_SIZE, POOLED = HEIGHT * ROW, layer.pool > 1

    def gradient(x, at, slopes, winners, sums):
        for pixel in range(PIXELS):
            here = OUT + pixel * OUT_PITCH
            add_scaled_to(sums, BIAS_GRADIENT, LANES, ONE, slopes, here, LANES, BLOCKS, 1)
        for output in range(0, OUTPUTS, 2):
            for step in range(STEPS):
                for chunk in range(CHUNKS):
                    part = step * AT_ONCE * LINE + chunk * PART
                    one = GRADIENT + output * KERNEL_SIZE + step * AT_ONCE * ROW + chunk * PART
                    two = one + KERNEL_SIZE
                    a = load_tile(sums, one, 1, SUMS, 0, LANES)
                    b = load_tile(sums, two, 1, SUMS, 0, LANES)
                    for pixel in range(PIXELS):
                        i = OUT + pixel * OUT_PITCH + output
                        patch = at + winners[i] + part
                        a = add_scaled(a, slopes[i], x, patch, AT_ONCE, LINE)
                        if POOLED:
                            patch = at + winners[i + 1] + part
                        b = add_scaled(b, slopes[i + 1], x, patch, AT_ONCE, LINE)
                    store_tile(a, sums, one, SUMS, 0, LANES)
                    store_tile(b, sums, two, SUMS, 0, LANES)

    return compiled(GRADIENT_KIND, gradient)


@no_type_check
def back_kernel(layer, offsets, out, compiled):
    """Return the function that passes slopes back to the map that a layer read.

    A unit adds its scaled kernel to the slopes of the patch that its winner read.

    Args:
        layer: The layer.
        offsets: Places of its weights.
        out: Place where its map begins.
        compiled: Compiles a function with a signature.
    """
    HEIGHT, OUT_PITCH = layer.kernel[0], layer.out_pitch
    OUTPUTS, OUT, KERNEL = layer.outputs, out, offsets.backward
    PIXELS, LINE = layer.size // OUT_PITCH, layer.line
    CHUNKS, CHUNK, ROW = layer.chunks, layer.chunk, layer.row
    PART, KERNEL_SIZE, MAP = CHUNK * LANES, HEIGHT * ROW, layer.floats
    AT_ONCE = HEIGHT if CHUNKS == 1 and HEIGHT * CHUNK <= FAR else 1
    STEPS, POOLED = HEIGHT // AT_ONCE, layer.pool > 1

    def back(at, slopes, winners, weights):
        for i in range(at, at + MAP):
            slopes[i] = ZERO
        for pixel in range(PIXELS):
            first = OUT + pixel * OUT_PITCH
            if POOLED:
                for i in range(first, first + OUTPUTS):
                    for step in range(STEPS):
                        for chunk in range(CHUNKS):
                            patch = at + winners[i] + step * LINE + chunk * PART
                            kernel = KERNEL + (i - first) * KERNEL_SIZE + step * ROW + chunk * PART
                            add_scaled_to(
                                slopes, patch, LINE, slopes[i], weights, kernel, ROW, AT_ONCE, CHUNK
                            )
            else:
                for y in range(HEIGHT):
                    for chunk in range(CHUNKS):
                        patch = at + winners[first] + y * LINE + chunk * PART
                        sums = load_tile(slopes, patch, 1, CHUNK, 0, LANES)
                        for output in range(OUTPUTS):
                            kernel = KERNEL + output * KERNEL_SIZE + y * ROW + chunk * PART
                            sums = add_scaled(sums, slopes[first + output], weights, kernel, 1, 0)
                        store_tile(sums, slopes, patch, CHUNK, 0, LANES)

    return compiled(BACK, back)


@no_type_check
def mean_forward(layer, read, out, compiled):
    """Return the function that averages every channel of a map."""
    PIXELS, PITCH, READ, OUT = layer.map[0] * layer.map[1], layer.size, read, out

    def forward(x, at, maps, winners, weights, scratch):
        for i in range(PITCH):
            maps[OUT + i] = ZERO
        for pixel in range(PIXELS):
            for i in range(PITCH):
                maps[OUT + i] += maps[READ + pixel * PITCH + i]
        for i in range(PITCH):
            maps[OUT + i] /= np.float32(PIXELS)

    return compiled(FORWARD, forward)


@no_type_check
def mean_back(layer, read, out, compiled):
    """Return the function that passes the slope of a mean back to all its pixels."""
    PIXELS, PITCH, READ, OUT = layer.map[0] * layer.map[1], layer.size, read, out

    def back(at, slopes, winners, weights):
        for pixel in range(PIXELS):
            for i in range(PITCH):
                slopes[READ + pixel * PITCH + i] = slopes[OUT + i] / np.float32(PIXELS)

    return compiled(BACK, back)
