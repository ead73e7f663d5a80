"""Score an embedder on a zoo: embed, fit probes on train, choose on validation, score test once."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from zoobench.embedders.cache import embeddings_of
from zoobench.embedders.embed import Embedded, Embedder
from zoobench.embedders.provenance import embedder_stamp, machine, package_versions, zoo_stamp
from zoobench.evaluation.score import score_reconstruction, score_task
from zoobench.probes.predict import Prediction, batches, predict
from zoobench.probes.probe import Probe
from zoobench.results.files import (
    RESULT,
    read_predictions,
    read_result,
    read_squared_errors,
    write_result,
)
from zoobench.results.record import SCHEMA_VERSION, Record
from zoobench.results.stamps import BENCHMARK, EmbedderStamp
from zoobench.task.pair import ZooPair, zoos_of
from zoobench.task.targets import targets
from zoobench.task.tasks import Task
from zoogen import SPLITS, IntegrityError, Zoo
from zoogen.progress import progress_bar

Scored = TypeVar("Scored")

log = logging.getLogger(__name__)


def evaluate(
    embedder: Embedder,
    zoo: Zoo | ZooPair,
    tasks: Sequence[Task],
    *,
    probe: Probe,
    folder: Path,
    seeds: Sequence[int] = (0,),
    stamp: EmbedderStamp | None = None,
) -> Record:
    """Score an embedder and save its record; finished tasks are not done again.

    Args:
        embedder: Embedder to score; it is copied and stays unfitted.
        zoo: Zoo to score on, or pair to learn on one and score on the other.
        tasks: Tasks to score.
        probe: Probe that predicts the tasks.
        folder: Folder of the result. A warning says so if it replaces a result of other code,
            settings, zoo, probe or seeds.
        seeds: Seeds of the embedder, one run for each.
        stamp: Stamp of the embedder, made here if not given.

    Raises:
        EmbedderError: If the embedder breaks the protocol.
        IntegrityError: If a file of the zoo is not the one its manifest names.
        ZooError: If the folder cannot be written; finished tasks are kept.
    """
    stamp = stamp or embedder_stamp(embedder)
    record, missing = open_record(stamp, zoo, tasks, probe=probe.name, seeds=seeds, folder=folder)
    if not missing:
        return record
    runs = []
    title = f"{stamp.name} on {record.zoos}"
    with progress_bar(title, things="seeds", total=len(seeds), unit="seeds") as report:
        for seed in seeds:
            runs.append(embeddings_of(embedder, zoo, seed=seed, stamp=stamp))
            report(1)
    record = replace(
        record,
        embedding_dim=runs[0].splits["train"].shape[1],
        embedding_seconds=tuple(run.seconds for run in runs),
        reconstruction=score_reconstruction(folder, zoo.test.properties, runs),
    )
    write_result(folder, record)
    title = f"{probe.name} probe"
    with progress_bar(title, things="tasks", total=len(missing), unit="tasks") as report:
        predictions = predictions_of(runs, zoo, missing, probe)
        return score_tasks(record, zoo, reported(predictions, report), folder=folder)


def open_record(
    stamp: EmbedderStamp,
    zoo: Zoo | ZooPair,
    tasks: Sequence[Task],
    *,
    probe: str,
    seeds: Sequence[int],
    folder: Path,
) -> tuple[Record, list[Task]]:
    """Start a record, or continue an earlier one of the same evaluation.

    Returns:
        The record, and the tasks it lacks.
    """
    stamps = [zoo_stamp(one) for one in zoos_of(zoo)]
    fresh = Record(
        schema_version=SCHEMA_VERSION,
        benchmark=BENCHMARK,
        embedder=stamp,
        zoo=stamps[0],
        probe=probe,
        seeds=tuple(seeds),
        embedding_dim=0,
        embedding_seconds=(),
        tasks=(),
        versions=package_versions(stamp.cls),
        machine=machine(),
        tested_on=stamps[1] if len(stamps) > 1 else None,
    )
    earlier = earlier_record(folder, fresh)
    missing = [task for task in tasks if not is_done(task, earlier)]
    kept = tuple(done for done in earlier.tasks if done.task not in {task.id for task in missing})
    # Since then, the same code may have been committed or named in another way.
    reference = stamp.reference or earlier.embedder.reference
    record = replace(earlier, embedder=replace(stamp, reference=reference), tasks=kept)
    if missing:
        for _ in zoo.verify():
            pass
    elif record != earlier:
        write_result(folder, record)
    return record, missing


def is_done(task: Task, record: Record) -> bool:
    """Tell whether a record has this task in its current version."""
    done = record.by_task.get(task.id)
    return done is not None and (done.version, done.target) == (task.version, task.target)


def score_tasks(
    record: Record,
    zoo: Zoo | ZooPair,
    predictions: Iterable[tuple[Task, Prediction, float]],
    *,
    folder: Path,
) -> Record:
    """Score predictions task by task and write the record after each."""
    test = targets(zoo.test)
    for task, prediction, seconds in predictions:
        scored = score_task(folder, test, task, prediction, seconds=seconds)
        record = replace(record, tasks=(*record.tasks, scored))
        write_result(folder, record)
    return record


def predictions_of(
    runs: Sequence[Embedded], zoo: Zoo | ZooPair, tasks: Sequence[Task], probe: Probe
) -> Iterator[tuple[Task, Prediction, float]]:
    """Predict tasks batch by batch; yield each with the seconds it took."""
    tables = {split: targets(zoo.part(split)) for split in SPLITS}
    for batch in batches(tasks, tables):
        start = perf_counter()
        predicted = predict([run.splits for run in runs], tables, batch, probe)
        seconds = (perf_counter() - start) / len(batch)
        for task, prediction in zip(batch, predicted, strict=True):
            yield task, prediction, seconds


def earlier_record(folder: Path, fresh: Record) -> Record:
    """Return the record of an earlier run of the same evaluation, or ``fresh``.

    The record loses tasks whose predictions are damaged. It loses all tasks if the errors of a
    reconstruction are damaged, which are made again with the next task.
    """
    if not (folder / RESULT).exists():
        return fresh
    try:
        record = read_result(folder)
    except IntegrityError as error:
        log.warning("%s; evaluating again", error)
        return fresh
    if record.identity != fresh.identity:
        log.warning("%s holds a result of other code, settings, zoo or versions; replaced", folder)
        return fresh
    if record.reconstruction and not is_whole(read_squared_errors, folder, record.reconstruction):
        return replace(record, tasks=(), reconstruction=None)
    whole = (task for task in record.tasks if is_whole(read_predictions, folder, task))
    return replace(record, tasks=tuple(whole))


def is_whole(read: Callable[[Path, Scored], object], folder: Path, scored: Scored) -> bool:
    """Tell whether the file of a score is the one the record names."""
    try:
        read(folder, scored)
    except IntegrityError:
        return False
    return True


def reported(
    predictions: Iterable[tuple[Task, Prediction, float]], report: Callable[[int], None]
) -> Iterator[tuple[Task, Prediction, float]]:
    """Pass predictions on; report each when the next is asked for."""
    for prediction in predictions:
        yield prediction
        report(1)
