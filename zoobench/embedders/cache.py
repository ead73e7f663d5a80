"""Embeddings kept by content: the same code on the same weights is not run twice."""

import json
import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError, safe_open

from zoobench.embedders.embed import Embedded, Embedder, embed
from zoobench.embedders.provenance import embedder_stamp, package_versions, zoo_stamp
from zoobench.places import cache_folder
from zoobench.results.results import EmbedderStamp, ZooStamp
from zoobench.task.pair import ZooPair, zoos_of
from zoogen import SPLITS, Zoo, save_tensors

log = logging.getLogger(__name__)

ERRORS = "reconstruction_errors"


def content_key(
    by: EmbedderStamp, of: Sequence[ZooStamp], seed: int, versions: Mapping[str, str]
) -> str:
    """Hash all that decides an embedding.

    Args:
        by: Whose.
        of: The zoo, or the one that is learned from and the one that is tested on.
        seed: Of the embedder.
        versions: Of packages.
    """
    zoos = (part for zoo in of for part in (zoo.content_sha256, zoo.split_sha256))
    decides = (by.cls, by.code_sha256, by.settings, *zoos)
    return sha256(json.dumps([*decides, seed, versions], sort_keys=True).encode()).hexdigest()


def embeddings_of(embedder: Embedder, zoo: Zoo | ZooPair, *, seed: int) -> Embedded:
    """Return the embeddings that an evaluation of this embedder would be made from.

    Raises:
        EmbedderError: As ``embed``.
        ZooError: If the cache cannot be written.
    """
    stamp = embedder_stamp(embedder)
    stamps = [zoo_stamp(one) for one in zoos_of(zoo)]
    key = content_key(stamp, stamps, seed, package_versions(stamp.cls))
    return cached_embeddings(embedder, zoo, key=key, seed=seed)


def cached_embeddings(embedder: Embedder, zoo: Zoo | ZooPair, *, key: str, seed: int) -> Embedded:
    """Return the embeddings of a zoo, made now or read from an earlier run with the same key.

    A damaged file is made anew.

    Raises:
        EmbedderError: As ``embed``.
        ZooError: If the cache cannot be written.
    """
    path = cache_folder() / "embeddings" / f"{key}.safetensors"
    if path.exists():
        try:
            return read_embeddings(path)
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            log.warning("%s is damaged (%s), embedding again", path, error)
    embedded = embed(embedder, zoo, seed=seed)
    tensors = {str(split): rows for split, rows in embedded.splits.items()}
    if embedded.errors is not None:
        tensors[ERRORS] = embedded.errors
    save_tensors(path, tensors, {"seconds": str(embedded.seconds)})
    return embedded


def read_embeddings(path: Path) -> Embedded:
    """Read what an earlier run kept."""
    with safe_open(path, framework="numpy") as file:
        splits = {split: file.get_tensor(split) for split in SPLITS}
        errors = file.get_tensor(ERRORS) if ERRORS in file.keys() else None  # noqa: SIM118
        return Embedded(splits, float(file.metadata()["seconds"]), errors)
