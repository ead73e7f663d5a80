"""The zoos of Schürholt et al. 2021 as their authors published them: pickled data sets.

Source:
    Zenodo record 5645138; code of HSG-AIML/NeurIPS_2021-Weight_Space_Learning.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoogen.errors import IntegrityError, UnknownNameError, ZooError
from zoogen.importers.checks import passed
from zoogen.importers.foreign import Block, Foreign, ForeignLayout
from zoogen.importers.pickles import VALUES, Record, RefusedGlobalError, Tensor
from zoogen.importers.request import Request
from zoogen.importers.sources import CHUNK, GIB, Digests, Member, members
from zoogen.importers.torch_files import Limits, TorchFile
from zoogen.spec.configs import model_configs
from zoogen.spec.layout import Layout
from zoogen.spec.registry import ZOOS, zoo_spec
from zoogen.spec.split import shares_starts
from zoogen.spec.zoo_spec import AXES, ZooSpec
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "weight-space-2021"
ZENODO = "Zenodo 5645138, doi:10.5281/zenodo.5645138"
FILES = {
    "dataset_11_tetris_seed": "tetris-seed",
    "dataset_12_tetris_hyp": "tetris-hyp",
    "dataset_21_mnist_seed": "mnist-seed",
    "dataset_22_mnist_hyp_1_fix_seed": "mnist-hyp-1-fix-seed",
    "dataset_23_mnist_hyp_1_rand_seed": "mnist-hyp-1-rand-seed",
    "dataset_24_mnist_hyp_5_fix_seeds": "mnist-hyp-5-fix-seed",
    "dataset_25_mnist_hyp_5_rand_seeds": "mnist-hyp-5-rand-seed",
    "dataset_31_f-mnist_seed": "fashion-seed",
}
"""Which zoo of ours each published file is."""

IMAGES = {
    "mnist": ("mnist-standard", "mnist"),
    "fashion-mnist": ("fashion-mnist",),
    "svhn-28": ("svhn-28",),
}
"""How the images may have been prepared, which the paper does not say; its Tetris images are not
published."""

SPLITS = {"trainset": "train", "valset": "validation", "testset": "test"}
SPLIT = "70/15/15 by model, as published"
EPOCH, FIELD = "epoch_", "#_#"
PROPERTIES = {
    "test_acc": "test_accuracy",
    "ggap": "generalisation_gap",
    "model::nlin": "activation",
    "model::init_type": "initialiser",
    "model::dropout": "dropout",
    "optim::lr": "learning_rate",
    "optim::wd": "weight_decay",
    "optim::optimizer": "optimiser",
}
NEEDED = ("test_acc", "training_iteration")
AT_ONCE = 256
LARGEST_FILE = 16 * GIB
"""Of the published ones the largest hold 32 000 snapshots of 2464 numbers twice, 0.6 GB."""

GOOGLE = "checkpoints_to_datasets.dataset_google_simclr"


class SimCLRDataset(Record):
    """The authors' class of one split."""


KNOWN: Mapping[str, Any] = {
    **VALUES,
    "checkpoints_to_datasets.dataset_simclr.SimCLRDataset": SimCLRDataset,
    "checkpoints_to_datasets.random_erasing.RandomErasingVector": Record,
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One split as it was pickled: entry i of each list is snapshot i."""

    split: str
    tensors: Sequence[object]
    labels: Sequence[object]
    properties: Mapping[str, Sequence[Any]]


def read_weight_space_2021(request: Request) -> Foreign:
    """Find a zoo of the 2021 paper in one of its ``.pt`` files, in a folder or archive or not.

    Raises:
        RefusedGlobalError: If the pickle asks for more than the authors' data sets hold.
        IntegrityError: If the file is damaged, or not such a data set.
        ZooError: If there is no such file, or more than one, or it is not known which zoo it is.
    """
    digests = Digests()
    with found_file(request.source) as member:
        registered = registered_spec(request, member.name)
        parts = read_parts(member, registered.network.layout, digests)
    network = registered.network
    snapshots = snapshot_rows(parts, registered)
    tensors = [tensor for part in parts for tensor in part.tensors]
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
        checks=(epoch_check(parts, snapshots),),
    )


@contextmanager
def found_file(source: Path) -> Iterator[Member]:
    """Find the one ``.pt`` file of a source; a file may be the source itself."""
    if source.suffix == ".pt" and source.is_file():
        with source.open("rb") as stream:
            yield Member(source, source.name, source.stat().st_size, stream)
        return
    found = members(source, lambda name: name.endswith(".pt") and "/._" not in f"/{name}")
    member = next(found, None)
    if member is None:
        raise ZooError(f"{source} has no .pt file; expected one like {next(iter(FILES))}.pt")
    yield member
    other = next(found, None)
    if other is not None:
        raise ZooError(f"{source} has {member.name} and {other.name}; name the file itself")


def registered_spec(request: Request, file: str) -> ZooSpec:
    """Return what the paper says of the zoo in a file."""
    name = request.name or FILES.get(Path(file).stem)
    if name is None:
        known = ", ".join(FILES)
        raise ZooError(
            f"{file}: it is not known which zoo this is; say so with --name, or call the file as "
            f"it was published: {known}"
        )
    if name not in ZOOS:
        raise UnknownNameError("zoo", name, ZOOS)
    return zoo_spec(name)


@contextmanager
def opened(member: Member) -> Iterator[TorchFile]:
    """Copy a file out of its source, so that its tensors can be read in any order, and open it.

    Raises:
        ZooError: If there is no room for the copy.
        IntegrityError: If the file is larger than any that was published, or no file of torch.
    """
    if member.size > LARGEST_FILE:
        raise IntegrityError(f"{member} has {member.size} bytes, expected {LARGEST_FILE} at most")
    with tempfile.TemporaryFile() as copy:
        try:
            while piece := member.read(CHUNK):
                copy.write(piece)
            copy.seek(0)
        except OSError as error:
            raise ZooError(
                f"{member} cannot be copied to {tempfile.gettempdir()}: {error.strerror or error}; "
                "make room there, or set TMPDIR to another folder"
            ) from error
        with closing(TorchFile(copy, member, KNOWN, Limits())) as file:
            yield file


def content_of(file: TorchFile) -> Any:
    """Read the pickle of the authors.

    Raises:
        RefusedGlobalError: If it asks for more than their data sets 01 to 31 hold.
    """
    try:
        return file.content
    except RefusedGlobalError as error:
        if GOOGLE in str(error):
            raise RefusedGlobalError(
                f"{error}. This is one of the data sets 41 to 44: import the original files of the "
                "Small CNN Zoo instead, format small-cnn-zoo; the split is the same"
            ) from error
        raise


def read_parts(member: Member, layout: Layout, digests: Digests) -> tuple[Part, ...]:
    """Read the three splits, their tensors apart."""
    with opened(member) as file:
        digests.add(Path(member.name).name, member.sha256)
        content = content_of(file)
        parts = parts_of(content, member)
        for name in SPLITS:
            check_template(vars(content[name]).get("checkpoint_base"), layout, f"{member}: {name}")
        return parts


def check_template(base: Any, layout: Layout, label: str) -> None:
    """Hold the ``state_dict`` that comes with the vectors against the layout, if there is one."""
    if base is None:
        return
    tensors = base.values() if isinstance(base, dict) else [base]
    found = [list(one.shape) if isinstance(one, Tensor) else type(one).__name__ for one in tensors]
    wanted = [list(slot.shape) for slot in layout]
    if found != wanted:
        raise IntegrityError(f"{label} is made of tensors {str(found)[:300]}, expected {wanted}")


def parts_of(content: Any, label: object) -> tuple[Part, ...]:
    """Check what was pickled: three data sets of lists that belong together.

    Raises:
        IntegrityError: If it is anything else.
    """
    if not isinstance(content, dict) or not set(SPLITS) <= set(content):
        what = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise IntegrityError(f"{label} holds {what:.200}; expected {', '.join(SPLITS)}")
    parts = []
    for name, split in SPLITS.items():
        held = vars(content[name]) if isinstance(content[name], SimCLRDataset) else {}
        tensors: Any = held.get("data_in")
        labels: Any = held.get("labels_in")
        properties: Any = held.get("properties")
        lists: list[Any] = [tensors, labels]
        if isinstance(properties, dict):
            lists += [properties.get(key) for key in NEEDED]
            lists += [properties[key] for key in PROPERTIES if key in properties]
        if not isinstance(properties, dict) or not all(
            isinstance(one, list) and len(one) == len(tensors or ()) for one in lists
        ):
            raise IntegrityError(
                f"{label}: {name} is no data set with data_in, labels_in and properties of one "
                f"length, {' and '.join(NEEDED)} among them; it has {', '.join(held)[:200] or 'no'}"
            )
        known = {key: properties[key] for key in (*PROPERTIES, NEEDED[1]) if key in properties}
        parts.append(Part(split=split, tensors=tensors, labels=labels, properties=known))
    return tuple(parts)


def snapshot_rows(parts: Sequence[Part], registered: ZooSpec) -> "pd.DataFrame":
    """Bring the three splits into one table, and add what the paper says of all models alike."""
    import pandas as pd

    tables = []
    for part in parts:
        runs, epochs = (
            zip(*map(run_and_epoch, part.labels), strict=True) if part.labels else ((), ())
        )
        table = pd.DataFrame({"run": runs, "epoch": np.array(epochs, int), "split": part.split})
        for key, name in PROPERTIES.items():
            if key in part.properties:
                table[name] = part.properties[key]
        tables.append(table)
    rows = pd.concat(tables, ignore_index=True)
    for axis in AXES:
        values = getattr(registered, axis)
        if axis not in rows and isinstance(values, tuple) and len(values) == 1:
            rows[axis] = values[0]
    rows = rows.drop(columns=[] if (rows["initialiser"] == "normal").any() else ["init_std"])
    rows.insert(0, "model", rows["run"].factorize()[0])
    return rows


def run_and_epoch(label: object) -> tuple[str, int]:
    """Read ``{path}#_#epoch_{e}#_#layer_{layers}``.

    Raises:
        IntegrityError: If it does not read so.
    """
    run, *fields = str(label).split(FIELD)
    epochs = [one.removeprefix(EPOCH) for one in fields if one.startswith(EPOCH)]
    if not run or len(epochs) != 1 or not re.fullmatch(r"\d{1,9}", epochs[0]):
        raise IntegrityError(
            f"a label reads {str(label)[:200]!r}, expected PATH{FIELD}{EPOCH}N{FIELD}layer_…"
        )
    return run, int(epochs[0])


def epoch_check(parts: Sequence[Part], rows: "pd.DataFrame") -> Check:
    """Hold the epoch in each label against the one its properties were taken at."""
    logged = [epoch for part in parts for epoch in part.properties[NEEDED[1]]]
    off = np.flatnonzero([one != epoch for one, epoch in zip(rows["epoch"], logged, strict=True)])
    detail = f"{len(rows)} labels and training_iteration agree"
    if len(off):
        first = rows.iloc[off[0]]
        detail = (
            f"{len(off)} of {len(rows)} labels are of another epoch than their properties, the "
            f"first is {first['run']}, epoch {first['epoch']}, training_iteration {logged[off[0]]}"
        )
    return passed("properties are of their epoch", detail, ok=not len(off))


def weight_blocks(source: Path, tensors: Sequence[object], params: int) -> Iterator[Block]:
    """Read the vectors, split after split, a few hundred at a time."""
    with found_file(source) as member, opened(member) as file:
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
