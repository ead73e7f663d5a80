"""Dropout whose masks depend on the model alone, whatever trains it and on any device."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from zoogen.spec.configs import ModelConfig
from zoogen.train.networks import Dropout, no_dropout

GOLDEN = -7046029254386353131  # 2^64 / golden ratio, as a signed integer
MIXERS = ((30, -4658895280553007687), (27, -7723592293110705685), (31, 1))
FACTORS = (2146121005, -2073254261)  # odd, of the 32-bit mixer "lowbias32"
LARGEST_BATCH = 2**20
DRAWS = 2  # of 16 bits in one hash of 32


def unsigned_shift(bits: Int64[Tensor, "..."], by: int) -> Int64[Tensor, "..."]:
    """Shift right and fill with zeros; torch fills with the sign."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def mix(bits: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """Scatter consecutive integers over all 64 bits: the finaliser of SplitMix64."""
    for by, factor in MIXERS:
        bits = (bits ^ unsigned_shift(bits, by)) * factor
    return bits


@lru_cache(maxsize=16)
def pair_numbers(pixels: int, pairs: int, device: torch.device) -> Int32[Tensor, "pixels 1 pairs"]:
    """Number the pairs of units of a layer, pixel by pixel, scattered over 32 bits."""
    counters = torch.arange(pixels * pairs, device=device).view(pixels, 1, pairs)
    return mix(counters * GOLDEN).to(torch.int32)


def keep_factors(
    keys: Int64[Tensor, " models"],
    images: Int64[Tensor, " images"],
    layer: int,
    shape: tuple[int, int],
    rate: Float32[Tensor, " models"],
) -> Float32[Tensor, "images pixels models units"]:
    """Draw what to multiply units with: 0 with probability ``rate``, else ``1 / (1 - rate)``.

    A counter-based generator, so that no state couples models or images: the draw is a hash of the
    model's key, the image, the layer and the unit. Each hash decides two neighbouring units of a
    pixel with 16 bits apiece, so a rate is met to within 2⁻¹⁷. Models of one key share their draws:
    a smaller rate drops a subset of what a larger one does.

    Args:
        keys: The models' seeds.
        images: A number for every step of the optimiser and every place in its batch.
        layer: Number of the hidden layer.
        shape: Pixels and units to a pixel; units that are no map are those of one pixel.
        rate: Probability of dropping, in [0, 1).
    """
    pixels, units = shape
    pairs = -(-units // DRAWS)
    # Multiplied as a tensor: 64 bits wrap around there, while a Python product grows past them.
    streams = mix(mix(mix(keys + GOLDEN) + images[:, None] * GOLDEN) + layer).to(torch.int32)
    bits = pair_numbers(pixels, pairs, keys.device) ^ streams[:, None, :, None]
    bits *= FACTORS[0]
    bits ^= (bits >> 15) & 0x1FFFF
    bits *= FACTORS[1]
    draws = bits.view(torch.int16)[..., :units].to(torch.float32)
    bound = (rate * 2.0**16).round() - 2.0**15
    return draws.ge_(bound[:, None]).mul_((1 / (1 - rate))[:, None])


def dropout_by_step(configs: Sequence[ModelConfig], device: str) -> Callable[[int, int], Dropout]:
    """Return the dropout of a step from some image of its batch on; at rate 0 all is kept."""
    if not any(config.dropout for config in configs):
        return lambda *_: no_dropout
    keys = torch.tensor([config.seed for config in configs], device=device)
    rate = torch.tensor([config.dropout for config in configs], device=device)

    def dropout(step: int, place: int) -> Dropout:
        first = step * LARGEST_BATCH + place

        def drop(hidden: Tensor, layer: int) -> Tensor:
            images = len(hidden) if hidden.ndim == 4 else hidden.shape[2]
            numbers = torch.arange(first, first + images, device=device)
            return hidden * factors_like(hidden, keys, numbers, layer, rate)

        return drop

    return dropout


def factors_like(
    hidden: Tensor,
    keys: Int64[Tensor, " models"],
    images: Int64[Tensor, " images"],
    layer: int,
    rate: Float32[Tensor, " models"],
) -> Float32[Tensor, "..."]:
    """Draw factors in the shape of what they multiply: ``[models, units, images]`` or maps."""
    if hidden.ndim == 3:
        return keep_factors(keys, images, layer, (1, hidden.shape[1]), rate)[:, 0].permute(1, 2, 0)
    _, channels, height, width = hidden.shape
    shape = height * width, channels // len(keys)
    factors = keep_factors(keys, images, layer, shape, rate)
    return factors.reshape(len(images), height, width, channels).permute(0, 3, 1, 2)
