"""From a spec to a folder: plan shards, train the missing ones, join their rows, seal the zoo."""

import logging
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from zoogen.atomic import sha256_of, write_text
from zoogen.card import CARD, zoo_card
from zoogen.configs import ModelConfig, model_configs
from zoogen.errors import ZooError
from zoogen.images import load_images
from zoogen.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    TABLE,
    Manifest,
    file_entry,
    read_manifest,
    write_manifest,
)
from zoogen.progress import progress_bar
from zoogen.shards import shard_name
from zoogen.spec import ZooSpec
from zoogen.table import ShardNotes, part_path, read_notes, read_part, split_sha256, write_table
from zoogen.workers import Report, run_jobs

LOCK = ".lock"
WEIGHTS = Path(shard_name(0)).parent.name
PARTS = part_path(Path(), 0).parent.name
OURS = {MANIFEST, TABLE, CARD, WEIGHTS, PARTS, LOCK}

Shards = dict[int, tuple[ModelConfig, ...]]

log = logging.getLogger(__name__)


def build_zoo(
    spec: ZooSpec,
    folder: Path,
    *,
    models: int | None = None,
    device: str = "cpu",
    workers: int | None = None,
    overwrite: bool = False,
) -> Manifest:
    """Train a zoo into a folder, or go on where an earlier build of it stopped.

    A finished zoo is left as it is. A second build of the same folder waits for the first.

    Args:
        spec: What to train.
        folder: Where; made if it is not there.
        models: How many of the planned models, from the first on; all by default. A later build
            with more models keeps the shards that are whole.
        device: Where to train, as torch names it.
        workers: Processes side by side; one per core by default, one on an accelerator.
        overwrite: Throw away what an earlier build of another spec left in the folder.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        ZooError: If the device is not there, the folder holds something else, cannot be written
            or is full, or a worker dies. Finished shards stay and are used by the next call.
    """
    wanted = spec.models if models is None else models
    if not 1 <= wanted <= spec.models:
        raise ZooError(f"{wanted} models asked for, {spec.name} has 1 to {spec.models}")
    check_device(device)
    with locked(folder):
        prepare(folder, overwrite=overwrite)
        manifest = finished(folder, spec, wanted)
        if manifest is not None:
            return manifest
        shards = plan(spec, wanted)
        images_sha256 = load_images(spec.images).checksum
        missing = [
            number
            for number, configs in shards.items()
            if not is_whole(folder, number, spec, configs, images_sha256)
        ]
        train(spec, shards, missing, folder, device=device, workers=workers)
        return seal(spec, folder, list(shards), images_sha256)


def plan(spec: ZooSpec, models: int) -> Shards:
    """Cut the first ``models`` of a zoo into shards."""
    configs = model_configs(spec)[:models]
    size = spec.models_per_shard
    return {at // size: configs[at : at + size] for at in range(0, models, size)}


def check_device(device: str) -> None:
    """Refuse a device that torch cannot use here."""
    if device == "cpu":
        return
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        found = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        reason = str(error).splitlines()[0]
        raise ZooError(
            f"device {device!r} cannot be used ({reason}); here are: {', '.join(['cpu', *found])}"
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other builds out of the folder; wait while one is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another build is writing %s, waiting for it to end", folder)
            lock.acquire()
    except OSError as error:
        reason = error.strerror or error
        raise ZooError(f"cannot write to {folder}: {reason}; choose another with --out") from error
    try:
        yield
    finally:
        lock.release()


def prepare(folder: Path, *, overwrite: bool) -> None:
    """Clear what a killed build left half-written, and with ``overwrite`` all that is ours."""
    for path in [*folder.glob(".*.[0-9]*"), *folder.glob("*/.*.[0-9]*")]:
        path.unlink()
    strange = sorted(path.name for path in folder.iterdir() if path.name not in OURS)
    if strange:
        raise ZooError(
            f"{folder} is not a zoo's folder: it holds {strange[0]}; choose another with --out"
        )
    if overwrite:
        (folder / MANIFEST).unlink(missing_ok=True)
        for name in (TABLE, CARD):
            (folder / name).unlink(missing_ok=True)
        for name in (PARTS, WEIGHTS):
            shutil.rmtree(folder / name, ignore_errors=True)


def finished(folder: Path, spec: ZooSpec, wanted: int) -> Manifest | None:
    """Return the manifest if the folder holds all that is wanted; open a smaller zoo again."""
    if not (folder / MANIFEST).exists():
        return None
    manifest = read_manifest(folder)
    refuse_other_spec(folder, manifest.spec, spec)
    if manifest.models_built >= wanted:
        return manifest
    reopen(folder, manifest)
    return None


def refuse_other_spec(folder: Path, found: ZooSpec, spec: ZooSpec) -> None:
    """Name the first field in which two specs differ."""
    for field, value in vars(spec).items():
        if field in vars(found) and vars(found)[field] != value:
            raise ZooError(
                f"{folder} holds {found.name} with {field} {vars(found)[field]}, not {value}; "
                "build it elsewhere with --out, or replace it with --overwrite"
            )


def reopen(folder: Path, manifest: Manifest) -> None:
    """Turn a finished partial zoo back into parts, so that more models can join it."""
    import pandas as pd

    rows = pd.read_parquet(folder / TABLE)
    (folder / MANIFEST).unlink()
    shards = plan(manifest.spec, manifest.models_built)
    for (number, configs), entry in zip(shards.items(), manifest.shards, strict=True):
        models = tuple(config.model for config in configs)
        notes = ShardNotes(
            spec=manifest.spec,
            images_sha256=manifest.images_sha256,
            models=models,
            failures=tuple(one for one in manifest.failures if one.model in models),
            weights=entry,
        )
        write_table(part_path(folder, number), rows[rows["shard"] == number], notes)


def is_whole(
    folder: Path, number: int, spec: ZooSpec, configs: Sequence[ModelConfig], images_sha256: str
) -> bool:
    """Tell whether an earlier build finished this very shard, by its notes and its hash."""
    notes = read_notes(part_path(folder, number))
    if notes is None:
        return False
    refuse_other_spec(folder, notes.spec, spec)
    path = folder / notes.weights.file
    return (
        notes.images_sha256 == images_sha256
        and notes.models == tuple(config.model for config in configs)
        and path.is_file()
        and sha256_of(path) == notes.weights.sha256
    )


def train(
    spec: ZooSpec,
    shards: Shards,
    missing: Sequence[int],
    folder: Path,
    *,
    device: str,
    workers: int | None,
) -> None:
    """Train the missing shards side by side and show how it goes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    most = workers or (cores or 1 if device == "cpu" else 1)
    job = partial(populate, spec=spec, shards=shards, folder=folder, device=device)
    models = sum(map(len, shards.values()))
    done = models - sum(len(shards[number]) for number in missing)
    bar = progress_bar(
        spec.name, things="models", total=models, unit="snapshots", per=spec.epochs, done=done
    )
    with bar as report:
        run_jobs(job, missing, workers=min(most, max(1, len(missing))), report=report)


def populate(
    number: int, *, spec: ZooSpec, shards: Shards, folder: Path, device: str, report: Report
) -> None:
    """Train one shard where torch is; it is imported in the workers alone."""
    from zoogen.populate import populate_shard

    images = load_images(spec.images)
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
    shutil.rmtree(folder / PARTS)
    return manifest
