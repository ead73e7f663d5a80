"""Tasks: predict one property of a snapshot from its embedding."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from zoobench.task.metrics import MetricName
from zoobench.task.targets import RUNNING, RUNNING_GAP_TARGET
from zoogen import AnySpec, UnknownNameError

Kind = Literal["regression", "classification"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One property to predict and how the prediction is scored.

    Attributes:
        id: Short name, as in the paper's tables.
        target: Column of ``zoo.properties``.
        kind: A regression predicts a number, a classification one of the values seen in training.
        metric: ``r2`` in (−∞, 1], ``accuracy`` in [0, 1] or ``kendall_tau`` in [−1, 1].
        summary: What a good score means.
        version: Raised when the scores of two versions are not comparable.
    """

    id: str
    target: str
    kind: Kind = "regression"
    metric: MetricName = "r2"
    summary: str
    version: int = 1


GAP = Task(id="ggap", target="generalisation_gap", summary="train accuracy minus test accuracy")
RUNNING_GAP = Task(
    id="ggap_running",
    target=RUNNING_GAP_TARGET,
    summary="running train accuracy of the epoch minus test accuracy, the gap of the paper",
)
MEASURED = (
    Task(id="eph", target="epoch", summary="how long the network was trained, in epochs"),
    Task(id="acc", target="test_accuracy", summary="how well the network classifies unseen images"),
    GAP,
)
CHOSEN = (
    Task(id="lr", target="learning_rate", summary="the learning rate, as it is (no logarithm)"),
    Task(id="l2", target="weight_decay", summary="the coupled L2 penalty"),
    Task(id="drop", target="dropout", summary="the share of hidden units dropped in training"),
    Task(id="tf", target="train_fraction", summary="the share of the train images it was shown"),
    Task(
        id="act",
        target="activation",
        kind="classification",
        metric="accuracy",
        summary="the activation function",
    ),
    Task(
        id="init",
        target="initialiser",
        kind="classification",
        metric="accuracy",
        summary="the distribution of the starting weights",
    ),
    Task(
        id="opt",
        target="optimiser",
        kind="classification",
        metric="accuracy",
        summary="the optimiser",
    ),
)


def class_f1_task(label: int) -> Task:
    """Return the task of predicting the test F1 of one class."""
    return Task(
        id=f"f1_c{label}",
        target=f"f1_class_{label}",
        summary=f"F1 of class {label} on unseen images",
    )


def tasks_of(spec: AnySpec) -> dict[str, Task]:
    """Return the tasks of a zoo by id: one for each measured and each varied property."""
    classes = spec.network.classes
    measured = (*MEASURED, *(class_f1_task(label) for label in range(classes)))
    tasks = (
        *(task for task in measured if task.target in {"epoch", *spec.measured}),
        *(task for task in CHOSEN if task.target in spec.varied),
    )
    return {task.id: task for task in tasks}


def named_tasks(spec: AnySpec) -> dict[str, Task]:
    """Return the tasks of a zoo that are scored only on request."""
    return {RUNNING_GAP.id: RUNNING_GAP} if RUNNING in spec.measured else {}


def find_tasks(spec: AnySpec, ids: Iterable[str]) -> tuple[Task, ...]:
    """Return the named tasks, or all tasks of a zoo if none is named.

    Raises:
        UnknownNameError: If the zoo has no such task; the message lists the closest.
    """
    tasks = tasks_of(spec)
    known = tasks | named_tasks(spec)
    for name in (wanted := list(ids)):
        if name not in known:
            raise UnknownNameError(f"task of {spec.name}", name, known)
    return tuple(known[name] for name in wanted) or tuple(tasks.values())
