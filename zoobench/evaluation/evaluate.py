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
from zoobench.results.results import (
    BENCHMARK,
    RESULT,
    SCHEMA_VERSION,
    EmbedderStamp,
    Result,
    read_errors,
    read_predictions,
    read_result,
    write_result,
)
from zoobench.task.pair import ZooPair, zoos_of
from zoobench.task.targets import targets
from zoobench.task.tasks import Task
from zoogen import SPLITS, IntegrityError, Zoo, progress_bar

Named = TypeVar("Named")

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
) -> Result:
    """Score an embedder and keep the result; tasks that are already there are not done again.

    Args:
        embedder: What to score; it is copied, so it stays unfitted.
        zoo: On which population, or from which one to which other.
        tasks: What to predict.
        probe: What predicts it.
        folder: Where the result is kept. A result of other code, settings, zoo, probe or seeds
            that is found there is replaced, with a warning.
        seeds: One run of the embedder for each.
        stamp: How the embedder goes on record; by default it speaks for itself.

    Raises:
        EmbedderError: If the embedder breaks the protocol.
        IntegrityError: If a file of the zoo is not the one its manifest names.
        ZooError: If the folder cannot be written; finished tasks are kept.
    """
    stamp = stamp or embedder_stamp(embedder)
    result, missing = start(stamp, zoo, tasks, probe=probe.name, seeds=seeds, folder=folder)
    if not missing:
        return result
    runs = []
    title = f"{stamp.name} on {result.zoos}"
    with progress_bar(title, things="seeds", total=len(seeds), unit="seeds") as report:
        for seed in seeds:
            runs.append(embeddings_of(embedder, zoo, seed=seed))
            report(1)
    result = replace(
        result,
        embedding_dim=runs[0].splits["train"].shape[1],
        embedding_seconds=tuple(run.seconds for run in runs),
        reconstruction=score_reconstruction(folder, zoo.test.properties, runs),
    )
    write_result(folder, result)
    title = f"{probe.name} probe"
    with progress_bar(title, things="tasks", total=len(missing), unit="tasks") as report:
        predictions = predictions_of(runs, zoo, missing, probe)
        return finish(result, zoo, reported(predictions, report), folder=folder)


def start(
    stamp: EmbedderStamp,
    zoo: Zoo | ZooPair,
    tasks: Sequence[Task],
    *,
    probe: str,
    seeds: Sequence[int],
    folder: Path,
) -> tuple[Result, list[Task]]:
    """Begin a result, or take up an earlier one of the very same; return what is missing, too."""
    stamps = [zoo_stamp(one) for one in zoos_of(zoo)]
    fresh = Result(
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
    earlier = earlier_result(folder, fresh)
    missing = [task for task in tasks if not is_done(task, earlier)]
    kept = tuple(done for done in earlier.tasks if done.task not in {task.id for task in missing})
    # The same code may have been committed since, or be called by another name.
    reference = stamp.reference or earlier.embedder.reference
    result = replace(earlier, embedder=replace(stamp, reference=reference), tasks=kept)
    if missing:
        for _ in zoo.verify():
            pass
    elif result != earlier:
        write_result(folder, result)
    return result, missing


def is_done(task: Task, result: Result) -> bool:
    """Tell whether a result has this task in its current version."""
    done = result.by_task.get(task.id)
    return done is not None and (done.version, done.target) == (task.version, task.target)


def finish(
    result: Result,
    zoo: Zoo | ZooPair,
    predictions: Iterable[tuple[Task, Prediction, float]],
    *,
    folder: Path,
) -> Result:
    """Score task after task; the result is written anew after each."""
    test = targets(zoo.test)
    for task, prediction, seconds in predictions:
        scored = score_task(folder, test, task, prediction, seconds=seconds)
        result = replace(result, tasks=(*result.tasks, scored))
        write_result(folder, result)
    return result


def predictions_of(
    runs: Sequence[Embedded], zoo: Zoo | ZooPair, tasks: Sequence[Task], probe: Probe
) -> Iterator[tuple[Task, Prediction, float]]:
    """Predict the tasks, batch by batch; yield each with the seconds it took."""
    tables = {split: targets(zoo.part(split)) for split in SPLITS}
    for batch in batches(tasks, tables):
        begin = perf_counter()
        predicted = predict([run.splits for run in runs], tables, batch, probe)
        seconds = (perf_counter() - begin) / len(batch)
        for task, prediction in zip(batch, predicted, strict=True):
            yield task, prediction, seconds


def earlier_result(folder: Path, fresh: Result) -> Result:
    """Return what an earlier run of the very same evaluation finished, checked by hash.

    Tasks whose predictions are damaged are left out, all of them if the errors of a reconstruction
    are: it is scored anew with the next task. A result of anything else is replaced.
    """
    if not (folder / RESULT).exists():
        return fresh
    try:
        result = read_result(folder)
    except IntegrityError as error:
        log.warning("%s; evaluating again", error)
        return fresh
    if result.identity != fresh.identity:
        log.warning("%s holds a result of other code, settings, zoo or versions: replaced", folder)
        return fresh
    if result.reconstruction and not is_whole(read_errors, folder, result.reconstruction):
        return replace(result, tasks=(), reconstruction=None)
    whole = (task for task in result.tasks if is_whole(read_predictions, folder, task))
    return replace(result, tasks=tuple(whole))


def is_whole(read: Callable[[Path, Named], object], folder: Path, named: Named) -> bool:
    """Tell whether a file of a result is the one the result names."""
    try:
        read(folder, named)
    except IntegrityError:
        return False
    return True


def reported(
    predictions: Iterable[tuple[Task, Prediction, float]], report: Callable[[int], None]
) -> Iterator[tuple[Task, Prediction, float]]:
    """Pass predictions on; count each once it has been taken."""
    for prediction in predictions:
        yield prediction
        report(1)
