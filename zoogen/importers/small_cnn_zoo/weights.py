"""The weights of the Small CNN Zoo: ``layout.csv``, and the array it describes."""

import ast
import csv
import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int64

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.arrays import float_rows, row_blocks
from zoogen.importers.checks import passed
from zoogen.importers.foreign import Block, ForeignLayout
from zoogen.importers.sources import Digests, members
from zoogen.spec.architectures import Network
from zoogen.spec.hidden_layer import HiddenLayer, Symmetry
from zoogen.spec.layout import Layout
from zoogen.store.manifest import Check

WEIGHTS = ("weights.npy", "all_weights.npy")
LAYOUT = "layout.csv"


def base_name(name: str) -> str:
    """Return the file name without folders, or nothing for a file that macOS adds to archives."""
    path = PurePosixPath(name)
    return "" if path.name.startswith("._") else path.name


def foreign_layout(text: bytes, network: Network, source: Path) -> ForeignLayout:
    """Parse ``layout.csv``: consecutive tensors, biases first, kernels with outputs last.

    Raises:
        IntegrityError: If it has a gap or overlap, or does not fit the network.
    """
    tensors = parse_tensors(text, source)
    ours = network.layout
    layers = [slot.name.removesuffix(".weight") for slot in ours if slot.name.endswith("weight")]
    theirs = list(dict.fromkeys(name.rpartition("/")[0] for name in tensors.shapes))
    place = np.arange(tensors.params)
    columns = np.empty(ours.params, int)
    wanted = {f"{layer}/{part}" for layer in theirs for part in ("kernel:0", "bias:0")}
    if len(theirs) != len(layers) or set(tensors.shapes) != wanted:
        found = ", ".join(tensors.shapes)[:300]
        raise IntegrityError(f"{source}: {LAYOUT} has {found}; expected {len(layers)} layers")
    for layer, their in zip(layers, theirs, strict=True):
        for part, name in (("weight", "kernel:0"), ("bias", "bias:0")):
            slot, from_ = ours[f"{layer}.{part}"], tensors[f"{their}/{name}"]
            tensor = place[from_.slice].reshape(from_.shape)
            if tensor.ndim > 1:
                tensor = np.moveaxis(tensor, (-1, -2), (0, 1))
            if tensor.shape != slot.shape:
                raise IntegrityError(
                    f"{source}: {from_.name} is {list(from_.shape)} in {LAYOUT}, "
                    f"which does not fit {slot.name} {list(slot.shape)}"
                )
            columns[slot.slice] = tensor.ravel()
    return ForeignLayout(tensors=tensors, hidden=hidden_layers(tensors, theirs), columns=columns)


def parse_tensors(text: bytes, source: Path) -> Layout:
    """Parse names, positions and shapes, and check that they are consecutive.

    Raises:
        IntegrityError: If they are not, or cannot be parsed.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    end = 0
    try:
        for line in csv.DictReader(io.StringIO(text.decode())):
            shape = ast.literal_eval(line["shape"])
            start, stop = int(line["start_idx"]), int(line["end_idx"])
            size = int(np.prod(shape, dtype=object))
            if start != end or stop != start + size or min(shape) < 1 or line["varname"] in shapes:
                raise ValueError(f"{line['varname']} {shape} from {start} to {stop}, after {end}")
            shapes[line["varname"]] = tuple(int(side) for side in shape)
            end = stop
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise IntegrityError(
            f"{source}: {LAYOUT} cannot be read ({error!r:.200}); expected consecutive tensors "
            "with varname, start_idx, end_idx and shape"
        ) from error
    return Layout.of(shapes)


def hidden_layers(tensors: Layout, layers: list[str]) -> Symmetry:
    """Return the axes of hidden units: in a kernel, inputs are last but one and outputs last."""
    hidden = []
    for layer, following in pairwise(layers):
        kernel, after = tensors[f"{layer}/kernel:0"].shape, tensors[f"{following}/kernel:0"].shape
        incoming = ((f"{layer}/kernel:0", len(kernel) - 1), (f"{layer}/bias:0", 0))
        outgoing = ((f"{following}/kernel:0", len(after) - 2),)
        hidden.append(HiddenLayer(layer, kernel[-1], incoming, outgoing))
    return tuple(hidden)


def layout_check(layout: ForeignLayout) -> Check:
    """Check that every weight of the original is used exactly once."""
    whole = bool((np.sort(layout.columns) == np.arange(layout.tensors.params)).all())
    detail = f"{len(layout.tensors.slots)} tensors, {layout.tensors.params} weights, no gap"
    return passed("tensors fit the network", detail, ok=whole)


def weight_blocks(
    source: Path, rows: int, layout: ForeignLayout, digests: Digests
) -> Iterator[Block]:
    """Yield the weights in order, a few megabytes at a time.

    Raises:
        ZooError: If there is no file of weights, or more than one.
        IntegrityError: If it does not fit the metrics table, or the archive is damaged.
    """
    params = layout.tensors.params
    found = members(source, lambda name: base_name(name) in WEIGHTS)
    member = next(found, None)
    if member is None:
        raise ZooError(f"{source} has no {WEIGHTS[0]}; expected a data set of the Small CNN Zoo")
    stored = float_rows(member, params)
    if stored != rows:
        raise IntegrityError(
            f"{member} has {stored} rows but the metrics table has {rows}; one of them is "
            "incomplete, get both again"
        )
    first = 0
    for block in row_blocks(member, rows, params):
        numbers: Int64[np.ndarray, " rows"] = np.arange(first, first + len(block))
        yield Block(rows=numbers, weights=block)
        first += len(block)
    digests.add(base_name(member.name), member.sha256)
    other = next(found, None)
    if other is not None:
        raise ZooError(f"{source} has {member.name} and {other.name}; import one folder at a time")
