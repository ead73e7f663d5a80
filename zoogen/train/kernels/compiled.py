"""The compiled functions of a network."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from zoogen.spec.architectures import CNN, MLP
from zoogen.train.kernels import lanes, measuring, training
from zoogen.train.kernels.chain import chain
from zoogen.train.kernels.convolution import (
    back_kernel,
    forward_kernel,
    gradient_kernel,
    mean_back,
    mean_forward,
)
from zoogen.train.kernels.geometry import Layer
from zoogen.train.kernels.kept import Compiler, load_or_compile
from zoogen.train.kernels.measuring import evaluation_kernel, evaluation_mean
from zoogen.train.kernels.plan import Plan

Kernel = Callable[..., Any]


@runtime_checkable
class Callback(Protocol):
    """A compiled function that other compiled functions call.

    Attributes:
        address: Memory address of its machine code.
    """

    address: int


@dataclass(frozen=True, kw_only=True)
class LayerKernels:
    """The functions of one layer.

    Attributes:
        forward: Function from ``zoogen.train.kernels.convolution``.
        gradient: Function from the same module; None without weights.
        back: Function from the same module.
        evaluate: Function from ``zoogen.train.kernels.measuring``.
    """

    forward: Callback
    gradient: Callback | None
    back: Callback
    evaluate: Callback


@dataclass(frozen=True, kw_only=True)
class ChainKernels:
    """The functions of a network that runs one model and one image at a time.

    Attributes:
        plan: Places of its numbers in the shared arrays.
        layers: Functions of the layers, input to output.
        train: The compiled ``training.train``.
        measure: The compiled ``measuring.measure``.
    """

    plan: Plan
    layers: tuple[LayerKernels, ...]
    train: Kernel
    measure: Kernel

    def addresses(self, kind: str) -> Int64[np.ndarray, " layers"]:
        """Return the memory address of one function of every layer; 0 if there is none."""
        functions = (getattr(layer, kind) for layer in self.layers)
        return np.array([function.address if function else 0 for function in functions])


@dataclass(frozen=True, kw_only=True)
class LaneKernels:
    """The functions for small fully connected networks, models side by side."""

    train: Kernel
    measure: Kernel


@cache
def chain_kernels(network: MLP | CNN) -> ChainKernels:
    """Return the kernels of a network, from disk if they were compiled before."""
    plan = Plan(chain(network), network.layout.params)
    return load_or_compile(
        repr(network), str(network), lambda compiler: compile_chain(plan, compiler)
    )


def compile_chain(plan: Plan, compiler: Compiler) -> ChainKernels:
    """Compile every layer and the functions that call them."""
    offsets, layers = iter(plan.offsets), []
    places = zip(plan.reads, plan.outs, *plan.evaluated_places, strict=False)
    for layer, (read, out, evaluated, made) in zip(plan.layers, places, strict=True):
        if isinstance(layer, Layer):
            where = layer, next(offsets), out, compiler.callback
            functions = LayerKernels(
                forward=forward_kernel(*where),
                gradient=gradient_kernel(*where),
                back=back_kernel(*where),
                evaluate=evaluation_kernel(layer, evaluated, made, compiler.callback),
            )
        else:
            functions = LayerKernels(
                forward=mean_forward(layer, read, out, compiler.callback),
                gradient=None,
                back=mean_back(layer, read, out, compiler.callback),
                evaluate=evaluation_mean(layer, evaluated, made, compiler.callback),
            )
        layers.append(functions)
    return ChainKernels(
        plan=plan,
        layers=tuple(layers),
        train=compiler.function(training.TRAINING, training.train),
        measure=compiler.function(measuring.MEASURING, measuring.measure),
    )


@cache
def lane_kernels() -> LaneKernels:
    """Return the kernels of small fully connected networks, from disk if compiled before."""
    return load_or_compile(
        "lanes",
        "small fully connected networks",
        lambda compiler: LaneKernels(
            train=compiler.function(lanes.TRAINING, lanes.train),
            measure=compiler.function(lanes.MEASURING, lanes.measure),
        ),
    )
