"""The paper's settings for each of its zoos, ready to evaluate.

``zoobench evaluate baselines.self_supervised.families:mnist_seed --zoo mnist-seed`` trains the
paper's network for as many epochs as the paper; that takes a GPU (``--set device=cuda``). For the
Tetris zoos the paper's text gives ``d = 128`` and one head, the authors' scripts ``d = 256`` and
four: ``Settings`` defaults to the text, ``tetris_script`` and ``tetris_hyp_script`` to the scripts.

The small CNN gets 512 dimensions, the width of its tokens. The scripts have 1200, more than the
compression token can carry, which contradicts the paper.

Source:
    Schürholt et al. 2021, arXiv:2110.15288, section 4.2, and the experiment scripts of the authors.
"""

from typing import Any

from baselines.self_supervised.embedder import SelfSupervised

TETRIS: dict[str, Any] = {"heads": 4, "width": 256}
MNIST: dict[str, Any] = {
    "heads": 4,
    "width": 800,
    "hidden": 900,
    "dim": 700,
    "projection": (4, 400, 50),
    "epochs": 500,
}
SMALL_CNN: dict[str, Any] = {
    "blocks": 4,
    "heads": 4,
    "width": 512,
    "hidden": 1000,
    "dim": 512,
    "projection": (4, 400, 50),
    "epochs": 200,
}


def embedder(zoo: str, family: dict[str, Any], **settings: Any) -> SelfSupervised:
    """Return the paper's embedder for one zoo: the settings of its family and its own."""
    return SelfSupervised(name=f"self-supervised-{zoo}", **family | settings)


tetris_script = embedder("tetris-script", TETRIS)
tetris_hyp_script = embedder("tetris-hyp-script", TETRIS, hidden=900)
mnist_seed = embedder("mnist-seed", MNIST, beta=0.9)
fashion_seed = embedder("fashion-seed", MNIST, beta=0.9)
mnist_hyp_1_fix_seed = embedder("mnist-hyp-1-fix-seed", MNIST, blocks=4, heads=2, hidden=1000)
mnist_hyp_1_rand_seed = embedder(
    "mnist-hyp-1-rand-seed", MNIST, blocks=4, heads=2, beta=0.85, projection=(4, 400, 20)
)
mnist_hyp_5_fix_seed = embedder("mnist-hyp-5-fix-seed", MNIST, projection=(4, 400, 20))
mnist_hyp_5_rand_seed = embedder(
    "mnist-hyp-5-rand-seed", MNIST, blocks=4, heads=2, dim=500, projection=(2, 400, 50)
)
mnist_hyp = embedder("mnist-hyp", SMALL_CNN, beta=0.9)
fashion_hyp = embedder("fashion-hyp", SMALL_CNN, beta=0.15)
svhn_hyp = embedder("svhn-hyp", SMALL_CNN, beta=0.15, epochs=250)
cifar10_hyp = embedder("cifar10-hyp", SMALL_CNN, contrast="positive", epochs=250)
