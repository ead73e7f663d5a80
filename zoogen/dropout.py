"""Dropout whose masks depend on the model alone, whatever stack it trains in and on any device."""

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

GOLDEN = -7046029254386353131  # 2^64 / golden ratio, as a signed integer
DRAWS = 4  # of 16 bits in one hash of 64
MIXERS = ((30, -4658895280553007687), (27, -7723592293110705685), (31, 1))


def unsigned_shift(bits: Int64[Tensor, "..."], by: int) -> Int64[Tensor, "..."]:
    """Shift right and fill with zeros; torch fills with the sign."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def mix(bits: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """Scatter consecutive integers over all 64 bits: the finaliser of SplitMix64."""
    for by, factor in MIXERS:
        bits = (bits ^ unsigned_shift(bits, by)) * factor
    return bits


def keep_mask(
    keys: Int64[Tensor, " models"],
    step: int,
    layer: int,
    units: int,
    rate: Float32[Tensor, " models"],
) -> Bool[Tensor, "models units"]:
    """Draw which units survive: True with probability ``1 - rate``, per model.

    A counter-based generator, so that no state couples the models of a stack: the draw is a hash
    of the model's key, the step, the layer and the unit. Each hash decides four units with 16 bits
    apiece, so a rate is met to within 2⁻¹⁷.

    Args:
        keys: The models' seeds.
        step: Number of the optimiser step.
        layer: Number of the hidden layer.
        units: How many draws per model, batch included.
        rate: Probability of dropping, in [0, 1).
    """
    # Multiplied as a tensor: 64 bits wrap around there, while a Python product grows past them.
    stream = mix(mix(keys + GOLDEN) + keys.new_tensor(step) * GOLDEN) + layer
    counters = torch.arange(-(-units // DRAWS), device=keys.device) * GOLDEN
    draws = mix(mix(stream)[:, None] + counters).view(torch.int16)[:, :units]
    lowest = torch.iinfo(torch.int16).min
    bound = (rate * 2.0**16).round().to(torch.int32) + lowest
    return draws >= bound.to(torch.int16)[:, None]
