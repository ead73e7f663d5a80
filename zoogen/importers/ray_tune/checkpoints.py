"""The checkpoints of Ray Tune trials: which network they hold, and their weights."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.foreign import Block
from zoogen.importers.pickles import PLAIN, Tensor
from zoogen.importers.ray_tune.trials import RayTrial
from zoogen.importers.sources import MIB, Digests, Member, members
from zoogen.importers.torch_files import Limits, TorchFile
from zoogen.spec.architectures import CNN, MLP, Convolution, Network
from zoogen.spec.layout import Layout
from zoogen.spec.registry import PAPER_CNN

LARGEST_CHECKPOINT = 16 * MIB


def small_cnn(channels: int, kernels: tuple[int, int, int]) -> CNN:
    """Return the authors' small CNN: two poolings, 28×28 pixels."""
    first, second, third = kernels
    return CNN(
        image=(channels, 28, 28),
        convolutions=(
            Convolution(channels=first, kernel=5, pool=2),
            Convolution(channels=second, kernel=5, pool=2),
            Convolution(channels=third, kernel=2, dropout=False),
        ),
        widths=(20, 10),
    )


def large_cnn(channels: int) -> CNN:
    """Return the authors' large CNN: three poolings, 32×32 pixels."""
    return CNN(
        image=(channels, 32, 32),
        convolutions=tuple(Convolution(channels=units, kernel=3, pool=2) for units in (16, 32, 15)),
        widths=(20, 10),
    )


NETWORKS: tuple[Network, ...] = (
    PAPER_CNN,
    small_cnn(3, (8, 6, 4)),
    small_cnn(1, (6, 9, 6)),
    small_cnn(3, (6, 9, 6)),
    large_cnn(3),
    large_cnn(1),
    MLP(widths=(16, 5, 4)),
)
"""The networks of the authors' zoos; the shapes in a checkpoint tell them apart."""


def find_network(source: Path, trials: Sequence[RayTrial]) -> Network:
    """Identify the network by the first readable checkpoint.

    Raises:
        ZooError: If no checkpoint is readable, or its network is unknown.
    """
    files = {file for trial in trials for file in trial.checkpoints.values()}
    for member in members(source, files.__contains__):
        try:
            with open_checkpoint(member.whole(LARGEST_CHECKPOINT), member) as (_, tensors):
                shapes = shapes_of(tensors)
        except IntegrityError:
            continue
        for network in NETWORKS:
            if shapes == [slot.shape for slot in network.layout]:
                return network
        known = "; ".join(f"{network}, {network.image_shape[0]} channels" for network in NETWORKS)
        raise ZooError(
            f"{member} has tensors {format_shapes(shapes)}, which fit no known network: {known}"
        )
    raise ZooError(f"{source} has no readable checkpoint; expected checkpoint_N/checkpoints")


@contextmanager
def open_checkpoint(data: bytes, label: Member) -> Iterator[tuple[TorchFile, list[Tensor]]]:
    """Open a ``state_dict``: the file, and its tensors in order, not yet read.

    Tensors are matched by order, not name: a dropout layer shifts the numbers of all later layers.

    Raises:
        RefusedGlobalError: If it holds more than tensors by name.
        IntegrityError: If it is damaged, or not a ``state_dict``.
    """
    limits = Limits(pickle=MIB, storage=LARGEST_CHECKPOINT)
    with closing(TorchFile(BytesIO(data), label, PLAIN, limits)) as file:
        held = file.content
        if not isinstance(held, dict) or not all(isinstance(one, Tensor) for one in held.values()):
            raise IntegrityError(f"{label} is not a state_dict of tensors")
        yield file, list(held.values())


def shapes_of(tensors: Sequence[Tensor]) -> list[tuple[int, ...]]:
    """Return the shapes of tensors."""
    return [tensor.shape for tensor in tensors]


def format_shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    """List shapes for a message, at most the first 20."""
    return ", ".join(str(list(shape)) for shape in shapes[:20])[:300]


def weight_blocks(
    source: Path, files: Sequence[str], layout: Layout, digests: Digests
) -> Iterator[Block]:
    """Yield one block per checkpoint; a damaged one, or one of another shape, is lost."""
    rows = {file: row for row, file in enumerate(files)}
    wanted: Any = rows.__contains__
    for member in members(source, wanted):
        row, lost = rows[member.name], dict[int, str]()
        vectors = np.empty((0, layout.params), np.float32)
        data = member.whole(LARGEST_CHECKPOINT)
        digests.add(member.name, member.sha256)
        try:
            with open_checkpoint(data, member) as (file, tensors):
                vectors = read_vector(file, tensors, layout)[None]
        except IntegrityError as error:
            lost[row] = f"checkpoint not readable: {error}".replace(f"{member}: ", "")[:300]
        yield Block(rows=np.array([row][len(lost) :], int), weights=vectors, lost=lost)


def read_vector(
    file: TorchFile, tensors: Sequence[Tensor], layout: Layout
) -> Float32[np.ndarray, " params"]:
    """Read the tensors of one network and join them in a vector.

    Raises:
        IntegrityError: If shapes or types do not fit the network; shapes are checked before any
            tensor is read.
    """
    shapes = shapes_of(tensors)
    if shapes != [slot.shape for slot in layout]:
        raise IntegrityError(f"tensors are {format_shapes(shapes)}")
    arrays = [file.array(tensor) for tensor in tensors]
    if any(array.dtype != np.float32 for array in arrays):
        raise IntegrityError(f"tensors are {', '.join(str(array.dtype) for array in arrays)}")
    return np.concatenate([array.ravel() for array in arrays])
