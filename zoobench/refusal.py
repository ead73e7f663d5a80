"""Refusals of what others wrote: file and field are named, and what is quoted stays short text."""

import unicodedata
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from zoogen import IntegrityError

LONGEST = 300


def plain(text: str) -> str:
    """Refuse what a page or a terminal might take for more than text."""
    for character in text:
        if character in "<>" or unicodedata.category(character)[0] == "C":
            raise ValueError(f"holds {character!r}: markup and control characters are refused")
    return text


def quoted(text: object) -> str:
    """Return how a text begins, without what a terminal would obey or take for another line."""
    written = str(text)
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in written[:LONGEST]
    )
    return shown if len(written) <= LONGEST else f"{shown}…"


def refuse(path: Path, field: str, reason: str) -> NoReturn:
    """Refuse a file for what one of its fields says.

    Raises:
        IntegrityError: Always.
    """
    raise IntegrityError(f"{quoted(path)}: {quoted(field)}: {quoted(reason)}")


def refuse_invalid(path: Path, error: ValidationError) -> NoReturn:
    """Refuse a file for the first of its fields that does not fit.

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
