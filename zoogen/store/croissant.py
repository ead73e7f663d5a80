"""``croissant.json``: metadata in Croissant 1.1, the format that dataset search engines read.

The table is a record set; the shards are a file set, because Croissant cannot read tensors.
"""

import json
import warnings
from datetime import date, datetime, time
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from zoogen.errors import ZooError
from zoogen.extras import extra_package
from zoogen.store.front_matter import LICENCES
from zoogen.store.manifest import MANIFEST, TABLE, Manifest
from zoogen.store.shards import shard_name

if TYPE_CHECKING:
    import pyarrow as pa

CROISSANT = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
RECORDS = "snapshots"
SHARDS = f"{Path(shard_name(0)).parent}/*.safetensors"

GIT_HAS_NO_SHA256 = "https://github.com/mlcommons/croissant/issues/80"
"""Placeholder that the Hub's own metadata uses as the hash of a git repository."""

MEANING = {
    "model": "Number of the model in the full zoo",
    "epoch": "Epoch after which the snapshot was taken",
    "shard": "Number of the file in weights/ that holds its weights",
    "row": "Row of its weights in that file",
    "split": "train, validation or test, the same for all snapshots of a model",
    "group": "Models of one group are in one split",
}


def croissant_json(
    manifest: Manifest, folder: Path, *, page: str, tag: str, owner: str, published: date
) -> str:
    """Return the Croissant metadata of a zoo.

    Args:
        manifest: Manifest of the zoo.
        folder: Folder that holds the table and the manifest.
        page: Web address of the repository.
        tag: Tag of this version in the repository.
        owner: Name of the publisher.
        published: Date of publication.

    Raises:
        ZooError: If ``mlcroissant`` is not installed.
    """
    extra_package("mlcroissant", "croissant.json")
    import mlcroissant as mlc
    import pyarrow.parquet as pq

    spec, context = manifest.spec, mlc.Context(conforms_to=CONFORMS_TO)
    metadata = mlc.Metadata(
        ctx=context,
        name=spec.name,
        description=zoo_description(manifest),
        url=page,
        license=licence_address(spec.licence),
        version=semantic_version(manifest),
        date_published=datetime.combine(published, time()),
        creators=[mlc.Organization(name=owner, url=f"{page.partition('/datasets/')[0]}/{owner}")],
        cite_as=spec.source or f"{spec.name}, {page}",
        distribution=distribution(context, manifest, folder, f"{page}/tree/{tag}"),
        record_sets=[record_set(context, pq.read_schema(folder / TABLE))],
    )
    return json.dumps(metadata.to_json(), indent=1, ensure_ascii=False, default=str) + "\n"


def check_croissant(path: Path) -> None:
    """Load a record of the table with Croissant's own reader.

    Raises:
        ZooError: If it cannot be loaded.
    """
    import mlcroissant as mlc

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # raised inside rdflib
            next(iter(mlc.Dataset(jsonld=str(path)).records(RECORDS)), None)
    except (mlc.ValidationError, mlc.GenerationError) as error:
        reason = shorten(str(error.__cause__ or error), 300, placeholder=" …")
        raise ZooError(
            f"mlcroissant {version('mlcroissant')} cannot read the {path.name} that it wrote "
            f"({reason}); nothing was sent, install another version of mlcroissant"
        ) from error


def zoo_description(manifest: Manifest) -> str:
    """Describe a zoo in one sentence."""
    spec = manifest.spec
    trained = f"{manifest.models_built - len(manifest.failures):,}"
    part = "" if manifest.is_complete else f" (of {manifest.models_planned:,} planned)"
    return (
        f"{trained} trained networks{part}, {spec.network} on {spec.images}, as "
        f"{manifest.table.rows:,} snapshots of {spec.network.layout.params} weights each, with how "
        "each was trained and what it scores."
    )


def licence_address(licence: str) -> str:
    """Return the web address of a licence, or its name if the address is unknown."""
    known = licence.lower() in LICENCES
    return f"https://spdx.org/licenses/{licence}" if known else licence


def semantic_version(manifest: Manifest) -> str:
    """Return the version of a zoo; that of a partial zoo includes the number of built models."""
    part = f"+{manifest.models_built}.of.{manifest.models_planned}"
    return f"{manifest.spec.version}.0.0" + ("" if manifest.is_complete else part)


def distribution(context: Any, manifest: Manifest, folder: Path, address: str) -> list[Any]:
    """List the repository and its files: table, manifest and shards."""
    import mlcroissant as mlc

    from zoogen.atomic import sha256_of

    def file(name: str, description: str, sha256: str, kind: str, address: str) -> Any:
        return mlc.FileObject(
            ctx=context,
            id=name,
            name=name,
            description=description,
            content_url=address,
            encoding_formats=[kind],
            sha256=sha256,
        )

    return [
        file("repository", "The zoo on the Hub", GIT_HAS_NO_SHA256, "git+https", address),
        file(TABLE, "One row per snapshot", manifest.table.sha256, "application/x-parquet", TABLE),
        file(
            MANIFEST,
            "Names every file with its SHA-256",
            sha256_of(folder / MANIFEST),
            "application/json",
            MANIFEST,
        ),
        mlc.FileSet(
            ctx=context,
            id="weights",
            name="weights",
            description="One float32 tensor [snapshots, weights] per shard",
            contained_in=["repository"],
            encoding_formats=["application/vnd.safetensors"],
            includes=[SHARDS],
        ),
    ]


def record_set(context: Any, schema: "pa.Schema") -> Any:
    """Describe the columns of the table that have a type in Croissant."""
    import mlcroissant as mlc

    def field(name: str, kind: str) -> Any:
        return mlc.Field(
            ctx=context,
            id=f"{RECORDS}/{name}",
            name=name,
            description=MEANING.get(name, name.replace("_", " ").capitalize()),
            data_types=[kind],
            source=mlc.Source(file_object=TABLE, extract=mlc.Extract(column=name)),
        )

    kinds = {column.name: data_type(column.type) for column in schema}
    return mlc.RecordSet(
        ctx=context,
        id=RECORDS,
        name=RECORDS,
        description="One record per snapshot: one model at one epoch",
        key=[f"{RECORDS}/model", f"{RECORDS}/epoch"],
        fields=[field(name, kind) for name, kind in kinds.items() if kind is not None],
    )


def data_type(kind: "pa.DataType") -> str | None:
    """Return the Croissant type of a column, or None if Croissant cannot read it."""
    import mlcroissant as mlc
    from pyarrow import types

    if types.is_boolean(kind):
        return str(mlc.DataType.BOOL)
    if types.is_integer(kind):
        return str(mlc.DataType.INTEGER)
    if types.is_floating(kind):
        return str(mlc.DataType.FLOAT)
    text = kind.value_type if types.is_dictionary(kind) else kind
    is_text = types.is_string(text) or types.is_large_string(text)
    return str(mlc.DataType.TEXT) if is_text else None


def first_published(text: str, manifest: Manifest) -> date | None:
    """Return the publication date in a ``croissant.json``, or None if its table is another one."""
    try:
        fields = json.loads(text)
        tables = [file["sha256"] for file in fields["distribution"] if file["@id"] == TABLE]
        day = date.fromisoformat(str(fields["datePublished"])[:10])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return day if tables == [manifest.table.sha256] else None
