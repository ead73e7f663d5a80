"""Which Tetris images give populations like the paper's? Run: ``python -m studies.tetris_images``.

Trains 300 models of tetris-seed or tetris-hyp on each setting and scores raw weights and layer
statistics with the paper's probe. Rows go to ``docs/results/tetris-images.csv`` one by one, so an
interrupted study resumes where it stopped. Results and conclusions are in
``docs/decisions/0002-tetris-images.md``.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from loky import ProcessPoolExecutor

from baselines.weight_statistics import embedder as weight_statistics
from zoobench.probes.ridge import paper_ridge
from zoobench.task.metrics import r2
from zoogen import Weights, zoo_spec
from zoogen.device import one_thread
from zoogen.images.sets import tetris_set
from zoogen.images.tetris import Tetris
from zoogen.spec.configs import ModelConfig, model_configs
from zoogen.spec.split import SPLITS, model_splits
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.train.models import train_and_measure
from zoogen.train.paths import training_path

MODELS = 300
CHOSEN = Tetris()
TARGETS = {"eph": "epoch", "acc": "test_accuracy", "ggap": "generalisation_gap"}
RESULTS = Path(__file__).parents[1] / "docs" / "results" / "tetris-images.csv"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One population to try: a zoo, and the images to train it on."""

    zoo: str = "tetris-seed"
    images: Tetris = CHOSEN

    @property
    def fields(self) -> dict[str, str]:
        """Columns of the setting in the results file."""
        images = {name: str(value) for name, value in asdict(self.images).items()}
        images["shapes"] = "".join(self.images.shapes)
        return {"zoo": self.zoo, **images}


def image_settings() -> Iterator[Tetris]:
    """Vary one thing at a time around the published images, but train and test noise together."""
    yield CHOSEN
    yield replace(CHOSEN, train_images=1000, train_noise=0.1, test_noise=0.5, mean=0.0)
    for train_noise, test_noise in (
        *((0.2, 0.6), (0.2, 0.8), (0.2, 1.0), (0.3, 0.6)),
        *((0.4, 1.0), (0.5, 0.8), (0.5, 1.0), (0.6, 0.8), (0.6, 1.0)),
    ):
        yield replace(CHOSEN, train_noise=train_noise, test_noise=test_noise)
    for mean in (0.0, 0.1, 0.25, 0.35):
        yield replace(CHOSEN, mean=mean)
    for train_images in (1000, 4000):
        yield replace(CHOSEN, train_images=train_images)
    for placement in ("two", "all"):
        yield replace(CHOSEN, placement=placement)
    for shapes in (("I", "O", "S", "Z"), ("T", "S", "L", "J")):
        yield replace(CHOSEN, shapes=shapes)


def settings() -> list[Setting]:
    """Return every setting of the images on both zoos."""
    return [
        Setting(zoo=zoo, images=images)
        for images in dict.fromkeys(image_settings())
        for zoo in ("tetris-seed", "tetris-hyp")
    ]


def sample(spec: ZooSpec) -> list[ModelConfig]:
    """Choose ``MODELS`` models spread evenly over the zoo."""
    configs = model_configs(spec)
    return [
        configs[place] for place in np.linspace(0, len(configs) - 1, MODELS).round().astype(int)
    ]


def score(setting: Setting) -> dict[str, str]:
    """Train a population on one setting; return the test R² of both embedders in percent."""
    spec = zoo_spec(setting.zoo)
    configs = sample(spec)
    with one_thread():
        snapshots = train_and_measure(
            spec,
            configs,
            tetris_set(setting.images),
            path=training_path(spec.network, "cpu"),
            device="cpu",
            report=lambda _: None,
        )
    epochs = np.broadcast_to(np.arange(1.0, spec.epochs + 1), (MODELS, spec.epochs))
    columns = {**snapshots.measured, "epoch": epochs}
    targets = np.stack([columns[name].reshape(-1) for name in TARGETS.values()], axis=1)
    flat = snapshots.weights.reshape(-1, spec.network.layout.params)
    embeddings = {
        "w": flat,
        "s": weight_statistics.transform(Weights([flat], spec.network.layout)),
    }
    splits = model_splits(spec, model_configs(spec))
    rows = {
        split: np.repeat([splits[config.model] == split for config in configs], spec.epochs)
        for split in SPLITS
    }
    scores: dict[str, str] = {}
    for name, features in embeddings.items():
        train, validation, test = (
            (features[rows[split]], targets[rows[split]]) for split in SPLITS
        )
        predicted = paper_ridge(*train, *validation).map(test[0])
        for task, truth, guess in zip(TARGETS, test[1].T, predicted.T, strict=True):
            scores[f"{name}_{task}"] = f"{100 * r2(truth, guess):.1f}"
    return scores


def main() -> None:
    """Score every setting that is not in the results yet, two at a time."""
    os.environ["OMP_NUM_THREADS"] = "1"
    done = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    waiting = [
        setting
        for setting in settings()
        if not any(setting.fields.items() <= row.items() for row in done)
    ]
    with ProcessPoolExecutor(2) as pool, RESULTS.open("a", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for setting, scores in zip(waiting, pool.map(score, waiting), strict=True):
            row = {**setting.fields, **scores}
            if writer is None:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                if not done:
                    writer.writeheader()
            writer.writerow(row)
            file.flush()


if __name__ == "__main__":
    main()
