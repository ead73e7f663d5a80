"""Eight floats as one value that Numba keeps in a register, and operations on it.

LLVM's vectoriser would keep the sums of a convolution in memory, so registers are explicit here.
Every operation is exact IEEE arithmetic; products and sums are fused only where the source says so.
A result therefore does not depend on the processor. If the machine's registers are narrower, LLVM
uses two.
"""

from typing import no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from zoogen.train.kernels.widths import LANES

F32, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
FLOATS, INTS, CHOICES = (ir.VectorType(kind, LANES) for kind in (F32, I32, ir.IntType(1)))
LOADABLE = 4
"""Alignment of loads and stores, in bytes."""


class Register(types.Type):
    """Eight float32 or int32 side by side."""


floats, ints = Register("eight float32"), Register("eight int32")


@register_model(Register)
class RegisterModel(models.PrimitiveModel):
    """A register in LLVM's types."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, FLOATS if kind is floats else INTS)


def place(context, builder, kind, array, at):
    """Point at ``array[at]``, of an array or a pointer."""
    if not isinstance(kind, types.CPointer):
        array = context.make_array(kind)(context, builder, array).data
    return builder.gep(array, [at])


def load_from(builder, pointer, step=0, of=FLOATS):
    """Load the register ``step`` numbers behind a pointer."""
    there = builder.bitcast(builder.gep(pointer, [I64(step)]), of.as_pointer())
    return builder.load(there, align=LOADABLE)


def store_to(builder, value, pointer, step=0):
    """Store a register ``step`` numbers behind a pointer."""
    there = builder.bitcast(builder.gep(pointer, [I64(step)]), value.type.as_pointer())
    builder.store(value, there, align=LOADABLE)


def spread(builder, scalar):
    """Fill a register with one number."""
    kind = ir.VectorType(scalar.type, LANES)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, I32(0))
    return builder.shuffle_vector(one, one, ir.Constant(INTS, [0] * LANES))


def maximum(builder, one, two):
    """Return the larger of each lane; ``one`` where either is NaN."""
    return builder.select(builder.fcmp_ordered(">", two, one), two, one)


def fused(builder, one, two, three):
    """Return ``one * two + three``, rounded once."""
    name = "llvm.fma.v8f32" if one.type == FLOATS else "llvm.fma.f32"
    kind = ir.FunctionType(one.type, [one.type] * 3)
    return builder.call(
        cgutils.get_or_insert_function(builder.module, kind, name), [one, two, three]
    )


@intrinsic
@no_type_check
def fma(typing, one, two, three):
    """Return ``one * two + three`` of float32, rounded once."""

    def codegen(context, builder, signature, args):
        return fused(builder, *args)

    return types.float32(types.float32, types.float32, types.float32), codegen


@intrinsic
@no_type_check
def bits(typing, scalar):
    """Return the 32 bits of a float32 as an int32."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], I32)

    return types.int32(types.float32), codegen


@intrinsic
@no_type_check
def of_bits(typing, number):
    """Return the float32 with these 32 bits."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], F32)

    return types.float32(types.int32), codegen


@intrinsic
@no_type_check
def number(typing, array, at):
    """Return ``array[at]`` without a check: a negative index does not count from the end."""

    def codegen(context, builder, signature, args):
        return builder.load(place(context, builder, array, *args))

    return array.dtype(array, at), codegen


@intrinsic
@no_type_check
def pointer(typing, array):
    """Point at the beginning of an array."""

    def codegen(context, builder, signature, args):
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
@no_type_check
def call(typing, address, *given):
    """Call the function at an address; it returns nothing."""

    def codegen(context, builder, signature, args):
        values = cgutils.unpack_tuple(builder, args[1], len(given))
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(address, types.StarArgTuple(given)), codegen


@intrinsic
@no_type_check
def load(typing, array, at):
    """Load the eight floats that begin at ``array[at]``."""

    def codegen(context, builder, signature, args):
        return load_from(builder, place(context, builder, array, *args))

    return floats(array, at), codegen


@intrinsic
@no_type_check
def store(typing, register, array, at):
    """Store a register to the eight places that begin at ``array[at]``."""

    def codegen(context, builder, signature, args):
        store_to(builder, args[0], place(context, builder, array, *args[1:]))
        return context.get_dummy_value()

    return types.void(register, array, at), codegen


@intrinsic
@no_type_check
def filled(typing, scalar):
    """Fill a register with one float32 or int32."""

    def codegen(context, builder, signature, args):
        return spread(builder, args[0])

    return (floats if scalar == types.float32 else ints)(scalar), codegen


@intrinsic
@no_type_check
def larger(typing, one, two):
    """Return the larger of each lane; ``one`` where either is NaN."""

    def codegen(context, builder, signature, args):
        return maximum(builder, *args)

    return floats(one, two), codegen


@intrinsic
@no_type_check
def place_of_larger(typing, one, two, place_of_one, place_of_two):
    """Return the place of the ``larger`` of each lane."""

    def codegen(context, builder, signature, args):
        more = builder.fcmp_ordered(">", args[1], args[0])
        return builder.select(more, args[3], args[2])

    return ints(one, two, place_of_one, place_of_two), codegen
