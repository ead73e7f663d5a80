"""Findings of a check: print them in 80 columns, and fail if one failed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zoogen import ZooError

Verdict = Literal["ok", "FAILED", "note"]
STYLES: dict[Verdict, str] = {"ok": "green", "FAILED": "bold red", "note": "cyan"}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: Name of what was checked, in a word or two.
        verdict: Whether it passed, or ``note`` if nothing can fail.
        detail: Description of what was found.
    """

    subject: str
    verdict: Verdict
    detail: str


def judged(subject: str, detail: str, *, passed: bool) -> Finding:
    """Return a finding that passes or fails."""
    return Finding(subject, "ok" if passed else "FAILED", detail)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print one line per finding, without reading markup in the text of an embedder."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in ("checked", "", "seen"):
        table.add_column(column, no_wrap=column != "seen", overflow="fold")
    for each in findings:
        verdict = Text(each.verdict, style=STYLES[each.verdict])
        table.add_row(Text(each.subject), verdict, Text(each.detail))
    Console(highlight=False).print(table)


def refuse_failures(findings: Sequence[Finding], what: str) -> None:
    """Raise an error if a finding failed.

    Raises:
        ZooError: If a finding failed; the message names the subjects.
    """
    failed = [each.subject for each in findings if each.verdict == "FAILED"]
    if failed:
        raise ZooError(f"{what} failed {len(failed)} of {len(findings)}: {', '.join(failed)}")
