"""Import a published zoo: one reader per format, one way to write the result."""

from collections.abc import Callable
from pathlib import Path

from zoogen.errors import UnknownNameError
from zoogen.importers.foreign import Foreign
from zoogen.importers.ray_tune.reader import read_ray_tune
from zoogen.importers.request import ImportRequest
from zoogen.importers.small_cnn_zoo.reader import read_small_cnn_zoo
from zoogen.importers.transfer import transfer_zoo
from zoogen.importers.weight_space_2021.reader import read_weight_space_2021
from zoogen.store.manifest import Manifest

FORMATS: dict[str, Callable[[ImportRequest], Foreign]] = {
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
    """Convert a published zoo to our format and check it.

    Args:
        kind: One of ``FORMATS``.
        source: Folder, archive (zip, tar or compressed tar) or file; only read, never unpacked.
        folder: Where to write the zoo; it appears complete or not at all.
        name: Name of the zoo, if the files do not give one.
        images: Image set, or ``.npz`` or ``.safetensors`` file, to measure accuracies on again;
            ``none`` skips this. By default the original's images, if they are available locally.
        licence: Licence of the original, if the format does not give one.

    Returns:
        The manifest, which records the checks.

    Raises:
        UnknownNameError: If there is no such format.
        FailedChecksError: If the files contradict each other or what is known about them.
        IntegrityError: If a file is damaged, truncated or too large.
        ZooError: If the source does not have this format, a pickle asks for a name that is not
            allowed, or the folder is in use, unwritable or full.

    Example:
        >>> from pathlib import Path
        >>> import zoogen
        >>> source = Path("mnist")
        >>> manifest = zoogen.import_zoo("small-cnn-zoo", source, Path("imported"), images="none")
        >>> manifest.spec.network.layout.params
        4970
    """
    if kind not in FORMATS:
        raise UnknownNameError("format", kind, FORMATS)
    request = ImportRequest(source=source, name=name, images=images, licence=licence)
    return transfer_zoo(FORMATS[kind](request), folder)
