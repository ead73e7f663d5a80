"""Which views and widths suit deep sets best? Run: ``python -m studies.deep_sets``.

Trains the set encoder on tetris-seed with each setting and prints the scores of the ``paper`` probe
on the validation split, beside embedders without training; the test split is not used. Takes one to
three minutes of one core per line, the first time: training is cached. Results and conclusions are
in ``docs/decisions/0016-stronger-rows.md``.
"""

from dataclasses import replace

from baselines.self_supervised.deep_sets import embedder as deep_sets
from studies.self_supervised_schedule import line
from zoobench import Embedder
from zoobench.embedders.find import find_embedder
from zoogen import load_zoo

SHORT = replace(deep_sets, epochs=6, patience=6)
ERASED = replace(SHORT, noise=0.0, erase=0.5)
PAPERS = replace(ERASED, projection=(3, 50, 20))
SETTINGS: dict[str, Embedder] = {
    "erased views, 50 dimensions": replace(PAPERS, dim=50),
    "100 dimensions": replace(PAPERS, dim=100),
    "256 dimensions": PAPERS,
    "256 dimensions, 96 and 192 wide": replace(PAPERS, width=96, hidden=192),
    "256 dimensions, noise 0.05 too": replace(PAPERS, noise=0.05),
    "256 dimensions, head (2, 128, 50)": ERASED,
    "erased, noise 0.1": replace(ERASED, noise=0.1),
    "not erased, noise 0.05": replace(SHORT, noise=0.05),
    "not erased, noise 0.1": SHORT,
    "not erased, noise 0.2": replace(SHORT, noise=0.2),
    "not erased, noise 0.1, two sweeps": replace(SHORT, blocks=2),
    "not erased, noise 0.1, temperature 0.2": replace(SHORT, temperature=0.2),
    "erased, noise 0.05, 20 epochs": replace(ERASED, noise=0.05, epochs=20, patience=20),
    "not erased, noise 0.1, 20 epochs": deep_sets,
    "not erased, noise 0.2, 20 epochs": replace(deep_sets, noise=0.2),
    **{
        name: find_embedder(name)
        for name in (
            *("weight-statistics", "weight-statistics-wide", "sorted-weights", "raw-weights"),
            *("canonical-weights", "unit-moments"),
        )
    },
}


def main() -> None:
    """Print one line per setting."""
    zoo = load_zoo("tetris-seed")
    for name, embedder in SETTINGS.items():
        print(line(name, embedder, zoo), flush=True)


if __name__ == "__main__":
    main()
