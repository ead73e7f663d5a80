"""A cache of embeddings: the same code never runs twice on the same weights."""

import json
import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError, safe_open

from zoobench.embedders.embed import Embedded, Embedder, embed
from zoobench.embedders.provenance import embedder_stamp, package_versions, zoo_stamp
from zoobench.places import cache_folder
from zoobench.results.stamps import EmbedderStamp, ZooStamp
from zoobench.task.pair import ZooPair, zoos_of
from zoogen import SPLITS, Zoo
from zoogen.tensors import save_tensors

log = logging.getLogger(__name__)

ERRORS = "reconstruction_errors"


def content_key(
    embedder: EmbedderStamp, zoos: Sequence[ZooStamp], seed: int, versions: Mapping[str, str]
) -> str:
    """Hash everything that decides an embedding.

    Args:
        embedder: Stamp of the embedder.
        zoos: Stamp of the zoo, or of both zoos of a pair.
        seed: Seed of the embedder.
        versions: Versions of packages.
    """
    hashes = (part for zoo in zoos for part in (zoo.content_sha256, zoo.split_sha256))
    content = [embedder.cls, embedder.code_sha256, embedder.settings, *hashes, seed, versions]
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def embeddings_of(
    embedder: Embedder, zoo: Zoo | ZooPair, *, seed: int, stamp: EmbedderStamp | None = None
) -> Embedded:
    """Return the embeddings of a zoo, read from the cache or made now.

    Args:
        embedder: Embedder, unfitted.
        zoo: Zoo or pair to embed.
        seed: Seed of the embedder.
        stamp: Stamp of the embedder, made here if not given.

    Raises:
        EmbedderError: As ``embed``.
        ZooError: If the cache cannot be written.
    """
    stamp = stamp or embedder_stamp(embedder)
    stamps = [zoo_stamp(one) for one in zoos_of(zoo)]
    key = content_key(stamp, stamps, seed, package_versions(stamp.cls))
    return cached_embeddings(embedder, zoo, key=key, seed=seed)


def cached_embeddings(embedder: Embedder, zoo: Zoo | ZooPair, *, key: str, seed: int) -> Embedded:
    """Return the embeddings cached under a key, or make them and cache them.

    A damaged file is replaced.

    Raises:
        EmbedderError: As ``embed``.
        ZooError: If the cache cannot be written.
    """
    path = cache_folder() / "embeddings" / f"{key}.safetensors"
    if path.exists():
        try:
            return read_embeddings(path)
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            log.warning("%s is damaged (%s); embedding again", path, error)
    embedded = embed(embedder, zoo, seed=seed)
    tensors = {str(split): rows for split, rows in embedded.splits.items()}
    if embedded.errors is not None:
        tensors[ERRORS] = embedded.errors
    save_tensors(path, tensors, {"seconds": str(embedded.seconds)})
    return embedded


def read_embeddings(path: Path) -> Embedded:
    """Read embeddings from a file of the cache."""
    with safe_open(path, framework="numpy") as file:
        splits = {split: file.get_tensor(split) for split in SPLITS}
        errors = file.get_tensor(ERRORS) if ERRORS in file.keys() else None  # noqa: SIM118
        return Embedded(splits, float(file.metadata()["seconds"]), errors)
