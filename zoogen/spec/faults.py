"""What is wrong with a spec, in words: pydantic says more than there is to know."""

from collections.abc import Iterator
from textwrap import shorten
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

LONGEST = 600
TOLD = {"missing", "too_short"}
"""Kinds of fault whose message has the value in it, or that have none."""


def in_words(error: "ValidationError") -> str:
    """Name each field that is wrong with what was expected and the value, in one line.

    A field that may be one of several things fails as each of them: the first says it. What is
    wrong with fields taken together has no value of its own.
    """
    told: dict[str, str] = {}
    for fault in error.errors():
        place = list(named(fault["loc"]))
        told.setdefault(place[0] if place else "", fault_in_words(place, fault))
    return shorten(f"{error.title}: {'; '.join(told.values())}", LONGEST, placeholder=" …")


def named(loc: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the names on the way to a value, without those that only pydantic knows."""
    for part in loc:
        if isinstance(part, int):
            yield f"[{part}]"
        elif part.isidentifier():
            yield part


def fault_in_words(place: list[str], fault: Any) -> str:
    """Say of one fault where it is and, if that is one value, which."""
    message = fault["msg"].removeprefix("Value error, ")
    if not place:
        return str(message)
    value = "" if fault["type"] in TOLD else f", not {fault['input']!r:.100}"
    return f"{'.'.join(place).replace('.[', '[')}: {message}{value}"
