"""Run an evaluation that is given by names: find embedder, probe, zoo and tasks, and score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoobench.embedders.embed import Embedder
from zoobench.embedders.find import as_embedder, embedder_names, find_embedder
from zoobench.embedders.provenance import embedder_stamp
from zoobench.evaluation.evaluate import evaluate
from zoobench.evaluation.reference_rows import (
    REFERENCE_PROBE,
    REFERENCES,
    STATISTICS,
    evaluate_reference,
)
from zoobench.probes.probe import Probe, find_probe
from zoobench.results.record import Record
from zoobench.results.stamps import EmbedderStamp
from zoobench.results.store import label, result_folder
from zoobench.task.elsewhere import tasks_elsewhere
from zoobench.task.pair import ZooPair, name_of
from zoobench.task.tasks import Task, find_tasks
from zoogen import ZOOS, Zoo, load_zoo


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What to evaluate, by name.

    Attributes:
        embedder: Name that ``find_embedder`` takes, or an embedder.
        zoo: Registered name, folder, or address on the Hub.
        probe: Name of the probe.
        settings: Settings of the embedder, as typed on the command line.
        tasks: Task ids; all tasks of the zoo if empty.
        seeds: Number of runs of the embedder, with seeds 0, 1, ….
    """

    embedder: Any
    zoo: str
    probe: str = "standard"
    settings: Mapping[str, str]
    tasks: tuple[str, ...] = ()
    seeds: int = 1


@dataclass(frozen=True)
class Method:
    """An embedder and a probe, found before a zoo is loaded: neither has seen a label."""

    embedder: Embedder
    stamp: EmbedderStamp
    probe: Probe


def run(evaluation: Evaluation, root: Path, *, references: bool) -> Record:
    """Evaluate on one zoo.

    Args:
        evaluation: What to evaluate.
        root: Folder of all results.
        references: Whether to score chance, hyper-parameters and layer statistics too.

    Raises:
        UnknownNameError: If a zoo, embedder, setting, task or probe is unknown.
        ZooError: If the embedder breaks the protocol, or a file cannot be read or written.
    """
    method = find_method(evaluation)
    zoo = load_for(evaluation)
    return run_on(zoo, method, evaluation, root, references=references)


def load_for(evaluation: Evaluation) -> Zoo:
    """Load the zoo that is named; an unknown task fails before a zoo is built in vain."""
    if evaluation.zoo in ZOOS:
        find_tasks(ZOOS[evaluation.zoo], evaluation.tasks)
    return load_zoo(evaluation.zoo)


def run_elsewhere(evaluation: Evaluation, other: str, root: Path, *, references: bool) -> Record:
    """Learn on one zoo and score on the test split of another; regressions only.

    Args:
        evaluation: What to evaluate.
        other: Zoo to test on: registered name, folder, or address on the Hub.
        root: Folder of all results.
        references: Whether to score chance, hyper-parameters and layer statistics too.

    Raises:
        ZooError: As ``run``, or if the two zoos have different networks.
    """
    method = find_method(evaluation)
    pair = ZooPair(load_zoo(evaluation.zoo), load_zoo(other))
    return run_on(pair, method, evaluation, root, references=references)


def find_method(evaluation: Evaluation) -> Method:
    """Find embedder and probe, and stamp the embedder.

    Raises:
        UnknownNameError: If the embedder, a setting or the probe is unknown.
    """
    if isinstance(evaluation.embedder, str):
        reference = evaluation.embedder
        embedder = find_embedder(reference, evaluation.settings)
    else:
        reference = ""
        embedder = as_embedder(evaluation.embedder, evaluation.settings)
    name = label(embedder.name, evaluation.settings)
    stamp = embedder_stamp(embedder, name=name, reference=reference)
    return Method(embedder, stamp, find_probe(evaluation.probe))


def run_on(
    zoo: Zoo | ZooPair, method: Method, evaluation: Evaluation, root: Path, *, references: bool
) -> Record:
    """Evaluate a method on a loaded zoo, and also score the reference rows if asked to."""
    tasks = (
        tasks_elsewhere(zoo, evaluation.tasks)
        if isinstance(zoo, ZooPair)
        else find_tasks(zoo.spec, evaluation.tasks)
    )
    name, probe = method.stamp.name, method.probe
    record = evaluate(
        method.embedder,
        zoo,
        tasks,
        probe=probe,
        folder=result_folder(root, name, name_of(zoo), probe.name),
        seeds=range(evaluation.seeds),
        stamp=method.stamp,
    )
    if references:
        run_references(zoo, tasks, probe, root, but=name)
    return record


def run_references(
    zoo: Zoo | ZooPair, tasks: Sequence[Task], probe: Probe, root: Path, *, but: str
) -> None:
    """Score chance, hyper-parameters and layer statistics.

    Args:
        zoo: Zoo or pair to score on.
        tasks: Tasks to score.
        probe: Probe of the layer statistics.
        root: Folder of all results.
        but: Name of the embedder that is already scored.
    """
    zoo_name = name_of(zoo)
    for name in REFERENCES:
        folder = result_folder(root, name, zoo_name, REFERENCE_PROBE)
        evaluate_reference(name, zoo, tasks, folder=folder)
    if but != STATISTICS and STATISTICS in embedder_names():
        statistics = find_embedder(STATISTICS)
        evaluate(
            statistics,
            zoo,
            tasks,
            probe=probe,
            folder=result_folder(root, STATISTICS, zoo_name, probe.name),
            stamp=embedder_stamp(statistics, name=STATISTICS, reference=STATISTICS),
        )
