"""Dropout whose masks depend on the model alone, whatever stack it trains in and on any device."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from zoogen.configs import ModelConfig
from zoogen.networks import Dropout, no_dropout

GOLDEN = -7046029254386353131  # 2^64 / golden ratio, as a signed integer
MIXERS = ((30, -4658895280553007687), (27, -7723592293110705685), (31, 1))
FACTORS = (2146121005, -2073254261)  # odd, of the 32-bit mixer "lowbias32"
LARGEST_BATCH = 2**20
DRAWN_TOGETHER = 64  # images; part of what a seed means, so never a matter of speed
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
def unit_numbers(
    rows: int, models: int, hashes: int, device: torch.device
) -> Int32[Tensor, "rows draws"]:
    """Number the units of a model, scattered over 32 bits, side by side for every model."""
    counters = torch.arange(rows * hashes, device=device).view(rows, 1, hashes)
    scattered = mix(counters * GOLDEN).to(torch.int32)
    return scattered.expand(rows, models, hashes).reshape(rows, models * hashes)


def keep_factors(
    keys: Int64[Tensor, " models"],
    step: int,
    layer: int,
    shape: tuple[int, int],
    rate: Float32[Tensor, " models"],
) -> Float32[Tensor, "rows units"]:
    """Draw what to multiply units with: 0 with probability ``rate``, else ``1 / (1 - rate)``.

    A counter-based generator, so that no state couples the models of a stack: the draw is a hash
    of the model's key, the step, the layer and the unit. Each hash decides two units with 16 bits
    apiece, so a rate is met to within 2⁻¹⁷. Models of one key share their draws: a smaller rate
    drops a subset of what a larger one does.

    Args:
        keys: The models' seeds.
        step: A number for every step of the optimiser and every block of its images.
        layer: Number of the hidden layer.
        shape: Rows and columns of a model's units, batch included; models lie side by side.
        rate: Probability of dropping, in [0, 1).
    """
    rows, columns = shape
    models, hashes = len(keys), -(-columns // DRAWS)
    # Multiplied as a tensor: 64 bits wrap around there, while a Python product grows past them.
    stream = mix(mix(mix(keys + GOLDEN) + keys.new_tensor(step) * GOLDEN) + layer)
    of_model = stream.to(torch.int32).repeat_interleave(hashes)
    bits = unit_numbers(rows, models, hashes, keys.device) ^ of_model
    bits *= FACTORS[0]
    bits ^= (bits >> 15) & 0x1FFFF
    bits *= FACTORS[1]
    draws = bits.view(torch.int16).view(rows, models, -1)[..., :columns].to(torch.float32)
    draws = draws.view(rows, models * columns)
    bound = (rate * 2.0**16).round() - 2.0**15
    draws.ge_(bound.repeat_interleave(columns))
    return draws.mul_((1 / (1 - rate)).repeat_interleave(columns))


def dropout_by_step(configs: Sequence[ModelConfig], device: str) -> Callable[[int, int], Dropout]:
    """Return the dropout of a step from some image of its batch on; at rate 0 all is kept.

    Images draw in blocks of 64, so that it does not matter in which parts a batch is shown as long
    as the parts hold whole blocks.
    """
    if not any(config.dropout for config in configs):
        return lambda *_: no_dropout
    keys = torch.tensor([config.seed for config in configs], device=device)
    rate = torch.tensor([config.dropout for config in configs], device=device)

    def dropout(step: int, image: int) -> Dropout:
        first = step * LARGEST_BATCH + image

        def drop(hidden: Tensor, layer: int) -> Tensor:
            blocks = hidden.split(DRAWN_TOGETHER, dim=0 if hidden.ndim == 4 else 2)
            drawn = [
                block_factors(block, keys, first + number * DRAWN_TOGETHER, layer, rate)
                for number, block in enumerate(blocks)
            ]
            if len(drawn) == 1:
                return hidden * drawn[0]
            return hidden * torch.cat(drawn, dim=0 if hidden.ndim == 4 else 2)

        return drop

    return dropout


def block_factors(
    block: Tensor,
    keys: Int64[Tensor, " models"],
    number: int,
    layer: int,
    rate: Float32[Tensor, " models"],
) -> Float32[Tensor, "..."]:
    """Draw the factors of a block of images, in its shape: ``[models, units, images]`` or maps.

    Maps lie in memory image by image, pixel by pixel, model by model: they draw in that order.
    """
    if block.ndim == 3:
        return keep_factors(keys, number, layer, (1, block[0].numel()), rate).view(block.shape)
    images, channels, height, width = block.shape
    shape = images * height * width, channels // len(keys)
    factors = keep_factors(keys, number, layer, shape, rate)
    return factors.view(images, height, width, channels).permute(0, 3, 1, 2)
