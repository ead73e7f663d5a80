"""Tiles of registers that a kernel sums at once, unrolled by Python while Numba compiles."""

from typing import no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from zoogen.train.kernels.registers import (
    F32,
    I64,
    INTS,
    floats,
    fused,
    load_from,
    maximum,
    place,
    spread,
    store_to,
)
from zoogen.train.kernels.widths import LANES


@intrinsic(prefer_literal=True)
@no_type_check
def load_tile(typing, array, at, rows, columns, down, right):
    """Load ``rows × columns`` registers, row by row, ``down`` and ``right`` floats apart."""
    n, m, d, r = (kind.literal_value for kind in (rows, columns, down, right))

    def codegen(context, builder, signature, args):
        there = place(context, builder, array, args[0], args[1])
        loaded = [load_from(builder, there, i * d + j * r) for i in range(n) for j in range(m)]
        return cgutils.pack_array(builder, loaded)

    return types.UniTuple(floats, n * m)(array, at, rows, columns, down, right), codegen


@intrinsic(prefer_literal=True)
@no_type_check
def repeated(typing, array, at, rows, columns, biased):
    """Return ``rows × columns`` registers, each filled with its row's ``array[at + row]`` or 0."""
    n, m, given = (kind.literal_value for kind in (rows, columns, biased))

    def codegen(context, builder, signature, args):
        there = place(context, builder, array, args[0], args[1])
        tile = []
        for i in range(n):
            scalar = builder.load(builder.gep(there, [I64(i)])) if given else F32(0)
            tile += [spread(builder, scalar)] * m
        return cgutils.pack_array(builder, tile)

    return types.UniTuple(floats, n * m)(array, at, rows, columns, biased), codegen


@intrinsic(prefer_literal=True)
@no_type_check
def store_tile(typing, tile, array, at, columns, down, right):
    """Store a tile of registers, row by row, ``down`` and ``right`` floats apart."""
    m, d, r = (kind.literal_value for kind in (columns, down, right))

    def codegen(context, builder, signature, args):
        there = place(context, builder, array, args[1], args[2])
        for i, register in enumerate(cgutils.unpack_tuple(builder, args[0])):
            store_to(builder, register, there, i // m * d + i % m * r)
        return context.get_dummy_value()

    return types.void(tile, array, at, columns, down, right), codegen


@intrinsic(prefer_literal=True)
@no_type_check
def convolve_outputs(typing, tile, pixels, at, pixel, step, weights, first, blocks, block, taps):
    """Add one row of a kernel at neighbouring places, eight outputs per register.

    ``tile[b, t] += pixels[at + (t * step + k) * pixel] * weights[first + b * block + k * 8 :][:8]``
    for each of the ``taps`` k in turn.
    """
    width, s, m, b, n = (kind.literal_value for kind in (pixel, step, blocks, block, taps))
    places = tile.count // m

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        row = place(context, builder, pixels, args[1], args[2])
        there = place(context, builder, weights, args[5], args[6])
        kernel = [
            [load_from(builder, there, i * b + k * LANES) for k in range(n)] for i in range(m)
        ]
        for column in range((places - 1) * s + n):
            value = spread(builder, builder.load(builder.gep(row, [I64(column * width)])))
            for t in range(places):
                k = column - t * s
                for i in range(m if 0 <= k < n else 0):
                    sums[i * places + t] = fused(builder, value, kernel[i][k], sums[i * places + t])
        return cgutils.pack_array(builder, sums)

    return tile(tile, pixels, at, pixel, step, weights, first, blocks, block, taps), codegen


@intrinsic(prefer_literal=True)
@no_type_check
def convolve_images(typing, tile, pixels, at, pixel, step, weights, first, outputs, output, taps):
    """Add one row of a kernel at neighbouring places, eight images per register.

    ``tile[o, t] += pixels[at + (t * step + k) * pixel :][:8] * weights[first + o * output + k]``
    for each of the ``taps`` k in turn.
    """
    width, s, m, o, n = (kind.literal_value for kind in (pixel, step, outputs, output, taps))
    places = tile.count // m

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        row = place(context, builder, pixels, args[1], args[2])
        there = place(context, builder, weights, args[5], args[6])
        columns = [load_from(builder, row, c * width) for c in range((places - 1) * s + n)]
        for i in range(m):
            for k in range(n):
                weight = builder.load(builder.gep(there, [I64(i * o + k)]))
                value = spread(builder, weight)
                for t in range(places):
                    sums[i * places + t] = fused(
                        builder, value, columns[t * s + k], sums[i * places + t]
                    )
        return cgutils.pack_array(builder, sums)

    return tile(tile, pixels, at, pixel, step, weights, first, outputs, output, taps), codegen


@intrinsic
@no_type_check
def larger_of_tiles(typing, one, two):
    """Return the ``larger`` of each lane of two tiles."""

    def codegen(context, builder, signature, args):
        pairs = zip(*(cgutils.unpack_tuple(builder, tile) for tile in args), strict=True)
        return cgutils.pack_array(builder, [maximum(builder, *pair) for pair in pairs])

    return one(one, two), codegen


@intrinsic(prefer_literal=True)
@no_type_check
def larger_of_neighbours(typing, tile, size):
    """Return the largest of each ``size`` neighbouring registers of a tile, lane by lane."""
    n = size.literal_value

    def codegen(context, builder, signature, args):
        registers = cgutils.unpack_tuple(builder, args[0])
        largest = registers[::n]
        for i in range(1, n):
            pairs = zip(largest, registers[i::n], strict=True)
            largest = [maximum(builder, *pair) for pair in pairs]
        return cgutils.pack_array(builder, largest)

    return types.UniTuple(floats, tile.count // n)(tile, size), codegen


@intrinsic
@no_type_check
def transpose(typing, array, at, step, target, to):
    """Transpose eight rows of eight floats, ``step`` apart, and store them as eight registers."""

    def codegen(context, builder, signature, args):
        there = place(context, builder, array, args[0], args[1])
        starts = (builder.gep(there, [builder.mul(args[2], I64(i))]) for i in range(LANES))
        rows = [load_from(builder, start) for start in starts]
        apart = LANES // 2
        while apart:
            for i in range(LANES):
                if not i & apart:
                    rows[i], rows[i + apart] = exchange(builder, rows[i], rows[i + apart], apart)
            apart //= 2
        out = place(context, builder, target, args[3], args[4])
        for i, row in enumerate(rows):
            store_to(builder, row, out, i * LANES)
        return context.get_dummy_value()

    return types.void(array, at, step, target, to), codegen


def exchange(builder, one, two, apart):
    """Exchange the off-diagonal blocks of two rows: one step of a transposition."""
    lanes = range(LANES)
    upper = [i + LANES - apart if i & apart else i for i in lanes]
    lower = [i + LANES if i & apart else i + apart for i in lanes]
    return tuple(
        builder.shuffle_vector(one, two, ir.Constant(INTS, order)) for order in (upper, lower)
    )


@intrinsic(prefer_literal=True)
@no_type_check
def add_scaled(typing, tile, scale, array, at, rows, step):
    """Add ``scale`` times ``rows`` rows of registers, rows ``step`` floats apart, to a tile."""
    n, s = rows.literal_value, step.literal_value
    run = tile.count // n

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        there = place(context, builder, array, args[2], args[3])
        factor = spread(builder, args[1])
        for i in range(tile.count):
            term = load_from(builder, there, i // run * s + i % run * LANES)
            sums[i] = fused(builder, factor, term, sums[i])
        return cgutils.pack_array(builder, sums)

    return tile(tile, scale, array, at, rows, step), codegen


@intrinsic
@no_type_check
def add_products(typing, tile, one, at, two, to):
    """Add the products of two runs of registers to a tile."""

    def codegen(context, builder, signature, args):
        sums = cgutils.unpack_tuple(builder, args[0])
        left = place(context, builder, one, args[1], args[2])
        right = place(context, builder, two, args[3], args[4])
        for i in range(tile.count):
            pair = (load_from(builder, side, i * LANES) for side in (left, right))
            sums[i] = fused(builder, *pair, sums[i])
        return cgutils.pack_array(builder, sums)

    return tile(tile, one, at, two, to), codegen


@intrinsic
@no_type_check
def add_products_to(typing, target, to, tile, array, at):
    """Add the products of a tile and a run of registers to ``target``."""

    def codegen(context, builder, signature, args):
        there = place(context, builder, target, args[0], args[1])
        right = place(context, builder, array, args[3], args[4])
        for i, register in enumerate(cgutils.unpack_tuple(builder, args[2])):
            pair = (load_from(builder, side, i * LANES) for side in (right, there))
            store_to(builder, fused(builder, register, *pair), there, i * LANES)
        return context.get_dummy_value()

    return types.void(target, to, tile, array, at), codegen


@intrinsic(prefer_literal=True)
@no_type_check
def add_scaled_to(typing, target, to, step, scale, array, at, by, rows, run):
    """Add ``scale * array`` to ``target``: rows of registers, ``by`` and ``step`` floats apart."""
    n, width, s, b = (kind.literal_value for kind in (rows, run, step, by))

    def codegen(context, builder, signature, args):
        there = place(context, builder, target, args[0], args[1])
        terms = place(context, builder, array, args[4], args[5])
        factor = spread(builder, args[3])
        for row in range(n):
            for i in range(width):
                here, term = row * s + i * LANES, row * b + i * LANES
                total = fused(
                    builder,
                    factor,
                    load_from(builder, terms, term),
                    load_from(builder, there, here),
                )
                store_to(builder, total, there, here)
        return context.get_dummy_value()

    return types.void(target, to, step, scale, array, at, by, rows, run), codegen
