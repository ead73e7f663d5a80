"""``submission.toml``: who submits what, in a few fields of plain text."""

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
from zoobench.results.stamps import STRICT
from zoogen import ZooError
from zoogen.atomic import write_text

SUBMISSION = "submission.toml"
MOST_BYTES = 20_000

Track = Literal["weights", "forward", "supervised", "reference"]
"""What a method may use: weights; also forward passes; also labels; ``reference`` rows use none."""
PROBE_OF: dict[Track, str] = {
    "weights": "standard",
    "forward": "standard",
    "supervised": "boosted",
    "reference": "reference",
}
"""Probe of each track. Embedders see no labels; in the track supervised the probe uses them."""
Method = Literal[
    "reference", "weights", "statistics", "projection", "manifold", "self-supervised", "supervised",
    "other",
]  # fmt: skip


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Return a validator for text that matches a pattern; its error says what is expected."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {expected}")
        return text

    return check


Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(plain)]
Line = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(plain)]
Slug = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(
        matching(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case letters and digits, joined by hyphens")
    ),
]
ADDRESS = r"https?://[^\s\"'`\\]+"
OURS = r"(baselines|zoobench)(/[a-z0-9_]+)+(\.py)?"
Url = Annotated[
    str,
    Field(max_length=300),
    AfterValidator(matching(ADDRESS, "an address, https://…")),
    AfterValidator(plain),
]
Code = Annotated[
    str,
    Field(max_length=300),
    AfterValidator(
        matching(f"{ADDRESS}|{OURS}", "an address, https://…, or a file of this repository")
    ),
    AfterValidator(plain),
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Submission:
    """Who submits what.

    Attributes:
        name: Lower-case letters, digits and single hyphens; also the name of the folder.
        authors: One or more names.
        code: Address of the code, or a file of this repository.
        licence: Licence of the code.
        training_data: Data that the embedder was trained on besides the given train split.
        description: Description in a few sentences.
        track: Track it competes in, see ``leaderboard/RULES.md``.
        method: Kind of method, by which the page filters.
        paper: Address of a longer description.
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
        ZooError: If the file is missing; the message shows an example.
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
    """Write a ``submission.toml``; plain text quoted as in JSON is also TOML."""
    given = ((field.name, getattr(submission, field.name)) for field in fields(submission))
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in given
        if value is not None
    ]
    write_text(path, "".join(lines))
