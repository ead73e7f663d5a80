"""``load_zoo``: from a name, a folder or an address on the Hub to a ``Zoo``."""

import logging
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path

from zoogen.errors import IntegrityError
from zoogen.hub.remote import Remote
from zoogen.hub.stream import remote_rows
from zoogen.load.locate import Search
from zoogen.load.zoo import Zoo
from zoogen.spec.registry import ZOOS
from zoogen.spec.split import Split
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.manifest import MANIFEST, Manifest, read_manifest
from zoogen.store.shards import map_shard
from zoogen.store.subset import COLUMNS, Shelves, Subset
from zoogen.store.table import read_table
from zoogen.store.weights import Weights

log = logging.getLogger(__name__)


def load_zoo(
    name: str | Path,
    *,
    split: Split | None = None,
    models: int | Sequence[int] | None = None,
    stream: bool = False,
    endpoint: str | None = None,
    token: str | None = None,
    cache_dir: Path | None = None,
) -> Zoo:
    """Load a zoo by its registered name, from its folder or from the Hub, copying no weights.

    A registered zoo that is not in the cache is fetched if its address is known, see
    ``zoogen.hub.address``. Otherwise a Tetris zoo is built, with a progress bar.

    Args:
        name: Registered name, folder, or ``hub:OWNER/NAME@REVISION``. Fetched files are used
            again, even if the Hub cannot be reached.
        split: Load only the snapshots of this split.
        models: Load only the models with these numbers, or the first so many. From the Hub, only
            the shards that hold them are fetched: few for few models, nearly all for a split.
        stream: Fetch no shards: rows are read from the Hub when they are used. They are not
            hashed: that would need the whole shard.
        endpoint: URL of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: Access token; by default ``$HF_TOKEN`` or that of ``hf auth login``.
        cache_dir: Where zoos are kept; by default ``$ZOOGEN_CACHE`` or ``~/.cache/zoogen``.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name, or no such split.
        ZooError: If it is not built, or cannot be fetched; the message has the command.
        IntegrityError: If a file is missing, truncated or not the one in the manifest.

    Example:
        >>> import zoogen
        >>> zoo = zoogen.load_zoo("tetris-seed")
        >>> zoo.weights
        Weights(75000 snapshots × 100 params)
        >>> zoo.test.properties["model"].nunique()
        150
    """
    subset = Subset(split=split, models=models)
    search = Search(
        subset=subset, stream=stream, endpoint=endpoint, token=token, cache_dir=cache_dir
    )
    folder, remote = search.find(str(name))
    return open_zoo(str(name), folder, subset, remote if stream else None)


def open_zoo(name: str, folder: Path, subset: Subset, remote: Remote | None) -> Zoo:
    """Open a zoo in a folder: map the shards that are there, stream the others.

    Args:
        name: The name given to ``load_zoo``, for warnings.
        folder: Folder of the zoo.
        subset: Requested snapshots.
        remote: Repository to stream missing shards from; None if they must be there.

    Raises:
        ZooError: If the zoo lacks a requested model.
        IntegrityError: As ``load_zoo``.
    """
    manifest = read_manifest(folder)
    warn_of_difference(name, folder, manifest)
    layout = manifest.spec.network.layout
    if manifest.stored_layout.shapes != layout.shapes:
        raise IntegrityError(f"{folder / MANIFEST}: layout {manifest.layout} is not the network's")
    shelves, chosen = Shelves(manifest), None
    if not subset.is_everything:
        chosen = subset.rows(read_table(folder, manifest, COLUMNS), manifest)
    entries = shelves.needed(chosen)
    absent = remote_rows(remote, entries, folder, layout.params) if remote else {}
    shards = [
        absent.get(shard.file) or map_shard(folder / shard.file, shard.rows, layout.params)
        for shard in entries
    ]
    weights = Weights(shards, layout)
    if chosen is not None:
        weights = weights.take(shelves.among(chosen))
    return Zoo(folder, manifest, weights, chosen)


def warn_of_difference(name: str, folder: Path, manifest: Manifest) -> None:
    """Warn, once per zoo, if it is a part, or differs from the registered zoo of its name."""
    spec, registered = manifest.spec, ZOOS.get(name)
    if registered and isinstance(spec, ZooSpec) and spec != registered:
        differing = (
            field.name
            for field in fields(spec)
            if getattr(spec, field.name) != getattr(registered, field.name)
        )
        say_once(folder, f"{name} differs from the registered zoo in {', '.join(differing)}")
    built, planned = manifest.models_built, manifest.models_planned
    if built < planned:
        say_once(folder, f"{spec.name} is a partial zoo: {built} of {planned} models")


@cache
def say_once(folder: Path, message: str) -> None:  # noqa: ARG001, cached per folder
    """Warn about a zoo, once per folder."""
    log.warning(message)
