"""From a spec to a folder: plan shards, train the missing ones, join their rows, seal the zoo."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from zoogen.build.cluster import RemoteJob, check_processor, refuse_unusable, run_on_cluster
from zoogen.build.resume import holds_another, is_intact, is_whole, path_begun, reopen, sealed_zoo
from zoogen.build.seal import seal
from zoogen.build.workers import ATTEMPTS, run_jobs
from zoogen.errors import ZooError
from zoogen.images.mapped import MappedImages, mapped
from zoogen.images.sets import ImageSet, load_images
from zoogen.progress import Report, progress_bar
from zoogen.spec.configs import ModelConfig, Shards, plan
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.folder import clear_half_written, clear_zoo, locked, refuse_foreign
from zoogen.store.manifest import Manifest
from zoogen.store.table import TrainingPath, part_path
from zoogen.train.device import check_device, cores
from zoogen.train.paths import path_to_take

if TYPE_CHECKING:
    from zoogen.build.shard import TrainedShard


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
    """Train a zoo into a folder, or go on where an earlier build of it stopped.

    A finished zoo is left as it is; of a damaged one, what is lost is trained again. A second build
    of the same folder waits for the first.

    Args:
        spec: What to train.
        folder: Where; made if it is not there.
        models: How many of the planned models, from the first on; all by default. A later build
            with more models keeps the shards that are whole.
        device: Where to train, as torch names it; by default the CPU, or the GPUs of a cluster for
            what was not begun with kernels.
        workers: Shards side by side; by default one per core, one on an accelerator, and on a
            cluster what it holds.
        cluster: Address of a Ray cluster that trains in place of this machine, see
            ``zoogen.ray_cluster``.
        tf32: Let a GPU round factors to ten bits of mantissa, which is faster.
        overwrite: Throw away a damaged zoo, or one of another spec or other images, that is in
            the folder; one of this spec is kept or resumed as ever.
        image_root: Folder that holds the public image sets, see ``zoogen.images.natural``.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        ZooError: If the device or the images are not there, the network does not fit the images,
            the folder holds something else, cannot be written or is full, the cluster cannot be
            reached, or the workers on a shard die again and again. Finished shards stay and are
            used by the next call.
    """
    wanted = spec.models if models is None else models
    if not 1 <= wanted <= spec.models:
        raise ZooError(f"{wanted} models asked for, {spec.name} has 1 to {spec.models}")
    if workers is not None and workers < 1:
        raise ZooError(f"{workers} workers asked for, expected 1 or more")
    if cluster is None:
        check_device(device, tf32=tf32)
    else:
        check_processor(device, tf32=tf32)
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
            reopen(folder, manifest, images.checksum)
        shards = plan(spec, wanted)
        missing = [
            number
            for number, configs in shards.items()
            if not is_whole(folder, number, spec, configs, images.checksum)
        ]
        begun = path_begun(folder)
        device = "cpu" if device is None and begun == "kernels" else device
        path = path_to_take(spec.network, device or "cpu", begun, folder)
        checksum = images.checksum
        with (
            shard_bar(spec, shards, missing, images) as report,
            at_hand(images, folder, beside=cluster is None and len(missing) > 1) as shown,
        ):
            del images
            lost = train(
                partial(train_one, spec=spec, shards=shards, images=shown, path=path, tf32=tf32),
                missing,
                partial(keep, spec=spec, folder=folder, images_sha256=checksum),
                device=device,
                tf32=tf32,
                workers=workers,
                cluster=cluster,
                report=report,
            )
        if lost:
            raise ZooError(missing_shards(spec, shards, lost))
        return seal(spec, folder, list(shards), checksum)


@contextmanager
def at_hand(images: ImageSet, folder: Path, *, beside: bool) -> Iterator[ImageSet | MappedImages]:
    """Give images to those who train: in files where several processes train side by side."""
    if not beside:
        yield images
        return
    with mapped(images, part_path(folder, 0).parent) as files:
        del images
        yield files


def check_network(spec: ZooSpec, images: ImageSet) -> None:
    """Refuse a network that does not take these images or has not their classes."""
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
            f"{spec.name}: train_fraction {fraction} of {train} train images is none; raise it"
        )


def train(
    job: RemoteJob,
    missing: Sequence[int],
    keep: Callable[[int, "TrainedShard"], None],
    *,
    device: str | None,
    tf32: bool,
    workers: int | None,
    cluster: str | None,
    report: Report,
) -> list[int]:
    """Train the missing shards side by side, here or on a cluster; return those given up."""
    if cluster is not None:
        return run_on_cluster(
            job,
            missing,
            keep,
            address=cluster,
            device=device,
            tf32=tf32,
            workers=workers,
            report=report,
        )
    here = "cpu" if device is None else device
    most = workers or (cores() if here.startswith("cpu") else 1)
    work = partial(populate, train=job, keep=keep, device=here)
    return run_jobs(work, missing, workers=most, report=report)


def missing_shards(spec: ZooSpec, shards: Shards, lost: Sequence[int]) -> str:
    """Name what was given up, and the way to it."""
    numbers = shorten(", ".join(map(str, sorted(lost))), 80, placeholder=" …")
    runs = (f"{shards[number][0].model}–{shards[number][-1].model}" for number in sorted(lost))
    return (
        f"{spec.name} lacks {len(lost)} of {len(shards)} shards ({numbers}; models "
        f"{shorten(', '.join(runs), 160, placeholder=' …')}): a worker died {ATTEMPTS} times on "
        "each, most likely for want of memory. All others are finished and kept; the same command "
        "goes on with these, fewer --workers leave more memory to each"
    )


def shard_bar(
    spec: ZooSpec, shards: Shards, missing: Sequence[int], images: ImageSet
) -> AbstractContextManager[Report]:
    """Show images trained on, those of finished shards included."""
    to_show = {
        number: sum(image_steps(spec, config, images) for config in configs)
        for number, configs in shards.items()
    }
    return progress_bar(
        spec.name,
        things="models",
        total=sum(map(len, shards.values())),
        unit="images",
        steps=sum(to_show.values()),
        done=sum(shown for number, shown in to_show.items() if number not in missing),
    )


def image_steps(spec: ZooSpec, config: ModelConfig, images: ImageSet) -> int:
    """Return how many images a model is shown in its training, repetitions counted."""
    return spec.epochs * round(config.train_fraction * len(images.train_labels))


def populate(
    number: int,
    *,
    train: RemoteJob,
    keep: Callable[[int, "TrainedShard"], None],
    device: str,
    report: Report,
) -> None:
    """Train one shard and write it, in one process."""
    keep(number, train(number, device=device, report=report))


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
    """Train one shard where torch is; it is imported in the workers alone."""
    refuse_unusable(device, tf32=tf32)
    from zoogen.build.shard import train_shard

    shown = images.open() if isinstance(images, MappedImages) else images
    took = path_to_take(spec.network, device, path if device.startswith("cpu") else None, "the zoo")
    return train_shard(
        spec, shards[number], shown, path=took, device=device, tf32=tf32, report=report
    )


def keep(
    number: int, trained: "TrainedShard", *, spec: ZooSpec, folder: Path, images_sha256: str
) -> None:
    """Write one shard that has been trained, here or elsewhere."""
    from zoogen.build.shard import write_trained

    write_trained(spec, trained, folder, shard=number, images_sha256=images_sha256)
