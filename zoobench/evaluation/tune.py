"""Search the settings of an embedder with Ray Tune, scored on the validation split only."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from math import inf, isfinite
from statistics import fmean
from typing import Any

from zoobench.embedders.cache import embeddings_of
from zoobench.embedders.embed import Embeddings
from zoobench.embedders.find import find_embedder
from zoobench.embedders.space import Choice, SearchSpace, Uniform
from zoobench.evaluation.run import Evaluation
from zoobench.places import cache_folder
from zoobench.probes.predict import batches, predict
from zoobench.probes.probe import find_probe
from zoobench.task.targets import targets
from zoobench.task.tasks import find_tasks
from zoogen import SPLITS, Zoo, ZooError, load_zoo, ray_cluster
from zoogen.progress import progress_bar

DIGITS = 3
"""Significant digits of a drawn number: more are noise and hard to read."""

SCORE = "score"


@dataclass(frozen=True)
class Trial:
    """One try of a search.

    Attributes:
        settings: Settings that differ from those asked for, as typed on the command line.
        score: Mean over tasks on the validation split; minus infinity if the trial failed.
        reason: Reason why it failed, or empty.
    """

    settings: Mapping[str, str]
    score: float
    reason: str = ""


def tune(evaluation: Evaluation, trials: int, *, seed: int = 0) -> list[Trial]:
    """Try settings of an embedder; the same seed repeats the same trials from the cache.

    The first trial is the embedder as asked for, so a search never ends below it. The search
    neither reads nor scores labels of the test split.

    Args:
        evaluation: Embedder, zoo, probe and tasks. Its settings are fixed, the others searched.
        trials: Number of trials.
        seed: Seed of the draws, and of the embedder in each trial.

    Returns:
        All trials, best first, failed ones last.

    Raises:
        ZooError: If the embedder has no setting to search, Ray is not installed, or all trials
            fail.
        KeyboardInterrupt: If the search is interrupted; finished trials are in the cache.
    """
    embedder = find_embedder(evaluation.embedder, evaluation.settings)
    space = {
        name: drawn
        for name, drawn in getattr(embedder, "search_space", {}).items()
        if name not in evaluation.settings
    }
    if not space:
        raise ZooError(
            f"{embedder.name} has no setting to search; give it a search_space or drop --set"
        )
    first = {name: getattr(embedder, name) for name in space}
    trial = partial(run_trial, evaluation=evaluation, first=first, seed=seed)
    title = f"{trials} settings of {embedder.name}"
    with progress_bar(title, things="trials", total=trials, unit="trials") as report:
        found = sorted(
            run_trials(trial, space, first, trials, seed, report), key=lambda each: -each.score
        )
    if not isfinite(found[0].score):
        raise ZooError(f"every trial of {embedder.name} failed; the first: {found[0].reason}")
    return found


def run_trials(
    trial: Callable[[Mapping[str, object]], Trial],
    space: SearchSpace,
    first: Mapping[str, object],
    trials: int,
    seed: int,
    report: Callable[[int], None],
) -> list[Trial]:
    """Run the trials with Ray Tune, one per core."""
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")  # keep relative paths valid
    with ray_cluster("local"):
        from ray import tune as ray_tune
        from ray.tune.search.basic_variant import BasicVariantGenerator

        class Counted(ray_tune.Callback):
            def on_trial_complete(self, *_: Any, **__: Any) -> None:
                report(1)

            def __reduce__(self) -> tuple[type, tuple[()]]:
                return ray_tune.Callback, ()  # Ray pickles callbacks; a progress bar it cannot

        tuner = ray_tune.Tuner(
            lambda drawn: asdict(trial(drawn)),
            param_space={name: ray_domain(drawn) for name, drawn in space.items()},
            tune_config=ray_tune.TuneConfig(
                num_samples=trials,
                metric=SCORE,
                mode="max",
                search_alg=BasicVariantGenerator([dict(first)], random_state=seed),
            ),
            run_config=ray_tune.RunConfig(
                storage_path=str((cache_folder() / "tune").resolve()),
                verbose=0,
                callbacks=[Counted()],
            ),
        )
        results = tuner.fit()
    for error in results.errors:
        raise ZooError(f"a trial failed: {str(error).strip().splitlines()[-1]}") from error
    found = [results[number].metrics or {} for number in range(len(results))]
    if any(SCORE not in each for each in found):  # Ray Tune ends quietly on Ctrl-C
        raise KeyboardInterrupt
    return [Trial(each["settings"], each[SCORE], each["reason"]) for each in found]


def ray_domain(drawn: Uniform | Choice) -> Any:
    """Convert the range of a setting to Ray Tune's."""
    from ray import tune as ray_tune

    if isinstance(drawn, Choice):
        return ray_tune.choice(list(drawn.values))
    draw = ray_tune.loguniform if drawn.log else ray_tune.uniform
    return draw(drawn.low, drawn.high)


def as_typed(drawn: Mapping[str, object]) -> dict[str, str]:
    """Return settings as a user would type them, numbers with ``DIGITS`` digits."""
    return {
        name: f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
        for name, value in sorted(drawn.items())
    }


def run_trial(
    drawn: Mapping[str, object], *, evaluation: Evaluation, first: Mapping[str, object], seed: int
) -> Trial:
    """Score drawn settings on the validation split; an error makes a failed trial."""
    changed = as_typed({name: value for name, value in drawn.items() if value != first[name]})
    try:
        embedder = find_embedder(evaluation.embedder, {**evaluation.settings, **changed})
        zoo = load_zoo(evaluation.zoo)
        embeddings = embeddings_of(embedder, zoo, seed=seed).splits
        scores = [*held_out_scores(embeddings, zoo, evaluation)]
    except ZooError as error:
        return Trial(changed, -inf, str(error))
    defined = [score for score in scores if isfinite(score)]
    if not defined:
        return Trial(changed, -inf, "no task varies on the validation split")
    return Trial(changed, fmean(defined))


def held_out_scores(embeddings: Embeddings, zoo: Zoo, evaluation: Evaluation) -> Iterator[float]:
    """Score each task on the validation split, which also replaces the test split."""
    shown = {split: split if split != "test" else "validation" for split in SPLITS}
    tables = {split: targets(zoo.part(part)) for split, part in shown.items()}
    rows = {split: embeddings[part] for split, part in shown.items()}
    for batch in batches(find_tasks(zoo.spec, evaluation.tasks), tables):
        for prediction in predict([rows], tables, batch, find_probe(evaluation.probe)):
            yield prediction.validation_scores[0]
