"""Table 7 and Figures 11 to 14 of the paper: what was learned on one zoo, tried on others."""

from dataclasses import dataclass

from baselines.paper.tables import CNN_FAST, SELF_SUPERVISED, STATISTICS, Row
from zoobench.task.elsewhere import TAU

HYP = ("mnist-hyp", "fashion-hyp", "svhn-hyp", "cifar10-hyp")


@dataclass(frozen=True, kw_only=True)
class OodTable:
    """A table or figure of the paper across zoos.

    Attributes:
        trained_on: Zoos to learn from; each makes a section.
        tested_on: Zoos to be tested on, one to a column; the one learned from may be among them.
        task: What is predicted.
        columns: Ids of the task by each metric; each makes a table of the section.
        picture: Whether the paper draws predictions against what is true.
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
) -> OodTable:
    """Describe one of the figures, which are alike."""
    return OodTable(
        name=f"fig{number}",
        title=f"Figure {number}: {what} across zoos, learned on {trained_on}",
        trained_on=(trained_on,),
        tested_on=tested_on,
        task=task,
        columns=(f"{task}{TAU}", task),
    )


SEED = ("mnist-seed", "fashion-seed", "svhn-seed")
OOD_TABLES = {
    table.name: table
    for table in (
        OodTable(
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
