"""Checks that every imported zoo must pass."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Float64, Int64

from zoogen.errors import ZooError
from zoogen.images.sets import images_at_hand, load_images
from zoogen.importers.foreign import Foreign, ForeignLayout
from zoogen.progress import progress_bar
from zoogen.spec.architectures import Network
from zoogen.spec.symmetry import permutation_index
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

    from zoogen.images.sets import ImageSet

SAMPLE = 64
"""Number of snapshots to evaluate again, each of a different model."""

ACCURACY_TOLERANCE = 1e-3
LOGIT_TOLERANCE = 1e-5
DRAWN_IMAGES = 16
AT_ONCE = 8


class FailedChecksError(ZooError):
    """An import that failed a check.

    Attributes:
        checks: Every check made, passed or not.
    """

    def __init__(self, name: str, checks: Sequence[Check]) -> None:
        super().__init__(name, checks)
        self.checks = checks

    def __str__(self) -> str:
        failed = [f"{one.name}: {one.detail}" for one in self.checks if one.outcome == "failed"]
        return f"{self.args[0]} was not imported and nothing was kept: {'; '.join(failed)}"


def passed(name: str, detail: str, *, ok: bool) -> Check:
    """Return a check that passed if ``ok`` and failed otherwise."""
    return Check(name=name, outcome="passed" if ok else "failed", detail=detail)


def row_checks(foreign: Foreign) -> list[Check]:
    """Check what needs no weights: models, epochs and splits."""
    rows = foreign.snapshots
    twice = rows[rows.duplicated(["model", "epoch"], keep=False)]
    unique = f"{len(rows)} snapshots of {rows['model'].nunique()} models"
    if len(twice):
        first = twice.iloc[0]
        which = f"{first['run']}, epoch {first['epoch']}"
        unique = f"{len(twice)} rows share a model and epoch, such as {which}"
    splits = rows.groupby("model")["split"].nunique()
    straddling = splits[splits > 1]
    counts = rows.drop_duplicates("model")["split"].value_counts()
    disjoint = ", ".join(f"{models} {split}" for split, models in counts.items())
    if len(straddling):
        run = rows["run"][rows["model"] == straddling.index[0]].iloc[0]
        disjoint = f"{len(straddling)} models are in several splits, such as {run}"
    return [
        passed("one row per model and epoch", unique, ok=not len(twice)),
        passed("no model in two splits", f"{disjoint}; {foreign.split}", ok=not len(straddling)),
    ]


def sampled_rows(rows: "pd.DataFrame") -> Int64[np.ndarray, " sample"]:
    """Draw one snapshot from each of up to ``SAMPLE`` models, always the same ones."""
    order = np.random.default_rng(0).permutation(len(rows))
    first = np.unique(rows["model"].to_numpy()[order], return_index=True)[1]
    return np.sort(order[np.sort(first)[:SAMPLE]])


def round_trip_check(
    stored: Float32[np.ndarray, "sample params"],
    original: Float32[np.ndarray, "sample params"],
    foreign: Foreign,
) -> Check:
    """Check that the stored tensors rebuild the original's vectors bit for bit."""
    slots = list(foreign.network.layout)
    tensors = [stored[:, slot.slice].reshape(-1, *slot.shape) for slot in slots]
    flat = np.concatenate([tensor.reshape(len(stored), -1) for tensor in tensors], axis=1)
    back = np.empty_like(original)
    back[:, foreign.layout.columns] = flat
    equal = (back.view(np.uint32) == original.view(np.uint32)).all(axis=1)
    detail = f"{equal.sum()} of {len(stored)} vectors equal the original bit for bit"
    return passed("weights as in the original", detail, ok=bool(equal.all()))


def permutation_check(
    original: Float32[np.ndarray, "sample params"],
    activations: Sequence[str],
    foreign: Foreign,
) -> Check:
    """Check that permuting hidden units in the original's layout leaves the outputs unchanged.

    Swapped kernel axes or a shifted slice would change them.
    """
    random = np.random.default_rng(0)
    layout: ForeignLayout = foreign.layout
    images = random.uniform(-1, 1, (DRAWN_IMAGES, *foreign.network.image_shape))
    orders = {hidden.name: random.permutation(hidden.units) for hidden in layout.hidden}
    index = permutation_index(layout.tensors, layout.hidden, orders)
    worst = 0.0
    for vector, activation in zip(original, activations, strict=True):
        first, second = (
            logits(foreign.network, activation, one[layout.columns], images)
            for one in (vector, vector[index])
        )
        worst = max(worst, float(np.abs(first - second).max() / (1 + np.abs(first).max())))
    units = sum(hidden.units for hidden in layout.hidden)
    detail = f"{units} units permuted, outputs differ by {worst:.1g}, {LOGIT_TOLERANCE:g} allowed"
    return passed("hidden units may be permuted", detail, ok=worst <= LOGIT_TOLERANCE)


def logits(
    network: Network,
    activation: str,
    vector: Float32[np.ndarray, " params"],
    images: Float64[np.ndarray, "images ..."],
) -> Float64[np.ndarray, "images classes"]:
    """Run one network in double precision."""
    import torch

    from zoogen.device import one_thread
    from zoogen.train.networks import torch_module

    module = torch_module(network, activation).double().eval()  # type: ignore[arg-type]
    flat = torch.from_numpy(vector.astype(np.float64))
    module.load_state_dict(
        {slot.name: flat[slot.slice].view(slot.shape) for slot in network.layout}
    )
    with torch.no_grad(), one_thread():
        return np.asarray(module(torch.from_numpy(images)).numpy())


def accuracy_check(
    stored: Float32[np.ndarray, "sample params"], rows: "pd.DataFrame", foreign: Foreign
) -> "tuple[Check, ImageSet | None, str]":
    """Check that the stored networks reach the original's accuracies on the test images.

    Returns:
        The check, the images used, if any, and their name.
    """
    name = "accuracy measured again"
    only = foreign.images[0] if len(foreign.images) == 1 else "unknown"
    available = [one for one in foreign.images if images_at_hand(one)] if foreign.measure else []
    if not available:
        known = (
            f"{' or '.join(foreign.images)} not available" if foreign.images else "not published"
        )
        way = f"images {known}; pass them with --images, or set ZOOGEN_IMAGES to their folder"
        detail = way if foreign.measure else "as requested"
        return Check(name=name, outcome="not checked", detail=detail), None, only
    tried = []
    for images in available:
        found = load_images(images)
        if found.image_shape != foreign.network.image_shape:
            raise ZooError(
                f"{images} has images of shape {found.image_shape}, {foreign.name} needs "
                f"{foreign.network.image_shape}"
            )
        again = accuracies(foreign.network, stored, list(rows["activation"]), found)
        off = np.abs(again - rows["test_accuracy"].to_numpy())
        tried.append((float(off.max()), images, found, int(off.argmax()), again))
    worst, images, found, place, again = min(tried, key=lambda one: one[0])
    allowed = max(ACCURACY_TOLERANCE, 1.5 / len(found.test_labels))
    row = rows.iloc[place]
    detail = f"{len(rows)} models on {images}, off by at most {worst:.1g}"
    if worst > allowed:
        detail += (
            f" ({row['run']}, epoch {row['epoch']}: {row['test_accuracy']:.4f} stored, "
            f"{again[place]:.4f} measured), {allowed:g} allowed; if the original used other "
            "images, pass those with --images"
        )
    return passed(name, detail, ok=worst <= allowed), found, images


def accuracies(
    network: Network,
    vectors: Float32[np.ndarray, "sample params"],
    activations: Sequence[str],
    images: "ImageSet",
) -> Float64[np.ndarray, " sample"]:
    """Measure the test accuracy of each vector, a few networks at a time."""
    import torch

    from zoogen.device import one_thread
    from zoogen.train.measure import predictions_and_loss
    from zoogen.train.networks import runs_of

    shown, labels = torch.from_numpy(images.test_images), torch.from_numpy(images.test_labels)
    order = np.argsort(np.array(activations), kind="stable")
    measured = np.empty(len(vectors))
    with (
        torch.no_grad(),
        one_thread(),
        progress_bar("accuracy", things="models", total=len(order), unit="models") as report,
    ):
        for first in range(0, len(order), AT_ONCE):
            some = order[first : first + AT_ONCE]
            flat = torch.from_numpy(vectors[some])
            stack = {
                slot.name: flat[:, slot.slice].reshape(-1, *slot.shape) for slot in network.layout
            }
            runs = runs_of(activations[place] for place in some)
            predicted, _ = predictions_and_loss(network, stack, shown, labels, runs)
            measured[some] = (predicted == labels).double().mean(1).numpy()
            report(len(some))
    return measured
