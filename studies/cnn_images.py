"""Which batch size gives mnist-seed the paper's accuracies? Run: ``python -m studies.cnn_images``.

Trains the first models of mnist-seed at each batch size and prints their median accuracy after some
epochs; the paper's accuracies span about [0.2, 0.95]. Needs MNIST, see ``zoogen.images.natural``;
each line takes ten minutes of one core. Results and conclusions are in
``docs/decisions/0008-images.md``.
"""

from dataclasses import replace

import numpy as np

from zoogen import zoo_spec
from zoogen.device import one_thread
from zoogen.images.sets import load_images
from zoogen.spec.configs import model_configs
from zoogen.train.models import train_and_measure
from zoogen.train.paths import training_path

MODELS = 4
BATCH_SIZES = (64, 16)
SHOWN_EPOCHS = (1, 5, 10, 25)


def main() -> None:
    """Print one line per batch size."""
    images = load_images("mnist")
    for batch_size in BATCH_SIZES:
        spec = replace(zoo_spec("mnist-seed"), batch_size=batch_size)
        with one_thread():
            snapshots = train_and_measure(
                spec,
                model_configs(spec)[:MODELS],
                images,
                path=training_path(spec.network, "cpu"),
                device="cpu",
                report=lambda _: None,
            )
        medians = np.median(snapshots.measured["test_accuracy"], axis=0)
        shown = (f"{medians[epoch - 1]:.3f} after {epoch}" for epoch in SHOWN_EPOCHS)
        print(f"batch {batch_size}: {', '.join(shown)}", flush=True)


if __name__ == "__main__":
    main()
