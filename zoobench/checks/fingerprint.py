"""A number per network that stays when its hidden units change places."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Float32, UInt64

from zoogen import HiddenLayer, Layout, Slot, Weights
from zoogen.split_mix import GOLDEN, scattered

BLOCK = 2**17
"""Weights hashed at a time: their 64-bit words, 1 MB, stay in the processor's cache."""

ROUNDS = 2
"""How often units hash what their neighbours are."""

Labels = Mapping[str, UInt64[np.ndarray, "snapshots _units"]]
"""A hash for each unit of each hidden layer, by the name of the layer."""


def fingerprints(weights: Weights) -> Iterator[UInt64[np.ndarray, " block"]]:
    """Hash network after network, in blocks.

    Networks that are equal up to the order of hidden units, as their layout declares it, have the
    same fingerprint, always. Others have the same by chance alone, one pair in 2⁶⁴, unless their
    units cannot be told apart by the weights they share with others. A network that declares no
    symmetry has the fingerprint of its weights as they are.

    A weight is hashed with its tensor and with what it connects: along an axis of units these are
    hashes of the units, along any other the place. A unit is hashed from the set of its weights, a
    set being the sum of the hashes of its members. After ``ROUNDS`` a unit's hash knows the units
    around it, and not where it stands.
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
    hidden = layout.symmetry or ()
    labels: Labels = {
        layer.name: np.zeros((len(rows), layer.units), dtype=np.uint64) for layer in hidden
    }
    for _ in range(ROUNDS):
        labels = refined(words, layout, labels)
    total = np.zeros(len(rows), dtype=np.uint64)
    for number, slot in enumerate(layout):
        total += hashed(words, slot, number, labels, hidden).sum(axis=1, dtype=np.uint64)
    return total


def refined(
    words: UInt64[np.ndarray, "snapshots params"], layout: Layout, labels: Labels
) -> Labels:
    """Hash each unit from its weights and from the labels of the units around it."""
    hidden = layout.symmetry or ()
    sums = {name: np.zeros_like(label) for name, label in labels.items()}
    for number, slot in enumerate(layout):
        layers = dict(owners(slot, hidden))
        if not layers:
            continue
        by_weight = hashed(words, slot, number, labels, hidden).reshape(len(words), *slot.shape)
        for axis, layer in layers.items():
            along = np.moveaxis(by_weight, axis + 1, 1).reshape(len(words), layer.units, -1)
            sums[layer.name] += scattered(along + salt(axis)).sum(axis=2, dtype=np.uint64)
    return {name: scattered(total) for name, total in sums.items()}


def hashed(
    words: UInt64[np.ndarray, "snapshots params"],
    slot: Slot,
    number: int,
    labels: Labels,
    hidden: tuple[HiddenLayer, ...],
) -> UInt64[np.ndarray, "snapshots _size"]:
    """Hash each weight of a tensor with the places and units it connects."""
    layers = dict(owners(slot, hidden))
    place = np.full((1, *(1 for _ in slot.shape)), salt(number), dtype=np.uint64)
    for axis, size in enumerate(slot.shape):
        layer = layers.get(axis)
        run = size // layer.units if layer else size
        inside = scattered(salt(axis) + np.arange(run, dtype=np.uint64))
        along = inside[None] if layer is None else labels[layer.name][:, :, None] + inside
        shape = [1] * (1 + len(slot.shape))
        shape[0], shape[axis + 1] = len(along), size
        place = scattered(place + along.reshape(shape))
    flat = np.broadcast_to(place, (len(place), *slot.shape)).reshape(len(place), -1)
    return scattered(words[:, slot.slice] ^ flat)


def owners(slot: Slot, hidden: tuple[HiddenLayer, ...]) -> Iterator[tuple[int, HiddenLayer]]:
    """Yield the axes of a tensor along which units lie, with their layer."""
    for layer in hidden:
        for name, axis in layer.axes:
            if name == slot.name:
                yield axis, layer


def salt(number: int) -> np.uint64:
    """Return a word that sets things with different numbers apart."""
    return np.uint64(number + 1) << np.uint64(32)
