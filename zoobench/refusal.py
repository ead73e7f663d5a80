"""Refuse files that others wrote: name the file and the field, and quote both safely."""

import unicodedata
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from zoogen import IntegrityError

LONGEST = 300
"""Characters quoted of a text."""


def plain(text: str) -> str:
    """Return a text unchanged.

    Raises:
        ValueError: If a page or a terminal could take part of it for more than text.
    """
    for character in text:
        if character in "<>" or unicodedata.category(character)[0] == "C":
            raise ValueError(f"contains {character!r}; remove markup and control characters")
    return text


def quoted(text: object) -> str:
    """Return the start of a text as one line, unprintable characters escaped."""
    written = str(text)
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in written[:LONGEST]
    )
    return shown if len(written) <= LONGEST else f"{shown}…"


def refuse(path: Path, field: str, reason: str) -> NoReturn:
    """Refuse a file because of one of its fields.

    Raises:
        IntegrityError: Always.
    """
    raise IntegrityError(f"{quoted(path)}: {quoted(field)}: {quoted(reason)}")


def refuse_invalid(path: Path, error: ValidationError) -> NoReturn:
    """Refuse a file because of its first invalid field.

    Raises:
        IntegrityError: Always.
    """
    first = error.errors()[0]
    found = "" if first["type"] == "missing" else f", found {first['input']!r}"
    reason = first["msg"].removeprefix("Value error, ")
    refuse(path, ".".join(map(str, first["loc"])), f"{reason}{found}")


def refuse_file(path: Path, reason: str) -> NoReturn:
    """Refuse a file as a whole.

    Raises:
        IntegrityError: Always.
    """
    raise IntegrityError(f"{quoted(path)}: {quoted(reason)}")
