"""Search over the settings of an embedder with Ray Tune; the validation split alone decides."""

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
from zoobench.evaluation.run import Request
from zoobench.places import cache_folder
from zoobench.probes.predict import batches, predict
from zoobench.probes.probe import find_probe
from zoobench.task.targets import targets
from zoobench.task.tasks import find_tasks
from zoogen import SPLITS, Zoo, ZooError, load_zoo, progress_bar, ray_cluster

DIGITS = 3
"""Significant ones of a number drawn: more say nothing and do not read well."""

SCORE = "score"


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, as typed on the command line.

    Attributes:
        settings: Those that differ from what was asked for.
        score: Mean over tasks on the validation split; minus infinity of a trial that failed.
        reason: Why it failed, or nothing.
    """

    settings: Mapping[str, str]
    score: float
    reason: str = ""


def tune(request: Request, trials: int, *, seed: int = 0) -> list[Trial]:
    """Try settings of an embedder; the same seed tries the same again, from the cache.

    The first trial is the embedder as it was asked for, so a search never ends below it. Labels of
    the test split are neither read nor scored.

    Args:
        request: The embedder, its zoo, probe and tasks; settings named there are not searched.
        trials: How many to try.
        seed: Of what is drawn, and of the embedder in each trial.

    Returns:
        All trials, best first, those that failed last.

    Raises:
        ZooError: If the embedder offers nothing to search, Ray is not installed, or all trials
            fail.
        KeyboardInterrupt: If it was stopped; the trials that ended are in the cache.
    """
    embedder = find_embedder(request.embedder, request.settings)
    space = {
        name: drawn
        for name, drawn in getattr(embedder, "search_space", {}).items()
        if name not in request.settings
    }
    if not space:
        raise ZooError(
            f"{embedder.name} leaves no setting open; give it a search_space or drop --set"
        )
    first = {name: getattr(embedder, name) for name in space}
    trial = partial(tried, request=request, first=first, seed=seed)
    title = f"{trials} settings of {embedder.name}"
    with progress_bar(title, things="trials", total=trials, unit="trials") as report:
        found = sorted(
            run_trials(trial, space, first, trials, seed, report), key=lambda each: -each.score
        )
    if not isfinite(found[0].score):
        raise ZooError(f"no trial of {embedder.name} came to a score; the first: {found[0].reason}")
    return found


def run_trials(
    trial: Callable[[Mapping[str, object]], Trial],
    space: SearchSpace,
    first: Mapping[str, object],
    trials: int,
    seed: int,
    report: Callable[[int], None],
) -> list[Trial]:
    """Let Ray Tune run the trials, one to a core."""
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")  # files are named from where we are
    with ray_cluster("local"):
        from ray import tune as ray_tune
        from ray.tune.search.basic_variant import BasicVariantGenerator

        class Counted(ray_tune.Callback):
            def on_trial_complete(self, *_: Any, **__: Any) -> None:
                report(1)

            def __reduce__(self) -> tuple[type, tuple[()]]:
                return ray_tune.Callback, ()  # Ray writes callbacks down, and a bar cannot be

        tuner = ray_tune.Tuner(
            lambda drawn: asdict(trial(drawn)),
            param_space={name: for_ray(drawn) for name, drawn in space.items()},
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


def for_ray(drawn: Uniform | Choice) -> Any:
    """Write what is left open as Ray Tune does."""
    from ray import tune as ray_tune

    if isinstance(drawn, Choice):
        return ray_tune.choice(list(drawn.values))
    draw = ray_tune.loguniform if drawn.log else ray_tune.uniform
    return draw(drawn.low, drawn.high)


def as_typed(drawn: Mapping[str, object]) -> dict[str, str]:
    """Write settings as they would be typed, numbers with few digits."""
    return {
        name: f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
        for name, value in sorted(drawn.items())
    }


def tried(
    drawn: Mapping[str, object], *, request: Request, first: Mapping[str, object], seed: int
) -> Trial:
    """Score settings on the validation split; an embedder that cannot have them is a trial, too."""
    changed = as_typed({name: value for name, value in drawn.items() if value != first[name]})
    try:
        embedder = find_embedder(request.embedder, {**request.settings, **changed})
        zoo = load_zoo(request.zoo)
        embeddings = embeddings_of(embedder, zoo, seed=seed).splits
        scores = [*held_out_scores(embeddings, zoo, request)]
    except ZooError as error:
        return Trial(changed, -inf, str(error))
    defined = [score for score in scores if isfinite(score)]
    if not defined:
        return Trial(changed, -inf, "no task varies on the validation split")
    return Trial(changed, fmean(defined))


def held_out_scores(embeddings: Embeddings, zoo: Zoo, request: Request) -> Iterator[float]:
    """Score each task on the validation split, which also stands in where the test split would."""
    shown = {split: split if split != "test" else "validation" for split in SPLITS}
    tables = {split: targets(zoo.part(part)) for split, part in shown.items()}
    rows = {split: embeddings[part] for split, part in shown.items()}
    for batch in batches(find_tasks(zoo.spec, request.tasks), tables):
        for prediction in predict([rows], tables, batch, find_probe(request.probe)):
            yield prediction.validation_scores[0]
