"""The paper's conclusions, checked on our results: each holds, holds in part, or does not hold."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from baselines.paper.printed import printed_score
from baselines.paper.table_types import Claim
from zoobench.evaluation.compare import Difference, difference
from zoobench.report.text import MISSING, signed
from zoobench.results.record import Record
from zoogen import Zoo

HEAD = """### What the paper concludes, on our {zoo}

Differences in points, with the 95 % bootstrap interval of the difference; `paper` is the
difference of the paper's scores. Above and below are said where the interval is all on
one side of zero.
"""


def claim_section(
    claims: Sequence[Claim],
    results: Mapping[str, Record],
    zoo: Zoo,
    columns: Sequence[str],
    root: Path,
) -> str:
    """Return the claims as Markdown: the verdict of each, then the differences it rests on.

    Claims that cannot be checked are left out; the section is empty if none can be.

    Args:
        claims: Claims of one table.
        results: Results by the title of the row.
        zoo: The zoo of the results.
        columns: Columns of the table.
        root: Folder of all results.
    """
    lines: list[str] = []
    for claim in claims:
        if claim.zoos and zoo.spec.name not in claim.zoos:
            continue
        where = [column for column in columns if column in claim.columns or not claim.columns]
        found = {
            pair: {
                column: difference(root, zoo, results[pair[0]], results[pair[1]], column)
                for column in where
            }
            for pair in claim.pairs
            if set(pair) <= set(results)
        }
        if not found:
            continue
        lines += [
            f"**{claim.text}** {verdict(claim, found)}\n",
            *difference_table(found, where, zoo),
        ]
    return "\n".join([HEAD.format(zoo=zoo.spec.name), *lines, ""]) if lines else ""


Found = Mapping[tuple[str, str], Mapping[str, Difference | None]]
"""Differences by the titles of both rows, then by column; None without both scores."""


def verdict(claim: Claim, found: Found) -> str:
    """Say whether a claim holds, and for how many of the differences."""
    known = [each for row in found.values() for each in row.values() if each is not None]
    above = sum(each.is_above for each in known)
    below = sum(each.is_below for each in known)
    counts = f"({above} of {len(known)} above, {below} below)"
    if claim.expect == "mixed":
        return f"{'Holds' if above and below else 'Does not hold'} {counts}."
    if known and above == len(known):
        return f"Holds {counts}."
    return f"{'Holds in part' if above > below else 'Does not hold'} {counts}."


def difference_table(found: Found, columns: Sequence[str], zoo: Zoo) -> Iterator[str]:
    """Yield the lines of a table of differences: ours, the interval, the paper's."""
    yield f"| difference | | {' | '.join(columns)} |"
    yield f"|---|---|{'---:|' * len(columns)}"
    for (upper, lower), row in found.items():
        ours = [MISSING if each is None else signed(each.mean) for each in row.values()]
        bounds = [
            MISSING if each is None else f"{signed(each.low)} … {signed(each.high)}"
            for each in row.values()
        ]
        yield f"| {upper} − {lower} | ours | {' | '.join(ours)} |"
        yield f"| | 95 % | {' | '.join(bounds)} |"
        papers = [
            paper_difference(zoo.spec.name, column, upper, lower, columns) for column in columns
        ]
        yield f"| | paper | {' | '.join(papers)} |"
    yield ""


def paper_difference(zoo: str, column: str, upper: str, lower: str, columns: Sequence[str]) -> str:
    """Return the difference of two of the paper's scores as text, if it has both."""
    above, below = (printed_score(zoo, column, title, columns) for title in (upper, lower))
    if above is None or below is None:
        return MISSING
    sure = above.sure and below.sure
    return signed(above.score - below.score) + ("" if sure else "?")
