"""Train one model on batches of images, one image at a time."""

from typing import no_type_check

import numpy as np
from numba import njit, types

from zoogen.train.kernels.activation import activate_and_differentiate, multiply
from zoogen.train.kernels.loss import differentiate, most_likely
from zoogen.train.kernels.mask import drop, stream
from zoogen.train.kernels.optimiser import update
from zoogen.train.kernels.registers import call, pointer

READS, OUT, SIZE, ACTIVE, DROPPED = range(5)
"""Columns of the table of stages: the place that a layer reads, the place where its map begins,
floats of the map, whether an activation follows, and the layer's number in a dropout mask, or 0."""

WHOLE, REAL, FLOAT = types.int64, types.float64, types.float32
VECTOR, IMAGES = types.Array(FLOAT, 1, "C"), types.Array(FLOAT, 2, "C", readonly=True)
LABELS = types.Array(WHOLE, 1, "C", readonly=True)
COUNTS, TABLE = types.Array(WHOLE, 1, "C"), types.Array(WHOLE, 2, "C")
INDEX, NUMBERS = types.Array(types.int32, 1, "C"), types.Array(types.uint32, 1, "C")
TRAINING = WHOLE(
    *(COUNTS, COUNTS, COUNTS, TABLE, INDEX, INDEX, NUMBERS),
    *(IMAGES, COUNTS, LABELS, COUNTS, WHOLE, WHOLE, WHOLE),
    *(VECTOR, VECTOR, VECTOR, types.Array(REAL, 1, "C"), WHOLE, VECTOR, VECTOR, FLOAT),
    *(VECTOR, VECTOR, VECTOR, VECTOR, INDEX, VECTOR, VECTOR, VECTOR, VECTOR),
    *(types.uint64, WHOLE, types.int16, FLOAT),
)


@njit(error_model="numpy")
@no_type_check
def show(image, lines, shown):
    """Copy an image twice to where the first layer reads it."""
    rows, width, line, second = lines[0], lines[1], lines[2], lines[3]
    for row in range(rows):
        for i in range(width):
            pixel = image[row * width + i]
            shown[row * line + i] = pixel
            shown[second + row * line + i] = pixel


@no_type_check
def train(
    forwards, gradients, backs, stages, pack, unpack, numbers,
    images, lines, labels, order, batch_size, classes, activation,
    weights, mean, square, powers, optimiser, rates, decays, momentum,
    shown, maps, slopes, derivatives, winners, packed, sums, gradient, scratch,
    key, step, bound, kept,
):  # fmt: skip
    """Train one model in place; return how many images it had right when they were shown.

    Args:
        forwards: Memory addresses of the layers' ``forward`` functions.
        gradients: Memory addresses of their ``gradient`` functions; 0 without weights.
        backs: Memory addresses of their ``back`` functions; the first is not called.
        stages: A row for each layer, see ``READS``.
        pack: Order of the weights in ``packed``; the place behind the last holds zero.
        unpack: Place of each weight's gradient in ``sums``.
        numbers: Numbers of the pairs of units, for dropout.
        images: Images, one per row.
        lines: Layout of a shown image, see ``zoogen.train.kernels.plan.Plan.lines``.
        labels: Label of each image.
        order: Indices of the images to show.
        batch_size: Images per step; the last step takes the rest.
        classes: Number of classes.
        activation: Index in ``zoogen.train.kernels.activation.NAMES``.
        weights: The flat weight vector and a zero behind it; changed in place.
        mean: Argument of ``zoogen.train.kernels.optimiser.update``, as the next six.
        square: Changed in place.
        powers: Changed in place.
        optimiser: Index in ``zoogen.train.kernels.optimiser.NAMES``.
        rates: Learning rate of each weight.
        decays: L2 penalty of each weight.
        momentum: Momentum of SGD.
        shown: Scratch for two copies of an image.
        maps: Scratch for all maps of an image.
        slopes: Scratch for the gradient with respect to the maps.
        derivatives: Scratch for the derivatives of the activation.
        winners: Place where the patch of each unit begins; pooling changes it.
        packed: Scratch for the weights in the order that the layers read them.
        sums: Scratch for the packed gradient.
        gradient: Scratch for the gradient as a flat vector.
        scratch: Scratch for maps before pooling.
        key: Seed of the dropout masks.
        step: Number of steps taken so far.
        bound: Units with a draw below it are dropped.
        kept: Scale of the other units.
    """
    depth, params = len(forwards), len(unpack)
    end = stages[depth - 1, OUT]
    logits, of_logits = maps[end : end + classes], slopes[end : end + classes]
    dropping, right = bound > np.int16(-(2**15)), 0
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        scale = np.float32(1 / len(batch))
        step += 1
        for i in range(len(pack)):
            packed[i] = weights[pack[i]]
        sums[:] = 0
        for place in range(len(batch)):
            label = labels[batch[place]]
            show(images[batch[place]], lines, pointer(shown))
            for layer in range(depth):
                read = maps if layer else shown
                call(
                    forwards[layer],
                    pointer(read),
                    stages[layer, READS],
                    pointer(maps),
                    pointer(winners),
                    pointer(packed),
                    pointer(scratch),
                )
                if stages[layer, ACTIVE]:
                    begin, finish = stages[layer, OUT], stages[layer, OUT] + stages[layer, SIZE]
                    made, bends = maps[begin:finish], derivatives[begin:finish]
                    activate_and_differentiate(activation, made, bends)
                    if dropping and stages[layer, DROPPED]:
                        of_layer = stream(key, step, place, stages[layer, DROPPED])
                        drop(made, bends, numbers[begin // 2 : finish // 2], of_layer, bound, kept)
            right += most_likely(logits) == label
            differentiate(logits, of_logits, label, scale)
            for layer in range(depth - 1, -1, -1):
                if stages[layer, ACTIVE]:
                    begin, finish = stages[layer, OUT], stages[layer, OUT] + stages[layer, SIZE]
                    multiply(slopes[begin:finish], derivatives[begin:finish])
                if gradients[layer]:
                    read = maps if layer else shown
                    call(
                        gradients[layer],
                        pointer(read),
                        stages[layer, READS],
                        pointer(slopes),
                        pointer(winners),
                        pointer(sums),
                    )
                if layer:
                    call(
                        backs[layer],
                        stages[layer, READS],
                        pointer(slopes),
                        pointer(winners),
                        pointer(packed),
                    )
        for i in range(params):
            gradient[i] = sums[unpack[i]]
        update(optimiser, weights[:params], gradient, mean, square, powers, rates, decays, momentum)
    return right
