"""``zoo.json``: what a zoo's folder holds, with the hash of every file; written last."""

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
    """Let a path through that stays in the folder of the zoo, on any system."""
    if not INSIDE.fullmatch(path):
        raise ValueError("expected a path inside the zoo")
    return path


RelativePath = Annotated[str, AfterValidator(inside)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FileEntry:
    """One file of the zoo: path inside the folder, rows it holds, size and hash."""

    file: RelativePath
    rows: Count
    bytes: Count
    sha256: Sha256


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Failure:
    """A model kept out of the table, and why."""

    model: Count
    epoch: Count
    reason: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Check:
    """What was asked of an imported zoo before it became one, and the answer."""

    name: str
    outcome: Literal["passed", "failed", "noted", "not checked"]
    detail: str


def kind_of(spec: Any) -> str:
    """Tell the spec of an imported zoo: it alone has an origin."""
    imported = "origin" in spec if isinstance(spec, dict) else isinstance(spec, ImportedSpec)
    return IMPORTED if imported else BUILT


BUILT, IMPORTED = "built", "imported"
StoredSpec = Annotated[
    Annotated[ZooSpec, Tag(BUILT)] | Annotated[ImportedSpec, Tag(IMPORTED)], Discriminator(kind_of)
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Manifest:
    """All there is to know of a zoo but the weights and the table themselves.

    Attributes:
        images_sha256: Of the images; None of an imported zoo whose images were not at hand.
        checks: What an importer asked of the zoo; a zoo that was trained here has none.
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
        """Hash of the spec and of every stored number: two zoos with the same are the same."""
        parts = (MANIFEST_JSON.dump_python(self, mode="json")["spec"], self.table.sha256)
        text = json.dumps([*parts, *(shard.sha256 for shard in self.shards)], sort_keys=True)
        return sha256(text.encode()).hexdigest()

    @property
    def is_complete(self) -> bool:
        """Whether every model of the spec was trained, well or ill."""
        return self.models_built == self.models_planned

    @property
    def stored_layout(self) -> Layout:
        """The layout of the stored vectors."""
        return Layout.of(self.layout)


MANIFEST_JSON = TypeAdapter(Manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``zoo.json``, one line per field so that a diff of two zoos reads well."""
    fields = MANIFEST_JSON.dump_python(manifest, mode="json")
    if not manifest.checks:
        del fields["checks"]
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
    write_text(folder / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``zoo.json``.

    Raises:
        ZooError: If the folder is no zoo, or one of a newer format version.
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
            "install the zoogen that wrote it or build the zoo again"
        )
    try:
        return MANIFEST_JSON.validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part not in {BUILT, IMPORTED})
        fault = f"{first['msg'].removeprefix('Value error, ')}, not {first['input']!r:.100}"
        raise IntegrityError(f"{path}: {field}: {fault}; {REMEDY}") from error


def file_entry(folder: Path, file: str, rows: int) -> FileEntry:
    """Describe a file that has just been written."""
    path = folder / file
    return FileEntry(file=file, rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path))


def verify_files(folder: Path, manifest: Manifest) -> Iterable[str]:
    """Hash every file against the manifest; yield each path once it is proved.

    Raises:
        IntegrityError: At the first file that is missing or differs; both hashes are shown.
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
