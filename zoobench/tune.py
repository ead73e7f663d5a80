"""Search over the settings of an embedder with Ray Tune; the validation split alone decides."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zoobench.cache import embeddings_of
from zoobench.embed import Embeddings
from zoobench.find import find_embedder
from zoobench.places import cache_folder
from zoobench.predict import batches, predict
from zoobench.probe import find_probe
from zoobench.run import Request
from zoobench.space import Choice, SearchSpace, Uniform
from zoobench.tasks import find_tasks
from zoogen import SPLITS, Zoo, ZooError, load_zoo, progress_bar, ray_cluster

DIGITS = 3
"""Significant ones of a number drawn: more say nothing and do not read well."""

SCORE = "validation_score"


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, as typed on the command line, and their score on validation."""

    settings: Mapping[str, str]
    score: float


def tune(request: Request, trials: int, *, seed: int = 0) -> list[Trial]:
    """Try settings of an embedder; the same seed tries the same again, from the cache.

    The first trial is the embedder as it was asked for, so a search never ends below it. Labels of
    the test split are neither read nor scored.

    Args:
        request: The embedder, its zoo, probe and tasks; settings named there are not searched.
        trials: How many to try.
        seed: Of what is drawn, and of the embedder in each trial.

    Returns:
        All trials, best first.

    Raises:
        ZooError: If the embedder offers nothing to search, Ray is not installed, or a trial fails.
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
    trial = partial(validation_score, request=request, seed=seed)
    title = f"{trials} settings of {embedder.name}"
    with progress_bar(title, things="trials", total=trials, unit="trials") as report:
        return sorted(
            run_trials(trial, space, first, trials, seed, report), key=lambda each: -each.score
        )


def run_trials(
    trial: Callable[[Mapping[str, str]], float],
    space: SearchSpace,
    first: Mapping[str, object],
    trials: int,
    seed: int,
    report: Callable[[int], None],
) -> list[Trial]:
    """Let Ray Tune run the trials, one to a core."""
    with ray_cluster("local"):
        from ray import tune as ray_tune
        from ray.tune.search.basic_variant import BasicVariantGenerator

        class Counted(ray_tune.Callback):
            def on_trial_complete(self, *_: Any, **__: Any) -> None:
                report(1)

            def __reduce__(self) -> tuple[type, tuple[()]]:
                return ray_tune.Callback, ()  # Ray writes callbacks down, and a bar cannot be

        tuner = ray_tune.Tuner(
            lambda drawn: {SCORE: trial(as_typed(drawn))},
            param_space={name: for_ray(drawn) for name, drawn in space.items()},
            tune_config=ray_tune.TuneConfig(
                num_samples=trials,
                metric=SCORE,
                mode="max",
                search_alg=BasicVariantGenerator(
                    points_to_evaluate=[dict(first)], random_state=seed
                ),
            ),
            run_config=ray_tune.RunConfig(
                storage_path=str(cache_folder() / "tune"), verbose=0, callbacks=[Counted()]
            ),
        )
        results = tuner.fit()
    for error in results.errors:
        raise ZooError(f"a trial failed: {str(error).strip().splitlines()[-1]}") from error
    found = (results[number] for number in range(len(results)))
    return [Trial(as_typed(each.config or {}), (each.metrics or {})[SCORE]) for each in found]


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


def validation_score(drawn: Mapping[str, str], *, request: Request, seed: int) -> float:
    """Return the mean score over tasks on the validation split, by which probes choose too."""
    embedder = find_embedder(request.embedder, {**request.settings, **drawn})
    zoo = load_zoo(request.zoo)
    embeddings = embeddings_of(embedder, zoo, seed=seed).splits
    return float(np.mean([*held_out_scores(embeddings, zoo, request)]))


def held_out_scores(embeddings: Embeddings, zoo: Zoo, request: Request) -> Iterator[float]:
    """Score each task on the validation split, which also stands in where the test split would."""
    shown = {split: split if split != "test" else "validation" for split in SPLITS}
    tables = {split: zoo.part(part).properties for split, part in shown.items()}
    rows = {split: embeddings[part] for split, part in shown.items()}
    for batch in batches(find_tasks(zoo.spec, request.tasks), tables):
        for prediction in predict([rows], tables, batch, find_probe(request.probe)):
            yield prediction.validation_scores[0]
