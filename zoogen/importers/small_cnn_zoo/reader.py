"""Finds a data set of the Small CNN Zoo in a folder or archive."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoogen.errors import ZooError
from zoogen.importers.foreign import Foreign
from zoogen.importers.request import ImportRequest
from zoogen.importers.small_cnn_zoo.metrics import (
    TABLES,
    constants,
    missing_epochs,
    only_value,
    read_metrics,
    shares_starts,
    snapshot_rows,
)
from zoogen.importers.small_cnn_zoo.weights import (
    LAYOUT,
    base_name,
    foreign_layout,
    layout_check,
    weight_blocks,
)
from zoogen.importers.sources import MIB, Digests, members
from zoogen.spec.registry import SMALL_CNN_ZOO, zoo_spec
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "small-cnn-zoo"
LARGEST_LAYOUT = MIB
SPLIT = "70/15/15 by run, as in the code of Schürholt et al. 2021"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One of the four data sets: our name for it, and how many runs its authors report."""

    zoo: str
    runs: int


PUBLISHED = {
    "mnist": Published(zoo="mnist-hyp", runs=29_997),
    "fashion_mnist": Published(zoo="fashion-hyp", runs=30_000),
    "cifar10": Published(zoo="cifar10-hyp", runs=30_000),
    "svhn_cropped": Published(zoo="svhn-hyp", runs=29_988),
}
"""By ``config.dataset``."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The two small files of a data set."""

    metrics: "pd.DataFrame"
    layout: bytes


def read_small_cnn_zoo(request: ImportRequest) -> Foreign:
    """Read everything but the weights.

    Raises:
        ZooError: If a file or column is missing, or this is none of the four data sets.
        IntegrityError: If a file is damaged, too large, or does not fit the others.
    """
    digests = Digests()
    tables = read_tables(request.source, digests)
    dataset = only_value(request.source, tables.metrics, "config.dataset")
    if dataset not in PUBLISHED:
        known = ", ".join(PUBLISHED)
        raise ZooError(f"{request.source}: config.dataset is {dataset!r}, expected one of {known}")
    published = PUBLISHED[dataset]
    spec = zoo_spec(request.name or published.zoo)
    layout = foreign_layout(tables.layout, spec.network, request.source)
    snapshots = snapshot_rows(tables.metrics)
    models = int(snapshots["model"].max()) + 1
    return Foreign(
        format=FORMAT,
        name=spec.name,
        network=spec.network,
        images=request.images_or(spec.images),
        measure=request.measure,
        snapshots=snapshots,
        layout=layout,
        blocks=lambda: weight_blocks(request.source, len(snapshots), layout, digests),
        digests=digests,
        split=SPLIT,
        planned=published.runs,
        shared_starts=shares_starts(snapshots),
        licence=request.licence or "CC-BY-4.0",
        source=SMALL_CNN_ZOO,
        also=constants(tables.metrics),
        missing=missing_epochs(snapshots),
        checks=(layout_check(layout), count_check(models, published)),
    )


def read_tables(source: Path, digests: Digests) -> Tables:
    """Read metrics and layout, in whichever order they come."""
    layout, metrics = None, None
    for member in members(source, lambda name: base_name(name) in {LAYOUT, *TABLES}):
        if base_name(member.name) == LAYOUT:
            layout = member.whole(LARGEST_LAYOUT)
        elif metrics is None:
            metrics = read_metrics(member)
        digests.add(base_name(member.name), member.sha256)
        if layout is not None and metrics is not None:
            return Tables(metrics=metrics, layout=layout)
    missing = LAYOUT if layout is None else " or ".join(TABLES[:2])
    raise ZooError(f"{source} has no {missing}; expected a data set of the Small CNN Zoo")


def count_check(models: int, published: Published) -> Check:
    """Compare the number of runs with the number published."""
    name, detail = "as many as published", f"{models} runs, {published.runs} published"
    return Check(
        name=name, outcome="passed" if models == published.runs else "noted", detail=detail
    )
