"""A zoo of the field imported: a reader for every format, one way into our files."""

from collections.abc import Callable
from pathlib import Path

from zoogen.errors import UnknownNameError
from zoogen.importers.foreign import Foreign
from zoogen.importers.ray_tune import read_ray_tune
from zoogen.importers.request import Request
from zoogen.importers.small_cnn_zoo import read_small_cnn_zoo
from zoogen.importers.transfer import transfer_zoo
from zoogen.importers.weight_space_2021 import read_weight_space_2021
from zoogen.store.manifest import Manifest

FORMATS: dict[str, Callable[[Request], Foreign]] = {
    "small-cnn-zoo": read_small_cnn_zoo,
    "weight-space-2021": read_weight_space_2021,
    "ray-tune": read_ray_tune,
}


def import_zoo(
    kind: str,
    source: Path,
    folder: Path,
    *,
    name: str | None = None,
    images: str | None = None,
    licence: str | None = None,
) -> Manifest:
    """Turn a zoo that others published into one of ours, checked.

    Args:
        kind: One of ``FORMATS``.
        source: Folder, archive (zip, tar, also compressed) or file; only read, never unpacked.
        folder: Where the zoo is to be; it appears whole or not at all.
        name: Of the zoo, where the files do not say it.
        images: Image set, or ``.npz`` or ``.safetensors`` file, to measure accuracies on again;
            by default what the original used, if it is at hand.
        licence: Of the original, where the format does not say it.

    Returns:
        The manifest; what was checked is in it.

    Raises:
        UnknownNameError: If there is no such format.
        FailedChecksError: If the files contradict each other or what is known of them.
        IntegrityError: If a file is damaged, truncated, oversized, or a pickle asks for a name that
            is not on the list.
        ZooError: If the source is not of this format, or the folder holds something, cannot be
            written or is full.
    """
    if kind not in FORMATS:
        raise UnknownNameError("format", kind, FORMATS)
    request = Request(source=source, name=name, images=images, licence=licence)
    return transfer_zoo(FORMATS[kind](request), folder)
