"""The Small CNN Zoo of Unterthiner et al. 2020: one array of weights, one table, one layout.

Source:
    Unterthiner et al. 2020, arXiv:2002.11448; files of google-research/dnn_predict_accuracy.
"""

import ast
import csv
import gzip
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.arrays import float_rows, row_blocks
from zoogen.importers.checks import passed
from zoogen.importers.foreign import Block, Foreign, ForeignLayout
from zoogen.importers.request import Request
from zoogen.importers.sources import MIB, Digests, Member, members
from zoogen.spec.architectures import Network
from zoogen.spec.imported import Skipped
from zoogen.spec.layout import Layout
from zoogen.spec.registry import SMALL_CNN_ZOO, zoo_spec
from zoogen.spec.symmetry import HiddenLayer
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "small-cnn-zoo"
LARGEST_LAYOUT = MIB
LARGEST_TABLE = 512 * MIB
WEIGHTS = ("weights.npy", "all_weights.npy")
TABLES = ("metrics.csv.gz", "metrics.csv", "all_metrics.csv.gz", "all_metrics.csv")
LAYOUT = "layout.csv"
EPOCHS = (0, 1, 2, 3, 20, 40, 60, 80, 86)


@dataclass(frozen=True, kw_only=True)
class Published:
    """One of the four data sets, as its authors describe it."""

    zoo: str
    runs: int


PUBLISHED = {
    "mnist": Published(zoo="mnist-hyp", runs=29_997),
    "fashion_mnist": Published(zoo="fashion-hyp", runs=30_000),
    "cifar10": Published(zoo="cifar10-hyp", runs=30_000),
    "svhn_cropped": Published(zoo="svhn-hyp", runs=29_988),
}
"""By ``config.dataset``."""

COLUMNS = {
    "modeldir": "run",
    "step": "epoch",
    "config.activation": "activation",
    "config.w_init": "initialiser",
    "config.init_std": "init_std",
    "config.optimizer": "optimiser",
    "config.learning_rate": "learning_rate",
    "config.l2reg": "weight_decay",
    "config.dropout": "dropout",
    "config.train_fraction": "train_fraction",
    "config.random_seed": "seed",
    "train_loss": "train_loss",
    "train_accuracy": "train_accuracy",
    "test_loss": "test_loss",
    "test_accuracy": "test_accuracy",
}
CONSTANT = (
    "config.b_init",
    "config.dataset",
    "config.dnn_architecture",
    "config.epochs",
    "config.epochs_between_checkpoints",
    "config.num_layers",
    "config.num_units",
)
WORDS = {"modeldir", "config.activation", "config.w_init", "config.optimizer"}
MEASURED = {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
SPLIT_SEED = 42
SPLIT = "70/15/15 by run, as in the code of Schürholt et al. 2021"


def read_small_cnn_zoo(request: Request) -> Foreign:
    """Find a data set of the Small CNN Zoo in a folder or archive.

    Raises:
        ZooError: If a file is missing or a column, or it is none of the four data sets.
        IntegrityError: If a file is damaged, oversized, or does not fit the others.
    """
    digests = Digests()
    tables = read_tables(request.source, digests)
    dataset = only_value(request.source, tables.metrics, "config.dataset")
    if dataset not in PUBLISHED:
        known = ", ".join(PUBLISHED)
        raise ZooError(f"{request.source}: config.dataset is {dataset!r}, expected {known}")
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


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The two small files."""

    metrics: "pd.DataFrame"
    layout: bytes


def base(name: str) -> str:
    """Return the name of a file without its folders; what macOS adds to archives has none."""
    path = PurePosixPath(name)
    return "" if path.name.startswith("._") else path.name


def read_tables(source: Path, digests: Digests) -> Tables:
    """Read metrics and layout, whichever comes first."""
    layout, metrics = None, None
    for member in members(source, lambda name: base(name) in {LAYOUT, *TABLES}):
        if base(member.name) == LAYOUT:
            layout = member.whole(LARGEST_LAYOUT)
        elif metrics is None:
            metrics = read_metrics(member)
        digests.add(base(member.name), member.sha256)
        if layout is not None and metrics is not None:
            return Tables(metrics=metrics, layout=layout)
    missing = LAYOUT if layout is None else " or ".join(TABLES[:2])
    raise ZooError(f"{source} has no {missing}; expected a data set of the Small CNN Zoo")


def read_metrics(member: Member) -> "pd.DataFrame":
    """Parse the table of metrics, compressed or not; it may not unfold without bound.

    Raises:
        ZooError: If a column is missing.
        IntegrityError: If it is damaged or too large.
    """
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    raw = io.BytesIO(member.whole(LARGEST_TABLE))
    try:
        text = gzip.GzipFile(fileobj=raw).read(LARGEST_TABLE + 1) if gz(member) else raw.getvalue()
    except (OSError, EOFError, ValueError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise IntegrityError(f"{member} is damaged ({error}); get the file again") from error
    if len(text) > LARGEST_TABLE:
        raise IntegrityError(f"{member} unfolds to more than {LARGEST_TABLE} bytes")
    head = next(csv.reader([text[: text.find(b"\n")].decode("utf-8", "replace")]), [])
    for column in (*COLUMNS, "config.dataset"):
        if column not in head:
            raise ZooError(f"{member} has no column {column}; it has {', '.join(head)[:300]}")
    word = pa.dictionary(pa.int32(), pa.string())
    options = pa_csv.ConvertOptions(
        include_columns=[*COLUMNS, *(name for name in CONSTANT if name in head)],
        column_types={
            **dict.fromkeys({*WORDS, *CONSTANT} & set(head), word),
            **dict.fromkeys(MEASURED, pa.float64()),
            "step": pa.int64(),
        },
    )
    try:
        read = pa_csv.read_csv(io.BytesIO(text), convert_options=options)
    except (pa.ArrowException, ValueError) as error:
        raise IntegrityError(f"{member} is no table of metrics ({error!s:.300})") from error
    return pd.DataFrame(read.to_pandas())


def gz(member: Member) -> bool:
    """Tell whether a file is compressed, by its name."""
    return member.name.endswith(".gz")


def only_value(source: Path, metrics: "pd.DataFrame", column: str) -> str:
    """Return what a column says of every row."""
    values = metrics[column].unique()
    if len(values) != 1:
        found = ", ".join(map(str, values[:5])) or "nothing"
        raise ZooError(f"{source}: {column} is {found}; expected one and the same for all rows")
    return str(values[0])


def constants(metrics: "pd.DataFrame") -> tuple[tuple[str, str], ...]:
    """Return what is said of all models alike and has no column of ours."""
    there = [column for column in CONSTANT if column in metrics]
    alike = [column for column in there if metrics[column].nunique() == 1]
    return tuple((column.partition(".")[2], str(metrics[column].iloc[0])) for column in alike)


def snapshot_rows(metrics: "pd.DataFrame") -> "pd.DataFrame":
    """Bring the table to our names; runs are numbered as they appear."""
    rows = metrics[list(COLUMNS)].rename(columns=COLUMNS)
    for name in ("activation", "initialiser", "optimiser"):
        rows[name] = rows[name].astype(str)
    model, runs = rows["run"].factorize()
    rows.insert(0, "model", model)
    rows["run"] = rows["run"].astype(str)
    rows["split"] = np.array(run_splits(len(runs)), dtype=object)[model]
    rows["generalisation_gap"] = rows["train_accuracy"] - rows["test_accuracy"]
    return rows


def run_splits(runs: int) -> list[str]:
    """Return the split of each run in the order of the table, as the 2021 paper dealt them.

    Python's own shuffle with seed 42, cut at 70 and 85 per cent, rounded down: only the order of
    the published table goes into it.
    """
    order = list(range(runs))
    random.Random(SPLIT_SEED).shuffle(order)
    train, validation = int(0.7 * runs), int(0.15 * runs)
    split = [""] * runs
    for place, run in enumerate(order):
        after = place - train
        split[run] = "train" if after < 0 else "validation" if after < validation else "test"
    return split


def shares_starts(snapshots: "pd.DataFrame") -> bool:
    """Tell whether fewer starts than models are named: initialiser, its scale and seed."""
    starts = snapshots.drop_duplicates(["initialiser", "init_std", "seed"])
    return len(starts) < snapshots["model"].nunique() or snapshots["seed"].nunique() == 1


def missing_epochs(snapshots: "pd.DataFrame") -> tuple[Skipped, ...]:
    """Name the checkpoints that a run lacks."""
    runs = snapshots.groupby("model").agg(run=("run", "first"), epochs=("epoch", frozenset))
    short = runs[runs["epochs"] != frozenset(EPOCHS)]
    gaps = ((run, tuple(sorted(set(EPOCHS) - epochs))) for run, epochs in short.to_numpy())
    return tuple(
        Skipped(run=str(run), epochs=epochs, reason="not in the original")
        for run, epochs in gaps
        if epochs
    )


def foreign_layout(text: bytes, network: Network, source: Path) -> ForeignLayout:
    """Read ``layout.csv``: tensors side by side, biases first, kernels with the outputs last.

    Raises:
        IntegrityError: If it has a gap or overlap, or is not that of the network.
    """
    tensors = tensors_of(text, source)
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
                    f"which is no {slot.name} {list(slot.shape)}"
                )
            columns[slot.slice] = tensor.ravel()
    return ForeignLayout(tensors=tensors, hidden=hidden_layers(tensors, theirs), columns=columns)


def tensors_of(text: bytes, source: Path) -> Layout:
    """Read names, places and shapes, and prove that they follow on each other."""
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
            f"{source}: {LAYOUT} cannot be read ({error!r:.200}); expected tensors one after "
            "another with varname, start_idx, end_idx and shape"
        ) from error
    return Layout.of(shapes)


def hidden_layers(tensors: Layout, layers: list[str]) -> tuple[HiddenLayer, ...]:
    """Name the axes of hidden units where outputs come last and inputs last but one."""
    hidden = []
    for layer, following in pairwise(layers):
        kernel, after = tensors[f"{layer}/kernel:0"].shape, tensors[f"{following}/kernel:0"].shape
        axes = (
            (f"{layer}/kernel:0", len(kernel) - 1),
            (f"{layer}/bias:0", 0),
            (f"{following}/kernel:0", len(after) - 2),
        )
        hidden.append(HiddenLayer(layer, kernel[-1], axes))
    return tuple(hidden)


def layout_check(layout: ForeignLayout) -> Check:
    """Say that the layout fits; it would have been refused otherwise."""
    whole = bool((np.sort(layout.columns) == np.arange(layout.tensors.params)).all())
    detail = f"{len(layout.tensors.slots)} tensors, {layout.tensors.params} weights, no gap"
    return passed("tensors fit the network", detail, ok=whole)


def count_check(models: int, published: Published) -> Check:
    """Compare the number of runs with what was published."""
    name, detail = "as many as published", f"{models} runs, {published.runs} published"
    return Check(
        name=name, outcome="passed" if models == published.runs else "noted", detail=detail
    )


def weight_blocks(
    source: Path, rows: int, layout: ForeignLayout, digests: Digests
) -> Iterator[Block]:
    """Read the weights in order, a few megabytes at a time.

    Raises:
        ZooError: If there are none, or two files of them.
        IntegrityError: If they do not fit the table, or the archive is damaged.
    """
    params = layout.tensors.params
    found = members(source, lambda name: base(name) in WEIGHTS)
    member = next(found, None)
    if member is None:
        raise ZooError(f"{source} has no {WEIGHTS[0]}; expected a data set of the Small CNN Zoo")
    there = float_rows(member, params)
    if there != rows:
        raise IntegrityError(
            f"{member} has {there} rows, the table of metrics {rows}; one of them is cut"
        )
    first = 0
    for block in row_blocks(member, rows, params):
        numbers: Int64[np.ndarray, " rows"] = np.arange(first, first + len(block))
        yield Block(rows=numbers, weights=block)
        first += len(block)
    digests.add(base(member.name), member.sha256)
    other = next(found, None)
    if other is not None:
        raise ZooError(f"{source} has {member.name} and {other.name}; name the folder of one")
