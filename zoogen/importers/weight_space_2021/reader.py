"""Reads a zoo of the 2021 paper from its ``.pt`` file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoogen.errors import IntegrityError, UnknownNameError, ZooError
from zoogen.importers.foreign import Block, Foreign, ForeignLayout
from zoogen.importers.request import ImportRequest
from zoogen.importers.sources import Digests
from zoogen.importers.weight_space_2021.data_sets import (
    FILES,
    find_file,
    open_copy,
    read_data_sets,
)
from zoogen.importers.weight_space_2021.snapshots import epoch_check, snapshot_rows
from zoogen.spec.configs import model_configs
from zoogen.spec.registry import ZOOS, zoo_spec
from zoogen.spec.split import shares_starts
from zoogen.spec.zoo_spec import ZooSpec

FORMAT = "weight-space-2021"
ZENODO = "Zenodo 5645138, doi:10.5281/zenodo.5645138"
IMAGES = {
    "mnist": ("mnist-standard", "mnist"),
    "fashion-mnist": ("fashion-mnist",),
    "svhn-28": ("svhn-28",),
}
"""Ways the images may have been prepared; the paper does not say. Its Tetris images are not
published."""

SPLIT = "70/15/15 by model, as published"
AT_ONCE = 256


def read_weight_space_2021(request: ImportRequest) -> Foreign:
    """Read everything but the weights.

    Raises:
        RefusedGlobalError: If the pickle asks for more than the authors' data sets need.
        IntegrityError: If the file is damaged, or not such a data set.
        ZooError: If there is no such file or more than one, or it is unknown which zoo it holds.
    """
    digests = Digests()
    with find_file(request.source) as member:
        registered = registered_spec(request, member.name)
        sets = read_data_sets(member, registered.network.layout, digests)
    network = registered.network
    snapshots = snapshot_rows(sets, registered)
    tensors = [tensor for one in sets for tensor in one.tensors]
    by_model = replace(registered, group="model")
    known = IMAGES.get(registered.images, ())
    return Foreign(
        format=FORMAT,
        name=request.name or registered.name,
        network=network,
        images=request.images_or(*known),
        measure=request.measure,
        snapshots=snapshots,
        layout=ForeignLayout.same_as(network),
        blocks=lambda: weight_blocks(request.source, tensors, network.layout.params),
        digests=digests,
        split=SPLIT,
        planned=snapshots["model"].nunique(),
        shared_starts=shares_starts(by_model, model_configs(by_model)),
        licence=request.licence or "unknown",
        source=f"{registered.source}; {ZENODO}",
        checks=(epoch_check(sets, snapshots),),
    )


def registered_spec(request: ImportRequest, file: str) -> ZooSpec:
    """Return the spec of the zoo in a file, as the paper describes it."""
    name = request.name or FILES.get(Path(file).stem)
    if name is None:
        known = ", ".join(FILES)
        raise ZooError(
            f"{file}: cannot tell which zoo this is; pass --name, or give the file its published "
            f"name, one of {known}"
        )
    if name not in ZOOS:
        raise UnknownNameError("zoo", name, ZOOS)
    return zoo_spec(name)


def weight_blocks(source: Path, tensors: Sequence[object], params: int) -> Iterator[Block]:
    """Yield the vectors, split by split, a few hundred at a time."""
    with find_file(source) as member, open_copy(member) as file:
        for first in range(0, len(tensors), AT_ONCE):
            some = tensors[first : first + AT_ONCE]
            vectors = np.empty((len(some), params), np.float32)
            for place, tensor in enumerate(some):
                vector = file.array(tensor)
                if vector.shape != (params,) or vector.dtype != np.float32:
                    raise IntegrityError(
                        f"{member}: snapshot {first + place} is {vector.dtype} "
                        f"{list(vector.shape)}, expected float32 [{params}]"
                    )
                vectors[place] = vector
            yield Block(rows=np.arange(first, first + len(some)), weights=vectors)
