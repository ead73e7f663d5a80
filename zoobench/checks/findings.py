"""What was looked at and whether it is as it should be: a report of 80 columns, and a verdict."""

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
    """One thing that was looked at.

    Attributes:
        subject: What, in a word or two.
        verdict: ``note`` where there is nothing to pass.
        detail: What was seen.
    """

    subject: str
    verdict: Verdict
    detail: str


def judged(subject: str, detail: str, *, passed: bool) -> Finding:
    """Return a finding that passes or fails."""
    return Finding(subject, "ok" if passed else "FAILED", detail)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print a line per finding; what an embedder says of itself is text, never markup."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in ("checked", "", "seen"):
        table.add_column(column, no_wrap=column != "seen", overflow="fold")
    for each in findings:
        verdict = Text(each.verdict, style=STYLES[each.verdict])
        table.add_row(Text(each.subject), verdict, Text(each.detail))
    Console(highlight=False).print(table)


def refuse_failures(findings: Sequence[Finding], what: str) -> None:
    """End with an error if anything failed.

    Raises:
        ZooError: With the subjects that failed.
    """
    failed = [each.subject for each in findings if each.verdict == "FAILED"]
    if failed:
        raise ZooError(f"{what} failed {len(failed)} of {len(findings)}: {', '.join(failed)}")
