"""A number per network that stays when its hidden units change places."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, UInt64

from zoogen import Layout, Weights, chained_layers
from zoogen.split_mix import GOLDEN, scattered

BLOCK = 2**17
"""Weights hashed at a time: their 64-bit words, 1 MB, stay in the processor's cache."""

INPUT, BIAS, PLACE, OUTPUT = (np.uint64(1) << np.uint64(32 + each) for each in range(4))
"""Set the words apart that stand for different things."""


def fingerprints(weights: Weights) -> Iterator[UInt64[np.ndarray, " block"]]:
    """Hash network after network, in blocks.

    Networks that are equal up to the order of hidden units have the same fingerprint, always.
    Others have the same by chance alone, one pair in 2⁶⁴, unless each unit of one computes what
    a unit of the other does.

    A unit is hashed from its bias and from the set of pairs (unit it listens to, weight), a set
    being the sum of the hashes of its members; an input is hashed from its number. So a unit's
    hash knows what the unit computes and not where it stands.
    """
    rows = max(1, BLOCK // weights.layout.params)
    for block in weights.blocks(rows):
        yield network_hashes(np.asarray(block), weights.layout)


def network_hashes(
    rows: Float32[np.ndarray, "snapshots params"], layout: Layout
) -> UInt64[np.ndarray, " snapshots"]:
    """Hash each row, see ``fingerprints``."""
    # A sum with zero makes the negative zero positive: they are equal, their bits are not.
    words = (rows + np.float32(0)).view(np.uint32).astype(np.uint64) * GOLDEN
    units = {layer.name: layer.units for layer in chained_layers(layout)}
    heard: UInt64[np.ndarray, "snapshots units"] | None = None
    for slot in layout:
        if not slot.name.endswith(".weight"):
            continue
        layer = slot.name.removesuffix(".weight")
        fan_in = slot.size // slot.shape[0]
        places = places_heard(heard, fan_in)
        listening = words[:, slot.slice].reshape(len(rows), slot.shape[0], fan_in)
        heard = scattered(listening ^ places[:, None, :]).sum(axis=2, dtype=np.uint64)
        if f"{layer}.bias" in layout.shapes:
            heard += scattered(words[:, layout[f"{layer}.bias"].slice] ^ scattered(BIAS))
        if layer not in units:
            heard ^= scattered(OUTPUT + np.arange(slot.shape[0], dtype=np.uint64))
        heard = scattered(heard)
    if heard is None:
        raise ValueError("the layout has no weight")
    hashes: UInt64[np.ndarray, " snapshots"] = heard.sum(axis=1, dtype=np.uint64)
    return hashes


def places_heard(
    heard: UInt64[np.ndarray, "snapshots units"] | None, fan_in: int
) -> UInt64[np.ndarray, "_snapshots fan_in"]:
    """Hash what each weight of a unit belongs to: an input, or a unit before and a place in it."""
    if heard is None:
        return scattered(INPUT + np.arange(fan_in, dtype=np.uint64))[None]
    run = fan_in // heard.shape[1]
    inside = scattered(PLACE + np.arange(run, dtype=np.uint64))
    return scattered(heard[:, :, None] + inside).reshape(len(heard), fan_in)
