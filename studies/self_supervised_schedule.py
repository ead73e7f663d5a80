"""Which schedule learns most in minutes? Run: ``python -m studies.self_supervised_schedule``.

Trains the self-supervised method on tetris-seed with each setting and prints the scores of the
``paper`` probe on the validation split; the test split is not used. Takes five to ten minutes of
one core per line, the first time: training is cached. Results and conclusions are in
``docs/decisions/0010-a-fast-schedule.md``.
"""

from dataclasses import replace

from baselines.self_supervised import SelfSupervised, fast
from zoobench import Embedder
from zoobench.embedders.cache import embeddings_of
from zoobench.embedders.find import find_embedder
from zoobench.evaluation.run import Evaluation
from zoobench.evaluation.tune import held_out_scores
from zoogen import Zoo, load_zoo

PAPERS = SelfSupervised(schedule="one-cycle", learning_rate=1e-3, epochs=6)
SCALED = replace(PAPERS, normalise=True, position=0.05)
SMALL = replace(SCALED, width=64, hidden=128)
BATCHES_OF_100 = replace(SCALED, hidden=256, batch=100, dropout=0.0)
BATCHES_OF_250 = replace(fast, noise=0.0, epochs=10, patience=10, batch=250, learning_rate=2e-3)
STEEP_HEAD = replace(BATCHES_OF_250, projection=(3, 50, 20))
NOISY = replace(STEEP_HEAD, noise=0.05)
SETTINGS: dict[str, Embedder] = {
    "the paper's, 6 epochs": PAPERS,
    "tensors scaled, small positions": SCALED,
    "d = 64, 128 hidden": SMALL,
    "ED, d = 64, 8 epochs": replace(SMALL, beta=1.0, epochs=8),
    "ED, d = 64, 8 epochs, batch 100": replace(SMALL, beta=1.0, epochs=8, batch=100),
    "ED, d = 64, 8 epochs, batch 100, no dropout": replace(
        SMALL, beta=1.0, epochs=8, batch=100, dropout=0.0
    ),
    "batch 100, no dropout, β = 0.97": replace(BATCHES_OF_100, beta=0.97),
    "batch 100, no dropout, β = 0.9": replace(BATCHES_OF_100, beta=0.9),
    "batch 100, no dropout, β = 0.9, 20 epochs": replace(BATCHES_OF_100, beta=0.9, epochs=20),
    "batch 100, no dropout, β = 0.7, 8 epochs": replace(BATCHES_OF_100, beta=0.7, epochs=8),
    "batch 100, no dropout, β = 0.7, 8 epochs, positions 0.5": replace(
        BATCHES_OF_100, beta=0.7, epochs=8, position=0.5
    ),
    "batch 250, no dropout, β = 0.8, 10 epochs, rate 2e-3": STEEP_HEAD,
    "batch 250, no dropout, β = 0.8, 20 epochs, rate 2e-3": replace(
        STEEP_HEAD, epochs=20, patience=20
    ),
    "batch 500, no dropout, β = 0.8, 12 epochs, rate 4e-3, 512 hidden": replace(
        STEEP_HEAD, batch=500, hidden=512, learning_rate=4e-3, epochs=12, patience=12
    ),
    "batch 500, no dropout, β = 0.5, 12 epochs, rate 4e-3, positions 0.5, 512 hidden, 4 heads": (
        replace(
            SCALED,
            heads=4,
            batch=500,
            dropout=0.0,
            learning_rate=4e-3,
            epochs=12,
            position=0.5,
        )
    ),
    "projection (1, 50, 50)": BATCHES_OF_250,
    "projection (0, 50, 50)": replace(BATCHES_OF_250, projection=(0, 50, 50)),
    "noise 0.05": NOISY,
    "noise 0.05, temperature 0.05": replace(NOISY, temperature=0.05),
    "temperature 0.3": replace(STEEP_HEAD, temperature=0.3),
    "projection (1, 50, 50), noise 0.05": replace(BATCHES_OF_250, noise=0.05),
    "projection (1, 50, 50), not erased, noise 0.05": replace(
        BATCHES_OF_250, noise=0.05, erase=0.0
    ),
    "projection (1, 50, 50), 4 heads": replace(BATCHES_OF_250, heads=4),
    "projection (1, 50, 50), 11 epochs": replace(BATCHES_OF_250, epochs=11, patience=11),
    "projection (1, 50, 50), 12 epochs": replace(BATCHES_OF_250, epochs=12, patience=12),
    "12 epochs, batch 500, rate 3e-3": replace(fast, noise=0.0),
    "12 epochs, batch 500, rate 3e-3, noise 0.05": fast,
    "20 epochs, batch 500, rate 3e-3, noise 0.05": replace(fast, epochs=20, patience=20),
    "12 epochs, batch 500, rate 3e-3, noise 0.05, all erased": replace(fast, erase=1.0),
    "12 epochs, batch 500, rate 3e-3, noise 0.05, longer runs erased": replace(
        fast, erased=(0.1, 0.5)
    ),
    "12 epochs, batch 500, rate 3e-3, noise 0.05, β = 0.85": replace(fast, beta=0.85),
    "12 epochs, batch 500, rate 3e-3, noise 0.05, β = 0.85, 2 heads": replace(
        fast, beta=0.85, heads=2
    ),
    "s(W)": find_embedder("weight-statistics"),
}


def line(name: str, embedder: Embedder, zoo: Zoo) -> str:
    """Score one setting; return a row of Markdown."""
    evaluation = Evaluation(embedder=name, zoo=zoo.spec.name, probe="paper", settings={})
    scores = held_out_scores(embeddings_of(embedder, zoo, seed=0).splits, zoo, evaluation)
    return f"| {name} | {' | '.join(f'{100 * score:.1f}' for score in scores)} |"


def main() -> None:
    """Print one line per setting."""
    zoo = load_zoo("tetris-seed")
    for name, embedder in SETTINGS.items():
        print(line(name, embedder, zoo), flush=True)


if __name__ == "__main__":
    main()
