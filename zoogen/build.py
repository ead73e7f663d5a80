"""From a spec to a folder: plan shards, train the missing ones, join their rows, seal the zoo."""

import os
import platform
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten

from zoogen.atomic import write_text
from zoogen.card import CARD, zoo_card
from zoogen.configs import ModelConfig, Shards, model_configs, plan
from zoogen.errors import ZooError
from zoogen.folder import clear_half_written, clear_zoo, locked, refuse_foreign
from zoogen.images import ImageSet, load_images
from zoogen.manifest import FORMAT_VERSION, TABLE, Manifest, file_entry, write_manifest
from zoogen.progress import progress_bar
from zoogen.resume import holds_another, is_intact, is_whole, reopen, sealed_zoo
from zoogen.spec import ZooSpec
from zoogen.table import part_path, read_part, split_sha256, write_table
from zoogen.workers import Report, run_jobs


def build_zoo(
    spec: ZooSpec,
    folder: Path,
    *,
    models: int | None = None,
    device: str = "cpu",
    workers: int | None = None,
    overwrite: bool = False,
    image_root: Path | None = None,
) -> Manifest:
    """Train a zoo into a folder, or go on where an earlier build of it stopped.

    A finished zoo is left as it is; of a damaged one, what is lost is trained again. A second build
    of the same folder waits for the first.

    Args:
        spec: What to train.
        folder: Where; made if it is not there.
        models: How many of the planned models, from the first on; all by default. A later build
            with more models keeps the shards that are whole.
        device: Where to train, as torch names it.
        workers: Processes side by side; one per core by default, one on an accelerator.
        overwrite: Throw away a damaged zoo, or one of another spec or other images, that is in
            the folder; one of this spec is kept or resumed as ever.
        image_root: Folder that holds the public image sets, see ``zoogen.natural``.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        ZooError: If the device or the images are not there, the network does not fit the images,
            the folder holds something else, cannot be written or is full, or a worker dies.
            Finished shards stay and are used by the next call.
    """
    wanted = spec.models if models is None else models
    if not 1 <= wanted <= spec.models:
        raise ZooError(f"{wanted} models asked for, {spec.name} has 1 to {spec.models}")
    if workers is not None and workers < 1:
        raise ZooError(f"{workers} workers asked for, expected 1 or more")
    check_device(device)
    images = load_images(spec.images, image_root)
    check_network(spec, images)
    refuse_foreign(folder)
    with locked(folder):
        clear_half_written(folder)
        if overwrite and holds_another(folder, spec, images.checksum):
            clear_zoo(folder)
        manifest = sealed_zoo(folder, spec, images.checksum)
        if manifest is not None:
            wanted = max(wanted, manifest.models_built)
            if wanted == manifest.models_built and is_intact(folder, manifest):
                return manifest
            reopen(folder, manifest)
        shards = plan(spec, wanted)
        missing = [
            number
            for number, configs in shards.items()
            if not is_whole(folder, number, spec, configs, images.checksum)
        ]
        train(spec, shards, missing, images, folder, device=device, workers=workers)
        return seal(spec, folder, list(shards), images.checksum)


def check_device(device: str) -> None:
    """Refuse a device that torch cannot use here."""
    if device == "cpu":
        return
    import torch

    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        found = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        found += ["mps"] if torch.backends.mps.is_available() else []
        reason = shorten(str(error), 160, placeholder=" …")
        raise ZooError(
            f"device {device!r} cannot be used ({reason}); here are: {', '.join(found)}"
        ) from error


def check_network(spec: ZooSpec, images: ImageSet) -> None:
    """Refuse a network that does not take these images or has not their classes."""
    network = spec.network
    taken, given = (network.image_shape, network.classes), (images.image_shape, images.classes)
    if taken != given:
        takes, gives = (
            f"{'×'.join(map(str, shape))} pixels and {n} classes" for shape, n in (taken, given)
        )
        raise ZooError(f"{spec.name}: the network is made for {takes}, {spec.images} has {gives}")


def train(
    spec: ZooSpec,
    shards: Shards,
    missing: Sequence[int],
    images: ImageSet,
    folder: Path,
    *,
    device: str,
    workers: int | None,
) -> None:
    """Train the missing shards side by side and show how it goes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    most = workers or (cores or 1 if device == "cpu" else 1)
    job = partial(populate, spec=spec, shards=shards, images=images, folder=folder, device=device)
    to_show = {
        number: sum(image_steps(spec, config, images) for config in configs)
        for number, configs in shards.items()
    }
    done = sum(shown for number, shown in to_show.items() if number not in missing)
    bar = progress_bar(
        spec.name,
        things="models",
        total=sum(map(len, shards.values())),
        unit="images",
        steps=sum(to_show.values()),
        done=done,
    )
    with bar as report:
        run_jobs(job, missing, workers=min(most, max(1, len(missing))), report=report)


def image_steps(spec: ZooSpec, config: ModelConfig, images: ImageSet) -> int:
    """Return how many images a model is shown in its training, repetitions counted."""
    return spec.epochs * round(config.train_fraction * len(images.train_labels))


def populate(
    number: int,
    *,
    spec: ZooSpec,
    shards: Shards,
    images: ImageSet,
    folder: Path,
    device: str,
    report: Report,
) -> None:
    """Train one shard where torch is; it is imported in the workers alone."""
    from zoogen.populate import populate_shard

    populate_shard(spec, shards[number], images, folder, shard=number, device=device, report=report)


def seal(spec: ZooSpec, folder: Path, shards: Sequence[int], images_sha256: str) -> Manifest:
    """Join the parts into the table, then write card and manifest: from here on it is a zoo."""
    import pandas as pd

    rows, notes = zip(*(read_part(part_path(folder, number)) for number in shards), strict=True)
    table = pd.concat(rows, ignore_index=True)
    write_table(folder / TABLE, table)
    configs = model_configs(spec)
    starts = {config.start for config in configs}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        spec=spec,
        layout=spec.network.layout.shapes,
        models_planned=spec.models,
        models_built=sum(len(note.models) for note in notes),
        shared_starts=spec.group == "model" and len(starts) < len(configs),
        failures=tuple(failure for note in notes for failure in note.failures),
        images_sha256=images_sha256,
        split_sha256=split_sha256(spec),
        table=file_entry(folder, TABLE, len(table)),
        shards=tuple(note.weights for note in notes),
        versions={
            "zoogen": version("zoobench"),
            "torch": version("torch"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
    )
    write_text(folder / CARD, zoo_card(manifest, table))
    write_manifest(folder, manifest)
    parts = [part_path(folder, number) for number in shards]
    for part in parts:
        part.unlink()
    if not any(parts[0].parent.iterdir()):
        parts[0].parent.rmdir()
    return manifest
