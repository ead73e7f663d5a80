"""Who submits what: ``submission.toml``, a few fields of plain text."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from zoobench.refusal import plain, refuse_file, refuse_invalid
from zoobench.results.results import STRICT
from zoogen import ZooError, write_text

SUBMISSION = "submission.toml"
MOST_BYTES = 20_000

Track = Literal["weights", "forward", "supervised", "reference"]
"""What an embedder may use: weights; forward passes, too; labels, too; or it is no embedder."""
PROBE_OF: dict[Track, str] = {
    "weights": "standard",
    "forward": "standard",
    "supervised": "boosted",
    "reference": "reference",
}
"""What reads an embedding in each track; an embedder sees no labels, so its probe is supervised."""
Method = Literal[
    "reference", "weights", "statistics", "projection", "manifold", "self-supervised", "supervised",
    "other",
]  # fmt: skip


def formed(pattern: str, what: str) -> Callable[[str], str]:
    """Return what refuses any other text than that of a pattern, and says what is expected."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {what}")
        return text

    return check


Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(plain)]
Line = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(plain)]
Slug = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(
        formed(r"[a-z0-9]+(-[a-z0-9]+)*", "only small letters, digits and single hyphens between")
    ),
]
ADDRESS = r"https?://[^\s\"'`\\]+"
OURS = r"(baselines|zoobench)(/[a-z0-9_]+)+(\.py)?"
Url = Annotated[
    str,
    Field(max_length=300),
    AfterValidator(formed(ADDRESS, "an address, https://…")),
    AfterValidator(plain),
]
Code = Annotated[
    str,
    Field(max_length=300),
    AfterValidator(
        formed(f"{ADDRESS}|{OURS}", "an address, https://…, or a file of this repository")
    ),
    AfterValidator(plain),
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Submission:
    """Who submits what.

    Attributes:
        name: Small letters, digits and single hyphens; also the folder's.
        authors: One or more names.
        code: Where the code is: an address, or a file of this repository.
        licence: Of the code.
        training_data: What the embedder was trained on besides the train split it is given.
        description: What it does, in a few sentences.
        track: What it may use, see ``leaderboard/RULES.md``.
        method: What kind of method it is; the page filters by it.
        paper: Where it is described at length.
    """

    name: Slug
    authors: Annotated[tuple[Line, ...], Field(min_length=1, max_length=50)]
    code: Code
    licence: Line
    training_data: Text
    description: Text
    track: Track
    method: Method
    paper: Url | None = None


FIELDS = TypeAdapter(Submission)

TEMPLATE = """\
name = "my-embedder"
authors = ["Your Name"]
code = "https://..."
licence = "Apache-2.0"
training_data = "nothing but the train split"
description = "What it does, in a few sentences."
track = "weights"
method = "other"
"""


def read_submission(path: Path) -> Submission:
    """Read and check a ``submission.toml``.

    Raises:
        ZooError: If there is none; the message shows one.
        IntegrityError: If a field is unknown, missing or refused; the message names it.
    """
    if not path.is_file():
        raise ZooError(f"{path} is missing; write it, for example:\n\n{TEMPLATE}")
    if (size := path.stat().st_size) > MOST_BYTES:
        refuse_file(path, f"{size} bytes, at most {MOST_BYTES} are read")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return FIELDS.validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        refuse_invalid(path, error)
    except (ValueError, TypeError, RecursionError) as error:
        refuse_file(path, f"not TOML of plain values ({error})")


def write_submission(path: Path, submission: Submission) -> None:
    """Write a ``submission.toml``; plain text in JSON's quotes is TOML, too."""
    given = ((field.name, getattr(submission, field.name)) for field in fields(submission))
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in given
        if value is not None
    ]
    write_text(path, "".join(lines))
