"""The dropout masks of ``zoogen.train.dropout``: each draw is a hash of all it depends on."""

from typing import no_type_check

import numpy as np
from numba import njit

from zoogen.split_mix import FACTORS, GOLDEN, scattered

LARGEST_BATCH = np.uint64(2**20)
LOW_BIAS = (np.uint32(2146121005), np.uint32(2221713035))
ZERO = np.float32(0)


@njit(error_model="numpy")
@no_type_check
def mixed(bits):
    """Scatter a whole number over 64 bits: the finaliser of SplitMix64."""
    bits = (bits ^ (bits >> np.uint64(30))) * FACTORS[0]
    bits = (bits ^ (bits >> np.uint64(27))) * FACTORS[1]
    return bits ^ (bits >> np.uint64(31))


@njit(error_model="numpy")
@no_type_check
def stream(key, step, place, layer):
    """Hash what all draws of a layer share: model, step, image of the batch, layer."""
    image = np.uint64(step) * LARGEST_BATCH + np.uint64(place)
    return np.uint32(mixed(mixed(mixed(key + GOLDEN) + image * GOLDEN) + np.uint64(layer)))


@njit(error_model="numpy")
@no_type_check
def draw(number, of_layer):
    """Draw 32 bits for the pair of units with this number: the mixer "lowbias32"."""
    bits = np.uint32((number ^ of_layer) * LOW_BIAS[0])
    return np.uint32((bits ^ (bits >> np.uint32(15))) * LOW_BIAS[1])


@njit(error_model="numpy")
@no_type_check
def drop(units, derivatives, numbers, of_layer, bound, kept):
    """Drop units of one model's map and scale the others by ``kept``, and so the derivatives.

    Args:
        units: Activated units, two for each number.
        derivatives: Derivatives of the activation.
        numbers: Numbers of the pairs, scattered over 32 bits.
        of_layer: The layer's ``stream``.
        bound: Units with a draw of 16 bits below it are dropped.
        kept: Scale of the other units, 1 / (1 - rate).
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
        return scattered(numbers.astype(np.uint64) * GOLDEN).astype(np.uint32)


def limits(rate: float) -> tuple[np.int16, np.float32]:
    """Return the bound below which a draw of 16 bits drops a unit, and the scale of the others."""
    share = np.float32(rate)
    bound = np.round(share * np.float32(2**16)) - np.float32(2**15)
    return np.int16(bound), np.float32(1) / (np.float32(1) - share)
