"""Stamps: which zoo and which embedder a result is of, by hashes."""

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue
from pydantic.dataclasses import dataclass

BENCHMARK = "0.1"
STRICT = ConfigDict(extra="forbid")
Number = Annotated[float, Field(allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
TaskId = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ZooStamp:
    """Which zoo, to the last byte, and which split of it."""

    name: str
    version: Count
    content_sha256: Sha256
    split_sha256: Sha256
    models_built: Count
    models_planned: Count


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EmbedderStamp:
    """Which embedder: its name, its settings and a hash of its code.

    Attributes:
        name: Name of its results.
        reference: Text the user typed to name it.
        cls: Class, by module and name.
        commit: Commit of its repository, if any.
        dirty: Whether its code differs from the commit.
    """

    name: str
    reference: str
    cls: str
    settings: dict[str, JsonValue]
    code_sha256: Sha256
    commit: str | None
    dirty: bool
