"""From a spec to a folder: plan shards, train the missing ones, join their rows, seal the zoo."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from zoogen.build.cluster import AGAIN, RemoteJob, check_processor, run_on_cluster
from zoogen.build.resume import (
    holds_another,
    is_intact,
    missing_shards,
    path_of_parts,
    reopen,
    sealed_zoo,
)
from zoogen.build.seal import seal
from zoogen.build.workers import ATTEMPTS, run_jobs
from zoogen.device import check_device, cores
from zoogen.errors import ZooError
from zoogen.images.mapped import MappedImages, mapped
from zoogen.images.sets import ImageSet, load_images
from zoogen.locks import locked
from zoogen.progress import Report, progress_bar
from zoogen.spec.configs import ModelConfig, Shards, plan
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.folder import clear_half_written, clear_zoo, refuse_foreign
from zoogen.store.manifest import Manifest
from zoogen.store.table import TrainingPath, part_path
from zoogen.train.paths import path_to_take

if TYPE_CHECKING:
    from zoogen.build.shard import TrainedShard


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Where shards train, see ``build_zoo``.

    Raises:
        ZooError: If there are too few workers or the device does not exist.
    """

    device: str | None
    workers: int | None
    cluster: str | None
    tf32: bool

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ZooError(f"{self.workers} workers asked for, expected 1 or more")
        if self.cluster is None:
            check_device(self.device, tf32=self.tf32)
        else:
            check_processor(self.device, tf32=self.tf32)


def build_zoo(  # noqa: PLR0913, each is an option of the command
    spec: ZooSpec,
    folder: Path,
    *,
    models: int | None = None,
    device: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    tf32: bool = False,
    overwrite: bool = False,
    image_root: Path | None = None,
) -> Manifest:
    """Train a zoo into a folder, or continue an earlier build.

    A finished zoo is not changed. In a damaged one, the lost models are trained again. A second
    build of the same folder waits for the first.

    Args:
        spec: Spec of the zoo.
        folder: Folder of the zoo; created if it does not exist.
        models: Number of models to train, from the first on; by default all. A later build with
            more models keeps the full shards.
        device: Device to train on, as named by torch; by default the CPU. On a cluster, by default
            GPUs if there are any, unless the build was started with kernels.
        workers: Number of shards to train side by side; by default one per core, one on a GPU, and
            on a cluster as many as it can run.
        cluster: Address of a Ray cluster that trains instead of this machine, see
            ``zoogen.ray_cluster``.
        tf32: Whether a GPU may round factors to ten bits of mantissa, which is faster.
        overwrite: Whether to delete a damaged zoo, or one of another spec or other images, in the
            folder. A zoo of this spec is still kept or resumed.
        image_root: Folder of the public image sets, see ``zoogen.load_images``.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        ZooError: If the device or the images are missing, the network does not fit the images, the
            folder holds something else, cannot be written or is full, the cluster cannot be
            reached, or the workers on a shard die repeatedly. The next call uses the finished
            shards.

    Example:
        >>> from pathlib import Path
        >>> import zoogen
        >>> spec = zoogen.zoo_spec("tetris-seed")
        >>> manifest = zoogen.build_zoo(spec, Path("few"), models=8, workers=1)
        >>> manifest.models_built, manifest.models_planned
        (8, 1000)
    """
    wanted = spec.models if models is None else models
    if not 1 <= wanted <= spec.models:
        raise ZooError(f"{wanted} models asked for, {spec.name} has 1 to {spec.models}")
    machines = Machines(device=device, workers=workers, cluster=cluster, tf32=tf32)
    images = load_images(spec.images, image_root)
    check_network(spec, images)
    checksum = images.checksum
    refuse_foreign(folder)
    with locked(folder):
        clear_half_written(folder)
        if overwrite and holds_another(folder, spec, checksum):
            clear_zoo(folder)
        manifest = sealed_zoo(folder, spec, checksum)
        if manifest is not None:
            wanted = max(wanted, manifest.models_built)
            if wanted == manifest.models_built and is_intact(folder, manifest):
                return manifest
            reopen(folder, manifest, checksum)
        shards = plan(spec, wanted)
        missing = missing_shards(folder, spec, shards, checksum)
        begun = path_of_parts(folder)
        if device is None and begun == "kernels":
            machines = replace(machines, device="cpu")
        path = path_to_take(spec.network, machines.device or "cpu", begun, folder)
        with (
            shard_bar(spec, shards, missing, images) as report,
            images_for(missing, images, folder, cluster=cluster) as shown,
        ):
            del images
            lost = train(
                partial(train_one, spec=spec, shards=shards, images=shown, path=path, tf32=tf32),
                missing,
                partial(write_one, spec=spec, folder=folder, images_sha256=checksum),
                machines,
                report=report,
            )
        refuse_lost(spec, shards, lost)
        return seal(spec, folder, list(shards), checksum)


@contextmanager
def images_for(
    shards: Sequence[int], images: ImageSet, folder: Path, *, cluster: str | None
) -> Iterator[ImageSet | MappedImages]:
    """Yield images to train shards on: in files if several processes of this machine train."""
    if cluster is not None or len(shards) < 2:
        yield images
        return
    with mapped(images, part_path(folder, 0).parent) as files:
        del images
        yield files


def check_network(spec: ZooSpec, images: ImageSet) -> None:
    """Refuse a network whose input or number of classes does not fit the images."""
    network = spec.network
    taken, given = (network.image_shape, network.classes), (images.image_shape, images.classes)
    if taken != given:
        takes, gives = (
            f"{'×'.join(map(str, shape))} pixels and {n} classes" for shape, n in (taken, given)
        )
        raise ZooError(
            f"{spec.name}: the network is made for {takes}, {spec.images} has {gives}; "
            "change the network or the images"
        )
    fraction, train = min(spec.train_fraction), len(images.train_labels)
    if round(fraction * train) < 1:
        raise ZooError(
            f"{spec.name}: train_fraction {fraction} of {train} train images is less than one "
            "image; raise it"
        )


def train(
    job: RemoteJob,
    missing: Sequence[int],
    write: Callable[[int, "TrainedShard"], None],
    machines: Machines,
    *,
    report: Report,
) -> list[int]:
    """Train and write the missing shards side by side; return those given up."""
    if machines.cluster is not None:
        return run_on_cluster(
            job,
            missing,
            write,
            address=machines.cluster,
            device=machines.device,
            tf32=machines.tf32,
            workers=machines.workers,
            report=report,
        )
    device = "cpu" if machines.device is None else machines.device
    workers = machines.workers or (cores() if device.startswith("cpu") else 1)
    work = partial(train_and_write, train=job, write=write, device=device)
    return run_jobs(work, missing, workers=workers, report=report)


def refuse_lost(spec: ZooSpec, shards: Shards, lost: Sequence[int]) -> None:
    """Refuse to seal a zoo from which shards are lost; the message names them."""
    if not lost:
        return
    numbers = shorten(", ".join(map(str, sorted(lost))), 80, placeholder=" …")
    models = (f"{shards[number][0].model}–{shards[number][-1].model}" for number in sorted(lost))
    raise ZooError(
        f"{spec.name} lacks {len(lost)} of {len(shards)} shards ({numbers}; models "
        f"{shorten(', '.join(models), 160, placeholder=' …')}): a worker died {ATTEMPTS} times on "
        "each, probably for lack of memory. The other shards are finished and kept: "
        f"{AGAIN}; fewer --workers leave more memory for each"
    )


def shard_bar(
    spec: ZooSpec, shards: Shards, missing: Sequence[int], images: ImageSet
) -> AbstractContextManager[Report]:
    """Return a bar of trained images, including those of finished shards."""
    steps = {
        number: sum(image_steps(spec, config, images) for config in configs)
        for number, configs in shards.items()
    }
    return progress_bar(
        spec.name,
        things="models",
        total=sum(map(len, shards.values())),
        unit="images",
        steps=sum(steps.values()),
        done=sum(count for number, count in steps.items() if number not in missing),
    )


def image_steps(spec: ZooSpec, config: ModelConfig, images: ImageSet) -> int:
    """Return the number of images that a model trains on, with repetitions."""
    return spec.epochs * round(config.train_fraction * len(images.train_labels))


def train_and_write(
    number: int,
    *,
    train: RemoteJob,
    write: Callable[[int, "TrainedShard"], None],
    device: str,
    report: Report,
) -> None:
    """Train one shard and write it in the same process."""
    write(number, train(number, device=device, report=report))


def train_one(
    number: int,
    *,
    spec: ZooSpec,
    shards: Shards,
    images: ImageSet | MappedImages,
    path: TrainingPath,
    device: str,
    tf32: bool,
    report: Report,
) -> "TrainedShard":
    """Train one shard in a worker; only workers import torch."""
    refuse_unusable(device, tf32=tf32)
    from zoogen.build.shard import train_shard

    shown = images.open() if isinstance(images, MappedImages) else images
    path = path_to_take(spec.network, device, path if device.startswith("cpu") else None, "the zoo")
    return train_shard(
        spec, shards[number], shown, path=path, device=device, tf32=tf32, report=report
    )


def refuse_unusable(device: str, *, tf32: bool) -> None:
    """Refuse a GPU that the cluster offers and torch cannot use."""
    try:
        check_device(device, tf32=tf32)
    except ZooError as error:
        raise ZooError(
            f"{socket.gethostname()}: {error}; remove its GPUs from the cluster, or train on "
            "cores with --device cpu"
        ) from error


def write_one(
    number: int, trained: "TrainedShard", *, spec: ZooSpec, folder: Path, images_sha256: str
) -> None:
    """Write one trained shard."""
    from zoogen.build.shard import write_trained

    write_trained(spec, trained, folder, shard=number, images_sha256=images_sha256)
