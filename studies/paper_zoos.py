"""Build the paper's CNN zoos, one after another; this takes hours to days.

    python -m studies.paper_zoos build [--digits FILE]
    python -m studies.paper_zoos report

``build`` resumes where it was stopped. SVHN is large: its zoos are built on the digits in FILE
instead, a ``.npz`` with ``images`` (grey, 32×32, uint8) and ``labels``, under names of their own.
Run it from a checkout that does not change, with both cores, or ``--workers 1`` beside other work.
"""

import argparse
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from time import strftime

import numpy as np

from zoogen import ZooSpec, build_zoo, zoo_folder, zoo_spec
from zoogen.errors import ZooError
from zoogen.images.natural import centre
from zoogen.load.locate import is_built
from zoogen.places import cache_folder
from zoogen.store.manifest import read_manifest
from zoogen.store.table import part_path, read_part, read_table

WHOLE = (
    "mnist-seed",
    "fashion-seed",
    "mnist-hyp-1-rand-seed",
    "mnist-hyp-1-fix-seed",
    "mnist-hyp-5-rand-seed",
    "mnist-hyp-5-fix-seed",
)
SEARCHES = ("mnist-hyp", "fashion-hyp", "cifar10-hyp", "svhn-hyp")
SEARCH_MODELS, SEARCH_EPOCHS = 1000, 20
ON_DIGITS = {"svhn-seed": 28, "svhn-hyp": 32}
"""Zoos of SVHN, and the side of their images."""
DIGITS_TRAIN = 8000


@dataclass(frozen=True)
class Planned:
    """A zoo to build: its spec and the number of models."""

    spec: ZooSpec
    models: int

    @property
    def folder(self) -> Path:
        """Folder of the zoo."""
        return zoo_folder(self.spec.name)


def on_digits(spec: ZooSpec) -> ZooSpec:
    """Return the spec of an SVHN zoo on a few digits, under a name that says so."""
    side = ON_DIGITS[spec.name]
    return replace(
        spec,
        name=f"{spec.name}-10k",
        images=digits_file(side),
        source=f"{spec.source}, on 10 000 digits of the test set",
    )


def digits_folder() -> Path:
    """Return the folder of the digits; zoos are built there, since specs hold only file names."""
    return cache_folder() / "own-images"


def digits_file(side: int) -> str:
    """Return the name of the file with digits of one size."""
    return f"svhn-10k-{side}.npz"


def lay_out_digits(source: Path) -> None:
    """Save the digits of ``source`` in the format of the zoos."""
    with np.load(source) as digits:
        images, labels = digits["images"], digits["labels"]
    for side in ON_DIGITS.values():
        cut = centre(images[:, None], side)
        np.savez(
            digits_folder() / digits_file(side),
            train_images=cut[:DIGITS_TRAIN],
            train_labels=labels[:DIGITS_TRAIN],
            test_images=cut[DIGITS_TRAIN:],
            test_labels=labels[DIGITS_TRAIN:],
        )


def searched(name: str) -> ZooSpec:
    """Return the spec of a random search with fewer epochs, under a name that says so."""
    spec = on_digits(zoo_spec(name)) if name in ON_DIGITS else zoo_spec(name)
    return replace(spec.with_epochs(SEARCH_EPOCHS), name=f"{spec.name}-{SEARCH_EPOCHS}-epochs")


def queue() -> Iterator[Planned]:
    """Yield the zoos in the order of building."""
    for name in WHOLE:
        yield Planned(zoo_spec(name), zoo_spec(name).models)
    yield Planned(on_digits(zoo_spec("svhn-seed")), zoo_spec("svhn-seed").models)
    for name in SEARCHES:
        yield Planned(searched(name), SEARCH_MODELS)


def build(workers: int | None) -> None:
    """Build whatever is missing."""
    for planned in queue():
        print(f"{strftime('%H:%M')} {planned.spec.name}: {planned.models} models", flush=True)
        try:
            with chdir(digits_folder()):
                build_zoo(planned.spec, planned.folder, models=planned.models, workers=workers)
        except ZooError as error:
            print(f"{planned.spec.name} skipped: {error}", flush=True)


def report() -> None:
    """Print the progress of each zoo and the range of its test accuracies."""
    for planned in queue():
        models, accuracies = finished(planned.folder)
        spans = f"{accuracies.min():.3f} to {accuracies.max():.3f}" if models else ""
        print(f"{planned.spec.name:24} {models:5} of {planned.models:5} models  {spans}")


def finished(folder: Path) -> tuple[int, np.ndarray]:
    """Return the number of finished models of a zoo, and all their test accuracies."""
    if is_built(folder):
        manifest = read_manifest(folder)
        table = read_table(folder, manifest, ["test_accuracy"])
        return manifest.models_built, table["test_accuracy"].to_numpy()
    parts = [read_part(part) for part in sorted(part_path(folder, 0).parent.glob("*.parquet"))]
    accuracies = [rows["test_accuracy"].to_numpy() for rows, _ in parts]
    models = sum(len(notes.models) for _, notes in parts)
    return models, np.concatenate(accuracies) if parts else np.empty(0)


def main() -> None:
    """Build or report."""
    parser = argparse.ArgumentParser(prog="python -m studies.paper_zoos", description=__doc__)
    parser.add_argument("action", choices=("build", "report"))
    parser.add_argument("--digits", type=Path, help="digits of SVHN to lay out first")
    parser.add_argument("--workers", type=int, help="processes side by side; by default all cores")
    chosen = parser.parse_args()
    digits_folder().mkdir(parents=True, exist_ok=True)
    if chosen.digits:
        lay_out_digits(chosen.digits)
    if chosen.action == "build":
        build(chosen.workers)
    else:
        report()


if __name__ == "__main__":
    main()
