"""Reads a population from the folders of its trials."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from zoogen.errors import ZooError
from zoogen.importers.foreign import Foreign, ForeignLayout
from zoogen.importers.ray_tune.checkpoints import find_network, weight_blocks
from zoogen.importers.ray_tune.snapshots import (
    constants,
    line_check,
    missing_epochs,
    shares_starts,
    snapshot_rows,
)
from zoogen.importers.ray_tune.trials import RayTrial, read_trials
from zoogen.importers.request import ImportRequest
from zoogen.importers.sources import Digests

FORMAT = "ray-tune"
SPLIT = (
    "70/15/15 by model, by a hash of the zoo's name; the original split depends on a file system"
)


def read_ray_tune(request: ImportRequest) -> Foreign:
    """Read everything but the weights.

    Raises:
        RefusedGlobalError: If a checkpoint asks for more than tensors by name.
        ZooError: If there is no trial or no checkpoint, or the network is unknown.
        IntegrityError: If a record or the archive is damaged.
    """
    digests = Digests()
    trials = read_trials(request.source, digests)
    name = request.name or zoo_name(request.source, trials)
    network = find_network(request.source, trials)
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


def zoo_name(source: Path, trials: Sequence[RayTrial]) -> str:
    """Derive the name of a zoo from the folder of its trials, or else from the source."""
    folder = PurePosixPath(trials[0].name).parent.name or source.name.partition(".")[0]
    name = re.sub(r"[^a-z0-9.]+", "-", folder.lower()).strip("-.")
    if not name:
        raise ZooError(f"cannot derive a zoo name from {source}; pass one with --name")
    return name
