"""``zoo.json``, the manifest: the content of a zoo with the hash of every file; written last."""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import IntegrityError, ZooError
from zoogen.spec.imported import ImportedSpec
from zoogen.spec.layout import Layout
from zoogen.spec.zoo_spec import ZooSpec

MANIFEST = "zoo.json"
TABLE = "snapshots.parquet"
FORMAT_VERSION = 1
REMEDY = "build the zoo again with --overwrite, or fetch it again"

STRICT = ConfigDict(extra="forbid")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SEGMENT = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
INSIDE = re.compile(f"{SEGMENT}(/{SEGMENT})*")


def inside(path: str) -> str:
    """Refuse a path that could leave the folder of the zoo on any system."""
    if not INSIDE.fullmatch(path):
        raise ValueError("expected a path inside the zoo")
    return path


RelativePath = Annotated[str, AfterValidator(inside)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FileEntry:
    """One file of a zoo: its path inside the folder, number of rows, size and hash."""

    file: RelativePath
    rows: Count
    bytes: Count
    sha256: Sha256


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Failure:
    """A model left out of the table, and why."""

    model: Count
    epoch: Count
    reason: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Check:
    """The outcome of one check of an import."""

    name: str
    outcome: Literal["passed", "failed", "noted", "not checked"]
    detail: str


def kind_of(spec: Any) -> str:
    """Return the kind of a spec; only that of an imported zoo has an origin."""
    imported = "origin" in spec if isinstance(spec, dict) else isinstance(spec, ImportedSpec)
    return IMPORTED if imported else BUILT


BUILT, IMPORTED = "built", "imported"
StoredSpec = Annotated[
    Annotated[ZooSpec, Tag(BUILT)] | Annotated[ImportedSpec, Tag(IMPORTED)], Discriminator(kind_of)
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Manifest:
    """Everything about a zoo except the weights and the table themselves.

    Attributes:
        images_sha256: Hash of the images; None if an import had no access to them.
        checks: Outcomes of the checks of an import; empty for a zoo trained here.
    """

    format_version: int
    spec: StoredSpec
    layout: dict[str, tuple[int, ...]]
    models_planned: Count
    models_built: Count
    shared_starts: bool
    failures: tuple[Failure, ...]
    images_sha256: Sha256 | None
    split_sha256: Sha256
    table: FileEntry
    shards: tuple[FileEntry, ...]
    versions: dict[str, str]
    checks: tuple[Check, ...] = ()

    @property
    def content_sha256(self) -> str:
        """Hash of the spec and of every stored number: equal for equal zoos only."""
        spec = MANIFEST_JSON.dump_python(self, mode="json")["spec"]
        hashes = (self.table.sha256, *(shard.sha256 for shard in self.shards))
        return sha256(json.dumps([spec, *hashes], sort_keys=True).encode()).hexdigest()

    @property
    def is_complete(self) -> bool:
        """Whether every model of the spec was trained, including models that failed."""
        return self.models_built == self.models_planned

    @property
    def stored_layout(self) -> Layout:
        """Layout of the stored weight vectors."""
        return Layout.of(self.layout)


MANIFEST_JSON = TypeAdapter(Manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``zoo.json`` with one line per field, which makes diffs of two zoos readable."""
    fields = MANIFEST_JSON.dump_python(manifest, mode="json")
    if not manifest.checks:
        del fields["checks"]
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
    write_text(folder / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``zoo.json``.

    Raises:
        ZooError: If the folder is not a zoo or has another format version.
        IntegrityError: If the manifest is damaged; the message names the field.
    """
    path = folder / MANIFEST
    try:
        fields: Any = json.loads(path.read_bytes())
        version = fields["format_version"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ZooError(
            f"{folder} is not a zoo: it has no {MANIFEST}; zoogen build makes one"
        ) from error
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise IntegrityError(f"{path}: not a manifest ({error!r}); {REMEDY}") from error
    if version != FORMAT_VERSION:
        raise ZooError(
            f"{path}: format version {version}, this zoogen reads {FORMAT_VERSION}; "
            "install the zoogen that wrote it, or build the zoo again"
        )
    try:
        return MANIFEST_JSON.validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"] if step not in {BUILT, IMPORTED})
        fault = f"{first['msg'].removeprefix('Value error, ')}, not {first['input']!r:.100}"
        raise IntegrityError(f"{path}: {field}: {fault}; {REMEDY}") from error


def file_entry(folder: Path, file: str, rows: int) -> FileEntry:
    """Describe a file of a zoo."""
    path = folder / file
    return FileEntry(file=file, rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path))


def verify_files(folder: Path, manifest: Manifest) -> Iterable[str]:
    """Check the hash of every file; yield the path of each file that passes.

    Raises:
        IntegrityError: If a file is missing or differs; the message shows both hashes.
    """
    for entry in (manifest.table, *manifest.shards):
        path = folder / entry.file
        if not path.is_file():
            raise IntegrityError(f"{path} is missing; build or fetch the zoo again")
        found = sha256_of(path)
        if found != entry.sha256:
            raise IntegrityError(
                f"{path}: sha256 {found}, the manifest names {entry.sha256}; "
                "the file is truncated or altered, build or fetch the zoo again"
            )
        yield entry.file
