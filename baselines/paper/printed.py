"""What the paper prints in a column of one of our tables."""

from collections.abc import Sequence

from zoobench.results.paper import PaperScore, paper_scores
from zoobench.task.tasks import GAP, RUNNING_GAP


def printed_score(zoo: str, column: str, title: str, columns: Sequence[str]) -> PaperScore | None:
    """Return the paper's score; its gap belongs to our running gap, if the table has that column.

    Args:
        zoo: Name of the zoo.
        column: Column of our table.
        title: Title of the row in the paper.
        columns: All columns of our table.
    """
    if RUNNING_GAP.id in columns and column in {GAP.id, RUNNING_GAP.id}:
        column = GAP.id if column == RUNNING_GAP.id else ""
    return paper_scores().get((zoo, column, title))
