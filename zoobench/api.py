"""The Python API: evaluate an embedder, and list the tasks of a zoo."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoobench.evaluation.run import Evaluation, find_method, load_for, run_on
from zoobench.report.result import Result
from zoobench.task.pair import ZooPair, name_of
from zoobench.task.tasks import Task, tasks_of
from zoogen import Zoo, find_spec


def evaluate(
    embedder: Any,
    zoo: str | Path | Zoo | ZooPair = "tetris-seed",
    *,
    tasks: Sequence[str] = (),
    probe: str = "standard",
    seeds: int = 1,
    settings: Mapping[str, object] | None = None,
    references: bool = True,
    root: str | Path = "results",
) -> Result:
    """Score an embedder on the tasks of a zoo, as ``zoobench evaluate`` does.

    The result is saved task by task. After an interruption the same call continues; once all tasks
    are done it returns at once.

    Args:
        embedder: Name that ``find_embedder`` takes, ``Embedder``, or any estimator of scikit-learn
            with ``fit`` and ``transform``.
        zoo: Registered name, folder, ``hub:OWNER/NAME@REVISION``, loaded zoo, or a ``ZooPair`` to
            learn on one zoo and test on another.
        tasks: Task ids, see ``zoobench.tasks``; by default all tasks of the zoo.
        probe: ``standard``, ``paper`` or ``boosted``.
        seeds: Number of runs of the embedder, 1 or more, with seeds 0, 1, ….
        settings: Settings of the embedder by name; they become part of the result's name.
        references: Whether to score chance, hyper-parameters and layer statistics too.
        root: Folder of all results.

    Raises:
        UnknownNameError: If a zoo, embedder, setting, task or probe is unknown.
        EmbedderError: If the embedder breaks the protocol.
        ZooError: If a file cannot be read or written; finished tasks are kept.

    Example:
        >>> import zoobench
        >>> from sklearn.decomposition import PCA
        >>> result = zoobench.evaluate(PCA(n_components=8), zoo="tetris-seed", tasks=["eph"])
        >>> list(result.scores.columns)
        ['metric', 'score', 'low', 'high', 'chance', 'hyper-parameters', 's(W)', 'paper']
    """
    evaluation = Evaluation(
        embedder=embedder,
        zoo=name_of(zoo) if isinstance(zoo, Zoo | ZooPair) else str(zoo),
        probe=probe,
        settings={name: str(value) for name, value in (settings or {}).items()},
        tasks=tuple(tasks),
        seeds=seeds,
    )
    method = find_method(evaluation)
    loaded = zoo if isinstance(zoo, Zoo | ZooPair) else load_for(evaluation)
    record = run_on(loaded, method, evaluation, Path(root), references=references)
    return Result(record, loaded, Path(root))


def tasks(zoo: str | Zoo) -> dict[str, Task]:
    """Return the tasks of a zoo by id.

    Args:
        zoo: Registered name, your own spec as ``module:attribute``, or loaded zoo.

    Raises:
        UnknownNameError: If no zoo has that name.

    Example:
        >>> import zoobench
        >>> list(zoobench.tasks("tetris-seed"))
        ['eph', 'acc', 'ggap', 'f1_c0', 'f1_c1', 'f1_c2', 'f1_c3']
    """
    return tasks_of(zoo.spec if isinstance(zoo, Zoo) else find_spec(zoo))
