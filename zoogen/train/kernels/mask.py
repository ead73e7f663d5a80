"""Dropout masks as ``zoogen.train.dropout`` draws them: a hash of all a draw depends on."""

from typing import no_type_check

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
LARGEST_BATCH = np.uint64(2**20)
SPLIT_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
LOW_BIAS = (np.uint32(2146121005), np.uint32(2221713035))
ZERO = np.float32(0)


@njit(error_model="numpy")
@no_type_check
def mixed(bits):
    """Scatter a whole number over 64 bits: the finaliser of SplitMix64."""
    bits = (bits ^ (bits >> np.uint64(30))) * SPLIT_MIX[0]
    bits = (bits ^ (bits >> np.uint64(27))) * SPLIT_MIX[1]
    return bits ^ (bits >> np.uint64(31))


@njit(error_model="numpy")
@no_type_check
def stream(key, step, place, layer):
    """Mix what the draws of a layer have in common: model, step, image of the batch, layer."""
    image = np.uint64(step) * LARGEST_BATCH + np.uint64(place)
    return np.uint32(mixed(mixed(mixed(key + GOLDEN) + image * GOLDEN) + np.uint64(layer)))


@njit(error_model="numpy")
@no_type_check
def draw(number, of_layer):
    """Draw 32 bits for the pair of units of that number: the mixer "lowbias32"."""
    bits = np.uint32((number ^ of_layer) * LOW_BIAS[0])
    return np.uint32((bits ^ (bits >> np.uint32(15))) * LOW_BIAS[1])


@njit(error_model="numpy")
@no_type_check
def drop(units, derivatives, numbers, of_layer, bound, kept):
    """Drop units of one model's map and scale the others by ``kept``, derivatives alike.

    Args:
        units: Activated, two to a number.
        derivatives: Of the activation.
        numbers: Of the pairs, scattered over 32 bits.
        of_layer: The ``stream``.
        bound: Draws of 16 bits below it are dropped.
        kept: 1 / (1 - rate).
    """
    for pair in range(len(numbers)):
        bits = draw(numbers[pair], of_layer)
        low = kept if np.int16(bits) >= bound else ZERO
        high = kept if np.int16(bits >> np.uint32(16)) >= bound else ZERO
        units[2 * pair] *= low
        units[2 * pair + 1] *= high
        derivatives[2 * pair] *= low
        derivatives[2 * pair + 1] *= high


def numbered(numbers: np.ndarray) -> np.ndarray:
    """Scatter the numbers of pairs of units over 32 bits."""
    with np.errstate(over="ignore"):
        bits = numbers.astype(np.uint64) * GOLDEN
        bits = (bits ^ (bits >> np.uint64(30))) * SPLIT_MIX[0]
        bits = (bits ^ (bits >> np.uint64(27))) * SPLIT_MIX[1]
        return (bits ^ (bits >> np.uint64(31))).astype(np.uint32)


def limits(rate: float) -> tuple[np.int16, np.float32]:
    """Return the bound below which a draw of 16 bits drops, and what scales the units that stay."""
    share = np.float32(rate)
    bound = np.round(share * np.float32(2**16)) - np.float32(2**15)
    return np.int16(bound), np.float32(1) / (np.float32(1) - share)
