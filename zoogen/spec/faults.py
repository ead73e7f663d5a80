"""Short messages for pydantic's validation errors."""

from collections.abc import Iterator
from textwrap import shorten
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

LONGEST = 600
WITHOUT_VALUE = {"missing", "too_short"}
"""Kinds of fault that have no value, or that name it in pydantic's message."""


def fault_message(error: "ValidationError") -> str:
    """Name each wrong field with its value and the expected one, in one line.

    pydantic reports a union field once per member; only the first report is used. A fault of
    several fields together has no field name and no value.
    """
    messages: dict[str, str] = {}
    for fault in error.errors():
        path = list(field_path(fault["loc"]))
        messages.setdefault(path[0] if path else "", one_fault(path, fault))
    return shorten(f"{error.title}: {'; '.join(messages.values())}", LONGEST, placeholder=" …")


def field_path(loc: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the field names and indices of a location, without pydantic's internal names."""
    for step in loc:
        if isinstance(step, int):
            yield f"[{step}]"
        elif step.isidentifier():
            yield step


def one_fault(path: list[str], fault: Any) -> str:
    """Describe one fault by field, message and value."""
    message = fault["msg"].removeprefix("Value error, ")
    if not path:
        return str(message)
    value = "" if fault["type"] in WITHOUT_VALUE else f", not {fault['input']!r:.100}"
    return f"{'.'.join(path).replace('.[', '[')}: {message}{value}"
