"""Table 7 and Figures 11 to 14 of the paper: learned on one zoo, tested on others."""

from dataclasses import dataclass

from baselines.paper.table_types import Row
from baselines.paper.tables import CNN_FAST, SELF_SUPERVISED, STATISTICS
from zoobench.task.elsewhere import TAU

HYP = ("mnist-hyp", "fashion-hyp", "svhn-hyp", "cifar10-hyp")


@dataclass(frozen=True, kw_only=True)
class TableElsewhere:
    """A table or figure of the paper across zoos.

    Attributes:
        name: Name on the command line.
        title: Heading of the page.
        trained_on: Zoos to learn on, one per section.
        tested_on: Zoos to test on, one per column; may include the one learned on.
        task: The task.
        columns: Ids of the task under each metric, one table each per section.
        rows: Rows of each table.
        probe: The probe.
        picture: Whether the paper plots predictions against true values.
    """

    name: str
    title: str
    trained_on: tuple[str, ...]
    tested_on: tuple[str, ...]
    task: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...] = (*STATISTICS, Row(SELF_SUPERVISED, CNN_FAST))
    probe: str = "paper"
    picture: bool = True


def figure(
    number: int, what: str, task: str, *, trained_on: str, tested_on: tuple[str, ...]
) -> TableElsewhere:
    """Return one of the figures, which all have the same form."""
    return TableElsewhere(
        name=f"fig{number}",
        title=f"Figure {number}: {what} across zoos, learned on {trained_on}",
        trained_on=(trained_on,),
        tested_on=tested_on,
        task=task,
        columns=(f"{task}{TAU}", task),
    )


SEED = ("mnist-seed", "fashion-seed", "svhn-seed")
TABLES_ELSEWHERE = {
    table.name: table
    for table in (
        TableElsewhere(
            name="table7",
            title="Table 7: the generalisation gap across zoos",
            trained_on=HYP,
            tested_on=HYP,
            task="ggap",
            columns=(f"ggap{TAU}",),
            picture=False,
        ),
        figure(11, "test accuracy", "acc", trained_on="mnist-hyp", tested_on=HYP),
        figure(12, "the epoch", "eph", trained_on="mnist-hyp", tested_on=HYP),
        figure(13, "the generalisation gap", "ggap", trained_on="mnist-hyp", tested_on=HYP),
        figure(14, "test accuracy", "acc", trained_on="mnist-seed", tested_on=SEED),
    )
}
