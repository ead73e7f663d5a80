"""Populations that Ray Tune trained, as its folders of trials: ModelZooDataset and its like.

Source:
    Schürholt et al. 2022, arXiv:2209.14764; code of ModelZoos/ModelZooDataset.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.foreign import Block, Foreign, ForeignLayout
from zoogen.importers.pickles import PLAIN, Tensor
from zoogen.importers.ray_trials import Trial, read_trials
from zoogen.importers.request import Request
from zoogen.importers.sources import MIB, Digests, Member, members
from zoogen.importers.torch_files import Limits, TorchFile
from zoogen.spec.architectures import CNN, MLP, Convolution, Network
from zoogen.spec.imported import Skipped
from zoogen.spec.layout import Layout
from zoogen.spec.registry import PAPER_CNN
from zoogen.spec.split import shared_out
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "ray-tune"
SPLIT = (
    "70/15/15 by model, dealt by a hash of the zoo's name; the original's depends on a file system"
)
LARGEST_CHECKPOINT = 16 * MIB
NEEDED = ("train_acc", "test_acc")
AXES = {
    "model::nlin": "activation",
    "model::init_type": "initialiser",
    "optim::optimizer": "optimiser",
    "optim::lr": "learning_rate",
    "optim::wd": "weight_decay",
    "model::dropout": "dropout",
    "seed": "seed",
}
CONSTANT = (
    "model::type",
    "model::channels_in",
    "model::use_bias",
    "optim::momentum",
    "training::batchsize",
)
MEASURED = {
    "train_loss": "train_loss",
    "train_acc": "train_accuracy",
    "test_loss": "test_loss",
    "test_acc": "test_accuracy",
    "val_loss": "validation_loss",
    "val_acc": "validation_accuracy",
}


def small(channels: int, kernels: tuple[int, int, int]) -> CNN:
    """Return the group's small CNN: two poolings, 28×28 pixels."""
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


def large(channels: int) -> CNN:
    """Return the group's large CNN: three poolings, 32×32 pixels."""
    return CNN(
        image=(channels, 32, 32),
        convolutions=tuple(Convolution(channels=units, kernel=3, pool=2) for units in (16, 32, 15)),
        widths=(20, 10),
    )


NETWORKS: tuple[Network, ...] = (
    PAPER_CNN,
    small(3, (8, 6, 4)),
    small(1, (6, 9, 6)),
    small(3, (6, 9, 6)),
    large(3),
    large(1),
    MLP(widths=(16, 5, 4)),
)
"""The networks of the group's zoos; a checkpoint shows by its shapes which it is of."""


def read_ray_tune(request: Request) -> Foreign:
    """Find the trials of a Ray Tune run in a folder or archive.

    Raises:
        RefusedGlobalError: If a checkpoint asks for more than tensors by name.
        ZooError: If there is no trial or no checkpoint, or one is of an unknown network.
        IntegrityError: If a record or the archive is damaged.
    """
    digests = Digests()
    trials = read_trials(request.source, digests)
    name = request.name or zoo_name(request.source, trials)
    network = network_of(request.source, trials)
    snapshots = snapshot_rows(trials, name)
    files = snapshots.pop("file")
    return Foreign(
        format=FORMAT,
        name=name,
        network=network,
        images=request.images_or(),
        measure=request.measure,
        snapshots=snapshots,
        layout=ForeignLayout.same_as(network),
        blocks=lambda: weight_blocks(request.source, list(files), network.layout, digests),
        digests=digests,
        split=SPLIT,
        planned=len(trials),
        shared_starts=shares_starts(snapshots),
        licence=request.licence or "unknown",
        source=f"Ray Tune trials of {PurePosixPath(trials[0].name).parent.name or name}",
        also=constants(trials),
        missing=missing_epochs(trials),
        checks=(line_check(trials),),
    )


def zoo_name(source: Path, trials: Sequence[Trial]) -> str:
    """Name a zoo after the folder of its trials, or after the source."""
    folder = PurePosixPath(trials[0].name).parent.name or source.name.partition(".")[0]
    name = re.sub(r"[^a-z0-9.]+", "-", folder.lower()).strip("-.")
    if not name:
        raise ZooError(f"{source} has no name that a zoo could have; give one with --name")
    return name


def network_of(source: Path, trials: Sequence[Trial]) -> Network:
    """Tell the network by the first checkpoint that can be read.

    Raises:
        ZooError: If there is none, or it is of no known network.
    """
    files = {file for trial in trials for file in trial.checkpoints.values()}
    for member in members(source, files.__contains__):
        try:
            with opened(member.whole(LARGEST_CHECKPOINT), member) as (_, tensors):
                shapes = shapes_of(tensors)
        except IntegrityError:
            continue
        for network in NETWORKS:
            if shapes == [slot.shape for slot in network.layout]:
                return network
        known = "; ".join(f"{network}, {network.image_shape[0]} channels" for network in NETWORKS)
        raise ZooError(
            f"{member} is made of tensors {in_words(shapes)}, which is none of the networks that "
            f"can be run: {known}"
        )
    raise ZooError(
        f"{source} has no checkpoint that can be read; expected checkpoint_N/checkpoints"
    )


@contextmanager
def opened(data: bytes, label: Member) -> Iterator[tuple[TorchFile, list[Tensor]]]:
    """Open a ``state_dict``: its file, and its tensors in their order, not yet read.

    By order, not by name: a dropout layer shifts the numbers of all layers after it.

    Raises:
        RefusedGlobalError: If it holds more than tensors by name.
        IntegrityError: If it is damaged, or no ``state_dict``.
    """
    limits = Limits(pickle=MIB, storage=LARGEST_CHECKPOINT)
    with closing(TorchFile(BytesIO(data), label, PLAIN, limits)) as file:
        held = file.content
        if not isinstance(held, dict) or not all(isinstance(one, Tensor) for one in held.values()):
            raise IntegrityError(f"{label} is no state_dict, tensors by name")
        yield file, list(held.values())


def shapes_of(tensors: Sequence[Tensor]) -> list[tuple[int, ...]]:
    """List the shapes of tensors."""
    return [tensor.shape for tensor in tensors]


def in_words(shapes: Sequence[tuple[int, ...]]) -> str:
    """List shapes for a message, the first of them if there are many."""
    return ", ".join(str(list(shape)) for shape in shapes[:20])[:300]


def snapshot_rows(trials: Sequence[Trial], name: str) -> "pd.DataFrame":
    """List the snapshots that have both a checkpoint and a line, trials by name."""
    import pandas as pd

    splits = shared_out(name, range(len(trials)))
    rows = [
        {
            "model": model,
            "run": PurePosixPath(trial.name).name,
            "epoch": epoch,
            "split": splits[model],
            **{ours: trial.settings[key] for key, ours in AXES.items() if key in trial.settings},
            **{MEASURED[key]: value for key, value in trial.results.logged[epoch].items()},
            "file": file,
        }
        for model, trial in enumerate(trials)
        for epoch, file in sorted(trial.checkpoints.items())
        if epoch in trial.results.logged
    ]
    if not rows:
        raise ZooError("no trial has both a checkpoint and a result of the same epoch")
    table = pd.DataFrame(rows)
    check_axes(table)
    if {MEASURED[key] for key in NEEDED} <= set(table):
        table["generalisation_gap"] = table["train_accuracy"] - table["test_accuracy"]
    return table


def check_axes(table: "pd.DataFrame") -> None:
    """Refuse settings that only some trials have, or that are no word and no number.

    Raises:
        ZooError: If one is; the message names it.
    """
    for name in (name for name in AXES.values() if name in table):
        odd = table[name].map(lambda value: isinstance(value, list | dict))
        if odd.any():
            run, value = table["run"][odd].iloc[0], table[name][odd].iloc[0]
            raise ZooError(f"{run}: {name} is {value!r:.100}, expected a word or a number")
    for name in (name for name in AXES.values() if name in table):
        if table[name].isna().any():
            run = table["run"][table[name].isna()].iloc[0]
            raise ZooError(f"{run} does not say its {name}, others do; leave one of them out")
    if "activation" not in table or "test_accuracy" not in table:
        raise ZooError("expected model::nlin in the settings and test_acc in the results")


def shares_starts(snapshots: "pd.DataFrame") -> bool:
    """Tell whether fewer starts than models are named: initialiser and seed."""
    named = [column for column in ("initialiser", "seed") if column in snapshots]
    starts = snapshots.drop_duplicates(named) if named else snapshots.iloc[:1]
    return "seed" in named and len(starts) < snapshots["model"].nunique()


def constants(trials: Sequence[Trial]) -> tuple[tuple[str, str], ...]:
    """Return what all trials say alike and no column has."""
    first = trials[0].settings
    there = [key for key in CONSTANT if key in first]
    alike = [key for key in there if all(t.settings.get(key) == first[key] for t in trials)]
    return tuple((key, str(first[key])) for key in alike)


def missing_epochs(trials: Sequence[Trial]) -> tuple[Skipped, ...]:
    """Name every checkpoint without a result, every result without a checkpoint, and early ends."""
    every = {epoch for trial in trials for epoch in trial.checkpoints}
    skipped = list[Skipped]()
    for trial in trials:
        there, logged = set(trial.checkpoints), set(trial.results.logged)
        ended = max(logged, default=-1)
        gaps: Mapping[str, set[int]] = {
            "no result for the checkpoint": there - logged,
            "no checkpoint for the result": logged - there,
            "the trial ended early": {epoch for epoch in every if epoch > ended} - there,
        }
        run = PurePosixPath(trial.name).name
        skipped += [
            Skipped(run=run, epochs=tuple(sorted(epochs)), reason=reason)
            for reason, epochs in gaps.items()
            if epochs
        ]
    return tuple(skipped)


def line_check(trials: Sequence[Trial]) -> Check:
    """Say how results were read."""
    repeated = sum(trial.results.repeated for trial in trials)
    broken = sum(trial.results.broken for trial in trials)
    return Check(
        name="lines of results",
        outcome="noted" if repeated or broken else "passed",
        detail=f"{repeated} repeated, the last was taken; {broken} unreadable",
    )


def weight_blocks(
    source: Path, files: Sequence[str], layout: Layout, digests: Digests
) -> Iterator[Block]:
    """Read checkpoints as they come; one that is damaged or of another shape is lost."""
    rows = {file: row for row, file in enumerate(files)}
    wanted: Any = rows.__contains__
    for member in members(source, wanted):
        row, lost = rows[member.name], dict[int, str]()
        vectors = np.empty((0, layout.params), np.float32)
        data = member.whole(LARGEST_CHECKPOINT)
        digests.add(member.name, member.sha256)
        try:
            with opened(data, member) as (file, tensors):
                vectors = vector_of(file, tensors, layout)[None]
        except IntegrityError as error:
            lost[row] = f"checkpoint not readable: {error}".replace(f"{member}: ", "")[:300]
        yield Block(rows=np.array([row][len(lost) :], int), weights=vectors, lost=lost)


def vector_of(
    file: TorchFile, tensors: Sequence[Tensor], layout: Layout
) -> Float32[np.ndarray, " params"]:
    """Read the tensors of one network and lay them side by side.

    Raises:
        IntegrityError: If they are not those of the network; none was read if it is the shapes.
    """
    shapes = shapes_of(tensors)
    if shapes != [slot.shape for slot in layout]:
        raise IntegrityError(f"tensors are {in_words(shapes)}")
    arrays = [file.array(tensor) for tensor in tensors]
    if any(array.dtype != np.float32 for array in arrays):
        raise IntegrityError(f"tensors are {', '.join(str(array.dtype) for array in arrays)}")
    return np.concatenate([array.ravel() for array in arrays])
