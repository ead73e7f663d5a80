"""A table of texts, as plain text, Markdown, HTML or LaTeX."""

from dataclasses import dataclass
from html import escape
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

NARROW = {
    "95 % interval": "95 %\ninterval",
    "ceiling": "ceil-\ning",
    "hyper-parameters": "hyper-\nparams",
    "over s(W)": "over s(W),\n95 % interval",
}
"""Titles on two lines, to fit 80 columns."""
WIDE = {"95 % interval", "over s(W)"}
"""Columns that may wrap."""
LATEX = {
    "\\": r"\textbackslash{}",
    "%": r"\%",
    "_": r"\_",
    "&": r"\&",
    "#": r"\#",
    "²": "$^2$",
    "τ": r"$\tau$",
    "–": "--",
    "…": r"\ldots{}",
}


@dataclass(frozen=True)
class ScoreTable:
    """Rows of text under titles, the first column flush left and all others flush right.

    Attributes:
        heading: Description of the table in a line or two.
        titles: Title of each column.
        rows: Rows with one text per column.
    """

    heading: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_text(self) -> str:
        """Lay out the table for a terminal of 80 columns."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        first, *others = self.titles
        table.add_column(first, no_wrap=True)
        for title in others:
            narrow = NARROW.get(title, title)
            table.add_column(narrow, justify="right", no_wrap=title not in WIDE)
        for row in self.rows:
            table.add_row(*row)
        console = Console(file=(text := StringIO()), width=80, highlight=False)
        console.print(self.heading, markup=False)
        console.print(table)
        return text.getvalue()

    def to_markdown(self) -> str:
        """Write the table as GitHub's Markdown."""
        lines = [
            f"| {' | '.join(self.titles)} |",
            f"|---|{'---:|' * (len(self.titles) - 1)}",
            *(f"| {' | '.join(row)} |" for row in self.rows),
        ]
        return "\n".join([self.heading, "", *lines, ""])

    def to_html(self) -> str:
        """Write the table as HTML for a notebook."""
        head = "".join(f"<th>{escape(title)}</th>" for title in self.titles)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in self.rows
        )
        return (
            f"<table><caption>{escape(self.heading)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def to_latex(self) -> str:
        """Write the table as a LaTeX ``tabular`` with the rules of the package booktabs."""
        columns = "l" + "r" * (len(self.titles) - 1)
        lines = [
            *(f"% {line}" for line in self.heading.splitlines()),
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            latex_row(self.titles),
            r"\midrule",
            *(latex_row(row) for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines) + "\n"


def latex_row(texts: tuple[str, ...]) -> str:
    """Write one row with special characters escaped."""
    written = ("".join(LATEX.get(character, character) for character in text) for text in texts)
    return " & ".join(written) + r" \\"
