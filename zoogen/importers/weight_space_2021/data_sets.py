"""The pickled data sets in a ``.pt`` file of the 2021 paper: one per split."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.pickles import VALUES, Record, RefusedGlobalError, Tensor
from zoogen.importers.sources import CHUNK, GIB, Digests, Member, members
from zoogen.importers.torch_files import Limits, TorchFile
from zoogen.spec.layout import Layout

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
"""Our zoo for each published file."""

LARGEST_FILE = 16 * GIB
"""The largest published files hold 32 000 snapshots of 2464 numbers twice, 0.6 GB."""

SPLITS = {"trainset": "train", "valset": "validation", "testset": "test"}
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
"""Our name for each property."""

ITERATION = "training_iteration"
NEEDED = ("test_acc", ITERATION)
GOOGLE = "checkpoints_to_datasets.dataset_google_simclr"


class SimCLRDataset(Record):
    """Stands for the authors' class, which holds one split."""


KNOWN: Mapping[str, Any] = {
    **VALUES,
    "checkpoints_to_datasets.dataset_simclr.SimCLRDataset": SimCLRDataset,
    "checkpoints_to_datasets.random_erasing.RandomErasingVector": Record,
}


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One split as pickled: entry i of each list describes snapshot i."""

    split: str
    tensors: Sequence[object]
    labels: Sequence[object]
    properties: Mapping[str, Sequence[Any]]


@contextmanager
def find_file(source: Path) -> Iterator[Member]:
    """Find the only ``.pt`` file of a source, which may be that file itself.

    Raises:
        ZooError: If there is none, or more than one.
    """
    if source.suffix == ".pt" and source.is_file():
        with source.open("rb") as stream:
            yield Member(source, source.name, source.stat().st_size, stream)
        return
    found = members(source, lambda name: name.endswith(".pt") and "/._" not in f"/{name}")
    member = next(found, None)
    if member is None:
        raise ZooError(f"{source} has no .pt file; expected one such as {next(iter(FILES))}.pt")
    yield member
    other = next(found, None)
    if other is not None:
        raise ZooError(f"{source} has {member.name} and {other.name}; import one file at a time")


@contextmanager
def open_copy(member: Member) -> Iterator[TorchFile]:
    """Copy a file out of its source, so that tensors can be read in any order, and open it.

    Raises:
        ZooError: If there is no room for the copy.
        IntegrityError: If the file is larger than ``LARGEST_FILE``, or not from ``torch.save``.
    """
    if member.size > LARGEST_FILE:
        raise IntegrityError(f"{member} has {member.size} bytes, expected at most {LARGEST_FILE}")
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


def read_data_sets(member: Member, layout: Layout, digests: Digests) -> tuple[DataSet, ...]:
    """Read the three splits, without their tensors.

    Raises:
        RefusedGlobalError: If the pickle asks for more than the data sets 01 to 31 need.
        IntegrityError: If the file holds anything else, or tensors of another layout.
    """
    with open_copy(member) as file:
        digests.add(Path(member.name).name, member.sha256)
        content = load_content(file)
        sets = data_sets_of(content, member)
        for name in SPLITS:
            check_template(vars(content[name]).get("checkpoint_base"), layout, f"{member}: {name}")
        return sets


def load_content(file: TorchFile) -> Any:
    """Load the pickle; explain what to do if it is one of the data sets 41 to 44.

    Raises:
        RefusedGlobalError: If it asks for more than the data sets 01 to 31 need.
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


def data_sets_of(content: Any, label: object) -> tuple[DataSet, ...]:
    """Check that a pickle holds three data sets, each with lists of equal length.

    Raises:
        IntegrityError: If it holds anything else.
    """
    if not isinstance(content, dict) or not set(SPLITS) <= set(content):
        what = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise IntegrityError(f"{label} holds {what:.200}; expected {', '.join(SPLITS)}")
    sets = []
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
                f"{label}: {name} has {', '.join(held)[:200] or 'nothing'}; expected data_in, "
                f"labels_in and properties of equal length, with {' and '.join(NEEDED)}"
            )
        known = {key: properties[key] for key in (*PROPERTIES, ITERATION) if key in properties}
        sets.append(DataSet(split=split, tensors=tensors, labels=labels, properties=known))
    return tuple(sets)


def check_template(base: Any, layout: Layout, label: str) -> None:
    """Check the ``state_dict`` stored beside the vectors, if any, against the layout.

    Raises:
        IntegrityError: If its tensors have other shapes.
    """
    if base is None:
        return
    tensors = base.values() if isinstance(base, dict) else [base]
    found = [list(one.shape) if isinstance(one, Tensor) else type(one).__name__ for one in tensors]
    wanted = [list(slot.shape) for slot in layout]
    if found != wanted:
        raise IntegrityError(f"{label} has tensors {str(found)[:300]}, expected {wanted}")
